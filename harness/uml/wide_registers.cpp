// Lets linux.uml run on processors whose register file is larger than it knows of; preloaded into
// linux.uml only.
//
// UML 6.1 keeps 2,696 bytes of a guest process' extended registers: everything up to AVX-512 and
// protection keys. On a processor with AMX the host's kernel insists on the full 11,008 bytes when
// they are set, and refuses fewer with EFAULT ("ptrace set fp regs failed, errno = 14", then a
// panic of the guest). So a short set is filled up with zeros. Nothing is lost: nobody in the guest
// can have asked for AMX, and the header's bits in the first part say that those registers are in
// their initial state.
//
// Threading: linux.uml switches its guest's processes from one thread.

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr std::size_t kRegistersMax = 64 * 1024;
alignas(64) char g_registers[kRegistersMax];

long call(long request, pid_t process, void* address, void* data) {
  return ::syscall(SYS_ptrace, request, process, address, data);
}

// Bytes of extended registers that the kernel wants; 0 when it does not say.
std::size_t full_size(pid_t process, void* kind) {
  static std::size_t size = 0;
  if (size == 0) {
    iovec all{g_registers, sizeof g_registers};
    if (call(PTRACE_GETREGSET, process, kind, &all) == 0) size = all.iov_len;
  }
  return size;
}

long set_registers(pid_t process, void* kind, const iovec& given) {
  const std::size_t size = full_size(process, kind);
  iovec filled{given.iov_base, given.iov_len};
  if (given.iov_len < size) {
    std::memcpy(g_registers, given.iov_base, given.iov_len);
    std::memset(g_registers + given.iov_len, 0, size - given.iov_len);
    filled = iovec{g_registers, size};
  }
  return call(PTRACE_SETREGSET, process, kind, &filled);
}

}  // namespace

// In the place of libc's, whose signature this is.
extern "C" long ptrace(__ptrace_request request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  const pid_t process = va_arg(arguments, pid_t);
  void* const address = va_arg(arguments, void*);
  void* const data = va_arg(arguments, void*);
  va_end(arguments);
  if (request == PTRACE_SETREGSET && address == reinterpret_cast<void*>(NT_X86_XSTATE)) {
    return set_registers(process, address, *static_cast<const iovec*>(data));
  }
  const bool peeks =
      request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
  if (!peeks) return call(request, process, address, data);
  // libc returns the word itself; the system call stores it.
  long word = 0;
  if (call(request, process, address, &word) < 0) return -1;
  errno = 0;
  return word;
}
