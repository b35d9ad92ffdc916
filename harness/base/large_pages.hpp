// Large pages: fewer interruptions while big arrays are filled for the first time.
//
// The kernel gives memory in pages of 4 KB, each when it is first touched, which takes as long as
// some hundred instructions: for arrays of hundreds of megabytes, a sixth of the time of a linear
// pass over them. Where the kernel is set to it (transparent huge pages `madvise` or `always`,
// madvise(2)), pages of 2 MB come at once. It is advice only: whatever the kernel does, the
// contents are the same.
//
// Threading: as the memory's own.

#pragma once

#include <cstddef>
#include <vector>

namespace sunder::base {

// From the first to the last whole large page of these bytes; nothing if there are less than two.
void use_large_pages(const void* memory, std::size_t bytes) noexcept;

// For a vector's room, after reserve() and before it is filled.
template <typename Element>
void use_large_pages(const std::vector<Element>& elements) noexcept {
  use_large_pages(elements.data(), elements.capacity() * sizeof(Element));
}

}  // namespace sunder::base
