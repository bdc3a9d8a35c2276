// System calls of the emulator itself. It uses no other way into the kernel: a wrapper of the C library would be
// dispatched to the emulator again, and from within its handlers that is the end of the process.
#pragma once

#include <cerrno>
#include <cstdint>

#include "record.h"

extern "C" {
long emulator_syscall(long number, long a, long b, long c, long d, long e, long f);
void emulator_restorer();
void emulator_on_signal(int signal_number, void* info, void* context);
void emulator_deliver();
extern const char emulator_gate_begin[], emulator_gate_end[], emulator_stubs[];
extern uint64_t emulator_returns[EMULATOR_STUBS];
}

namespace emulator {

template <class T>
long word(T value) {
  return (long)value;
}

template <class... A>
long kernel(long number, A... arguments) {
  const long a[6] = {word(arguments)...};
  return emulator_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // namespace emulator
