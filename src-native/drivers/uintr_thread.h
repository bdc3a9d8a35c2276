// The calling thread as receiver of user interrupts: the one handler that hardware allows it, shared by its worlds and
// doorbells (dispatch.h). Counted; the last one unregisters.
#pragma once

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "drivers/uintr_abi.h"

namespace uintr {

bool uintr_thread_open(const UintrAbi& abi, JoinError* error);
// A descriptor by which others may send `vector` to this thread. -1 with *error.
int uintr_thread_fd(const UintrAbi& abi, uint32_t vector, JoinError* error);
void uintr_thread_close(const UintrAbi& abi);

}  // namespace uintr
