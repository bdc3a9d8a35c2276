// The sender's half: the process's table of targets, and senduipi.
#pragma once

#include "thread.h"

namespace emulator {

constexpr uint32_t kUittEntries = 256;

long uitt_add(int fd);                 // index, or negative errno
long uitt_remove(uint64_t index);
long uitt_remove_fd(int fd);           // RFC
void uitt_after_fork();                // senduipi that were under way in the parent are not the child's
bool uitt_in_use();                    // IA32_UINTR_TT is valid
bool uitt_valid(uint64_t index);
void uitt_send(Thread& t, uint64_t index);

}  // namespace emulator
