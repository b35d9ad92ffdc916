#include "harness/netlink/namespace.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>

#include "harness/base/assert.hpp"

namespace sunder::netlink {

Result<NetworkNamespace> NetworkNamespace::current() {
  base::FileDescriptor descriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!descriptor.valid()) return base::system_error("open /proc/thread-self/ns/net");
  return NetworkNamespace(std::move(descriptor));
}

Result<NetworkNamespace> NetworkNamespace::create() {
  auto home = current();
  if (home.has_error()) return home;
  if (::unshare(CLONE_NEWNET) != 0) return base::system_error("create a network namespace");
  auto created = current();
  SUNDER_ASSERT(::setns(home->descriptor(), CLONE_NEWNET) == 0);
  return created;
}

NamespaceScope::NamespaceScope(const NetworkNamespace& inside, const NetworkNamespace& home)
    : home_(home.descriptor()) {
  SUNDER_ASSERT(::setns(inside.descriptor(), CLONE_NEWNET) == 0);
}

NamespaceScope::~NamespaceScope() {
  SUNDER_ASSERT(::setns(home_, CLONE_NEWNET) == 0);
}

}  // namespace sunder::netlink
