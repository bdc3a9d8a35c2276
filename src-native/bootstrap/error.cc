#include "bootstrap/error.h"

#include <cerrno>

namespace uintr {

bool fail(JoinError* error, const char* code, std::string message) {
  if (error != nullptr) *error = JoinError{code, std::move(message), 0, nullptr};
  return false;
}

bool fail_syscall(JoinError* error, const char* syscall, int error_number, std::string message) {
  const bool memory = error_number == ENOMEM || error_number == ENOSPC;
  if (error != nullptr) {
    message += ": ";
    message += syscall;
    message += " failed with ";
    message += errno_name(error_number);
    if (error_number == EMFILE) message += " (too many open files: raise `ulimit -n`; a rank needs 3 per peer)";
    if (error_number == EFBIG) message += " (files must not be that large: raise `ulimit -f`)";
    if (error_number == ENOMEM && std::string(syscall) == "mmap") message += " (no room in the address space: raise `ulimit -v`)";
    if (error_number == ENFILE) message += " (too many open files on this system: raise fs.file-max)";
    *error = JoinError{memory ? "ERR_UINTR_NO_MEMORY" : "ERR_UINTR_JOIN", std::move(message), error_number, syscall};
  }
  return false;
}

bool is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

std::string errno_name(int error_number) {
  switch (error_number) {
#define UINTR_NAME(name) \
  case name:             \
    return #name;
    UINTR_NAME(EPERM)
        UINTR_NAME(ENOENT) UINTR_NAME(ESRCH) UINTR_NAME(EINTR) UINTR_NAME(EIO) UINTR_NAME(EBADF) UINTR_NAME(EAGAIN)
            UINTR_NAME(ENOMEM) UINTR_NAME(EACCES) UINTR_NAME(EFAULT) UINTR_NAME(EBUSY) UINTR_NAME(EEXIST)
                UINTR_NAME(ENOTDIR) UINTR_NAME(EINVAL) UINTR_NAME(ENFILE) UINTR_NAME(EMFILE) UINTR_NAME(EFBIG)
                    UINTR_NAME(ENOSPC) UINTR_NAME(EROFS) UINTR_NAME(EPIPE) UINTR_NAME(ENAMETOOLONG) UINTR_NAME(ENOSYS)
                        UINTR_NAME(ELOOP) UINTR_NAME(EPROTO) UINTR_NAME(EADDRINUSE) UINTR_NAME(ECONNREFUSED)
                            UINTR_NAME(ECONNRESET) UINTR_NAME(ENOTSOCK) UINTR_NAME(ETOOMANYREFS) UINTR_NAME(EOPNOTSUPP)
                                UINTR_NAME(EMSGSIZE) UINTR_NAME(ENOBUFS)
#undef UINTR_NAME
                                    default : return "errno " +
                                              std::to_string(error_number);
  }
}

}  // namespace uintr
