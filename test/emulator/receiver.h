// The receiver's half of the ABI, and what the kernel and the processor do with a UPID.
#pragma once

#include "thread.h"

namespace emulator {

// 0 or what the system call returns: a negative errno, a descriptor.
long receiver_register(Thread& t, uint64_t handler, uint64_t flags);
long receiver_unregister(Thread& t);
long receiver_vector_fd(Thread& t, uint64_t vector);
// Blocks in the kernel's place until a vector is posted (-EINTR) or the time is over (0). `mask`: the program's.
long receiver_wait(Thread& t, uint64_t mask, const uint64_t* microseconds);

// Notification processing: ON is cleared, PIR goes to UIRR.
void recognise(Thread& t);
// As the kernel on descheduling and on the way back to user mode.
void suppress(Thread& t);
void unsuppress(Thread& t);

// If UIF allows it and something is pending: the context goes on in the handler. At most once per signal frame.
bool deliver(Thread& t, Context* c, Record* record);
// uiret. UIF is set; what is pending then is the caller's to deliver.
void undo_delivery(Thread& t, Context* c);

}  // namespace emulator
