// NetworkNamespace: a network namespace held by a descriptor; it lives while somebody holds it or
// runs in it.
//
// Nothing is bound below /run/netns, so there is nothing to clean up. NamespaceScope moves the
// calling thread into one and back: sockets opened inside belong to it for ever.
//
// Threading: setns acts on the calling thread; the process must have no other.

#pragma once

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"

namespace sunder::netlink {

class NetworkNamespace {
 public:
  // A new, empty namespace: only `lo`, down.
  [[nodiscard]] static Result<NetworkNamespace> create();
  // The calling thread's.
  [[nodiscard]] static Result<NetworkNamespace> current();

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

 private:
  explicit NetworkNamespace(base::FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  base::FileDescriptor descriptor_;
};

// The calling thread is in `inside` until the scope ends. Not being able to return would put
// everything that follows into the wrong network: it asserts.
class NamespaceScope {
 public:
  NamespaceScope(const NetworkNamespace& inside, const NetworkNamespace& home);
  ~NamespaceScope();
  NamespaceScope(const NamespaceScope&) = delete;
  NamespaceScope& operator=(const NamespaceScope&) = delete;

 private:
  int home_;
};

}  // namespace sunder::netlink
