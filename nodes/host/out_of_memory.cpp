#include "nodes/host/out_of_memory.hpp"

#include <new>
#include <string_view>

#include <unistd.h>

namespace sunder::nodes::host {

void stop_when_out_of_memory() noexcept {
  std::set_new_handler([] {
    constexpr std::string_view kLine = "out of memory: stopping\n";
    // Nothing here may allocate; whether anybody reads the line does not matter.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
    ::_exit(1);
  });
}

}  // namespace sunder::nodes::host
