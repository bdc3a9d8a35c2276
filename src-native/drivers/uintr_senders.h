// What this process may send to: its entries of the user-interrupt target table, which all its threads use. A peer takes
// one entry, however many threads of this process talk to it; the table has 256. Where each thread has a table of its
// own (UintrAbi) an entry serves the thread that took it, and that thread gives it back.
#pragma once

#include <cstdint>

#include "drivers/uintr_abi.h"

namespace uintr {

constexpr int32_t kNoUittIndex = -1;

// `receiver` says whose descriptor `fd` is, so that the same one gets the same entry. kNoUittIndex, with a negative errno
// in *why (which may be null): there is none to be had, the table being full or the receiver gone.
int32_t uintr_sender_take(const UintrAbi& abi, uint64_t receiver, int fd, int* why);
// What to call the receiver of a descriptor that nothing else is known of: as the entry that was made of the same one, where
// the kernel makes only one of each (RFC v1), else something new.
uint64_t uintr_sender_name(const UintrAbi& abi, int fd);
void uintr_sender_give_back(const UintrAbi& abi, uint64_t receiver);

}  // namespace uintr
