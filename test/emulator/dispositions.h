// SIGILL, SIGSYS, SIGSEGV and the notification belong to the emulator; the program keeps what it believes to be its
// dispositions of them here, and gets the signals that were not meant for the emulator.
#pragma once

#include <signal.h>

#include <cstdint>

#include "thread.h"

namespace emulator {

// The kernel's struct sigaction.
struct KernelAction {
  long handler;
  long flags;
  long restorer;
  uint64_t mask;
};

constexpr long kSaRestorer = 0x04000000;  // SA_RESTORER, which the C library keeps to itself
constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr uint64_t bit_of(int signal_number) { return uint64_t{1} << (signal_number - 1); }

// The emulator's signals; a program's masks never contain them for real.
uint64_t own_signals();
inline bool is_own(long signal_number) {
  return signal_number > 0 && signal_number <= 64 && (own_signals() & bit_of(static_cast<int>(signal_number))) != 0;
}

void dispositions_take();
// rt_sigaction as the program sees it; negative errno.
long disposition_set(long signal_number, const KernelAction* set, KernelAction* before);

// A signal of the emulator's that it has not caused: what the program wanted for it happens, at this context.
void chain(Thread& t, int signal_number, siginfo_t* info, Context* c);
// The kernel's answer to a fault at this context, when sigreturn gets there.
void raise_fault(Context* c, int signal_number);

}  // namespace emulator
