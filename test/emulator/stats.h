// Counters: 64-bit words in this order, from the start of the file that UINTR_EMULATOR_STATS names, or in private
// memory. `uintr_emulator_stats()` returns their address.
#pragma once

#include <cstdint>

namespace emulator {

#define EMULATOR_COUNTERS(_)                                                               \
  _(sends)          /* senduipi executed */                                               \
  _(notifications)  /* of these, the ones that set ON and notified */                      \
  _(suppressed)     /* found SN set */                                                     \
  _(coalesced)      /* found ON set */                                                     \
  _(undeliverable)  /* the receiver's thread was gone when it was to be notified */        \
  _(recognised)     /* notifications processed by a receiver; spurious ones included */    \
  _(deliveries)     /* entries into a handler */                                           \
  _(returns)        /* uiret */                                                            \
  _(deferred)       /* deliveries that waited for the return from a system call */         \
  _(dispatched)     /* system calls of receivers that went through the emulator */         \
  _(calls)          /* system calls of the ABI */                                          \
  _(registrations)  /* handlers registered */                                              \
  _(injected_sn)                                                                           \
  _(injected_delay)                                                                        \
  _(injected_preempt)                                                                      \
  _(injected_die)                                                                          \
  _(injected_coalesce)                                                                     \
  _(injected_spurious)                                                                     \
  _(processes)      /* that started with the emulator */

enum Counter : uint32_t {
#define EMULATOR_NAME(name) k_##name,
  EMULATOR_COUNTERS(EMULATOR_NAME)
#undef EMULATOR_NAME
      kCounters
};

extern uint64_t* counters;

inline void count(Counter which) { __atomic_fetch_add(&counters[which], 1, __ATOMIC_RELAXED); }

void stats_open();

}  // namespace emulator
