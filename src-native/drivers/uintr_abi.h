// The system calls of user interrupts, by their numbers in the kernels that have them. Mainline has none and uses these
// numbers for other calls, so only the probe decides which table holds (uintr_probe.h).
//
// Sources: Intel's uintr-next tree and its man pages; RFC v1 of September 2021 ("x86 User Interrupts support").
#pragma once

#include <cstdint>

namespace uintr {

struct UintrAbi {
  const char* name;
  long register_handler;   // (handler, flags)
  long unregister_handler;  // (flags)
  long create_fd;          // (vector, flags) → descriptor
  long register_sender;    // (fd, flags) → index into the UITT
  long unregister_sender;  // (index, flags), or (fd, flags)
  bool unregisters_by_fd;
  bool table_per_thread;  // the UITT is the registering thread's, which alone can use the index and unregister it
};

// In the order of the probe.
constexpr UintrAbi kUintrAbis[] = {
    {"uintr-next", 471, 472, 473, 474, 475, false, false},
    {"RFC v1", 449, 450, 451, 452, 453, true, true},
    {"RFC v1, one higher", 450, 451, 452, 453, 454, true, true},
};
constexpr uint32_t kUintrAbiCount = sizeof kUintrAbis / sizeof kUintrAbis[0];

// Each returns the kernel's value: 0 or more, or a negative errno. errno is not touched.
long uintr_register_handler(const UintrAbi& abi, void (*handler)());
long uintr_unregister_handler(const UintrAbi& abi);
long uintr_create_fd(const UintrAbi& abi, uint32_t vector);
long uintr_register_sender(const UintrAbi& abi, int fd);
long uintr_unregister_sender(const UintrAbi& abi, uint32_t index, int fd);

}  // namespace uintr
