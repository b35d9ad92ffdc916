// libFuzzer's entry: the first byte chooses the form, the rest is the text.
//
//   cmake --preset fuzz && cmake --build --preset fuzz
//   build/fuzz/tests/fuzz/sunder_fuzz_history -max_total_time=60 CORPUS

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/history_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto* text = reinterpret_cast<const char*>(data);
  sunder::fuzz::feed(data[0] % sunder::fuzz::target_count(), std::string_view(text + 1, size - 1));
  return 0;
}
