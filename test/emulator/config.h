// What the environment asks for; read once, before main().
//
//   UINTR_EMULATOR_ABI     next (471…476, default), rfc (449…454), rfc+1 (450…455)
//   UINTR_EMULATOR_STRICT  1 (default): an interrupt does not cut a blocking call short; 0: it does, with EINTR
//   UINTR_EMULATOR_CPUID   1 (default): CPUID(7,0).EDX[5] is shown where CPUID can be trapped; 0: never
//   UINTR_EMULATOR_SIGNAL  number of the notification signal, by default 61
//   UINTR_EMULATOR_SEED    for the injections
//   UINTR_EMULATOR_INJECT  sn=, delay=, preempt=, die=, coalesce=: rates in 1/1000; spurious=: mean period in
//                          microseconds; pause=: longest pause of each in microseconds
//   UINTR_EMULATOR_STATS   a file that all processes of a test add their counters to (stats.h)
#pragma once

#include <cstdint>

namespace emulator {

enum class Abi : uint32_t { Next, Rfc, RfcPlusOne };

struct Rates {
  uint32_t sn, delay, preempt, die, coalesce, spurious, pause;
};

struct Config {
  Abi abi;
  bool strict, cpuid;
  int notify_signal;
  uint64_t seed;
  Rates rates;
  const char* stats;
};
extern Config config;

// Refuses to start on a word it does not know.
void config_read();

inline long abi_base() { return config.abi == Abi::Next ? 471 : config.abi == Abi::Rfc ? 449 : 450; }

}  // namespace emulator
