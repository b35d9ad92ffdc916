#include "harness/base/large_pages.hpp"

#include <cstdint>

#include <sys/mman.h>

namespace sunder::base {

void use_large_pages(const void* memory, std::size_t bytes) noexcept {
  constexpr std::size_t kPage = std::size_t{2} << 20U;
  if (bytes < 2 * kPage) return;
  void* address = const_cast<void*>(memory);
  const std::size_t skipped = (kPage - reinterpret_cast<std::uintptr_t>(memory) % kPage) % kPage;
  const std::size_t length = (bytes - skipped) / kPage * kPage;
  // What it answers does not matter: without large pages it only takes longer.
  (void)::madvise(static_cast<std::byte*>(address) + skipped, length, MADV_HUGEPAGE);
}

}  // namespace sunder::base
