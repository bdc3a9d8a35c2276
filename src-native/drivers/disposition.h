// What this process does with a signal, and whether this thread takes it. Counted, because several ranks (threads, or
// worlds of one thread) may use one signal.
#pragma once

#include <cstdint>

#include "bootstrap/error.h"

namespace uintr {

// Puts uintr_signal_handler in place, or counts one more user of it. Refuses to displace a handler of the program's
// own.
bool disposition_take(int signal_number, JoinError* error);
// With the last user the old disposition comes back, if ours is still in place.
void disposition_give_back(int signal_number);
// False: the program has put something else there (libuv, for process.on(), replaces a handler without a word).
bool disposition_is_ours(int signal_number);
// Whether any rank of this process has taken the signal and not given it back.
bool disposition_in_use(int signal_number);
// Ignores the signal where its default would end the process: peers that do not know yet may still send it.
void disposition_spare(int signal_number);

// Somebody knows that dispositions have changed: every rank of the process is to look, and not when it is next due.
void disposition_changed();
uint32_t disposition_changes();

// Makes the calling thread take the signal, whatever its mask was; the last give_back restores that.
void thread_mask_take(int signal_number);
void thread_mask_give_back(int signal_number);

}  // namespace uintr
