// Where the emulator cannot be faithful it ends the process, with the reason on stderr and this exit code.
#pragma once

namespace emulator {

constexpr int kRefused = 69;  // EX_UNAVAILABLE

[[noreturn]] __attribute__((format(printf, 1, 2))) void refuse(const char* format, ...);

// Before anything is installed: a processor that has the feature switched on, a kernel that lacks what is needed.
void refuse_unless_possible();

}  // namespace emulator
