#include "drivers/uintr_abi.h"

#include "engine/arch.h"

namespace uintr {

// flags 0 everywhere: what the kernel offers beside it (a receiver that is woken in a system call) loses interrupts.
long uintr_register_handler(const UintrAbi& abi, void (*handler)()) {
  return arch::syscall(abi.register_handler, reinterpret_cast<long>(handler), 0);
}
long uintr_unregister_handler(const UintrAbi& abi) { return arch::syscall(abi.unregister_handler, 0); }
long uintr_create_fd(const UintrAbi& abi, uint32_t vector) { return arch::syscall(abi.create_fd, vector, 0); }
long uintr_register_sender(const UintrAbi& abi, int fd) { return arch::syscall(abi.register_sender, fd, 0); }
long uintr_unregister_sender(const UintrAbi& abi, uint32_t index, int fd) {
  return arch::syscall(abi.unregister_sender, abi.unregisters_by_fd ? fd : static_cast<long>(index), 0);
}

}  // namespace uintr
