#include "drivers/uintr_thread.h"

#include <fcntl.h>

#include <cerrno>

#include "drivers/dispatch.h"
#include "drivers/restartable.h"
#include "drivers/uintr_entry.h"
#include "engine/arch.h"

namespace uintr {
namespace {
thread_local unsigned users = 0;
}

bool uintr_thread_open(const UintrAbi& abi, JoinError* error) {
  if (users++ > 0) return true;
  dispatch_touch();
  rseq_find();
  const long got = uintr_register_handler(abi, uintr_entry);
  if (got == 0) {
    // UIF is 0 after registration; what was posted in between comes now.
    arch::stui();
    return true;
  }
  --users;
  const std::string what =
      got == -EBUSY ? "this thread has a handler for user interrupts that is not this package's" : "driver 'uintr'";
  return fail_syscall(error, "uintr_register_handler", static_cast<int>(-got), what);
}

int uintr_thread_fd(const UintrAbi& abi, uint32_t vector, JoinError* error) {
  const long fd = uintr_create_fd(abi, vector);
  if (fd < 0) {
    fail_syscall(error, "uintr_create_fd", static_cast<int>(-fd), "vector " + std::to_string(vector));
    return -1;
  }
  fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);  // not every version of the patches sets it
  return static_cast<int>(fd);
}

void uintr_thread_close(const UintrAbi& abi) {
  if (users == 0 || --users > 0) return;
  // Nothing may be delivered while the kernel takes the handler away.
  arch::clui();
  uintr_unregister_handler(abi);
}

}  // namespace uintr
