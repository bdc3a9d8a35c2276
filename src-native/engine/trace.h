// The timeline of one rank: what it has posted, copied and completed, when it was interrupted and what it was doing
// then, in a ring of fixed size that the thread and its own handlers write. The oldest is overwritten. Recording is off
// while the engine has no ring, and costs one branch then.
#pragma once

#include "engine/shared.h"
#include "engine/types.h"

// A call that leaves every register as it was: a function that makes it only now and then has nothing to save for it.
// The compiler can do that only where it knows of no vector registers.
#if defined(__SSE__)
#define UINTR_RARE_CALL [[gnu::noinline]]
#else
#define UINTR_RARE_CALL [[gnu::noinline, gnu::no_caller_saved_registers]]
#endif

namespace uintr {

enum class TraceWhat : uint32_t {
  Attention = 1,  // this rank is in the state `detail` from now on
  Send,           // posted: to `peer`; `handle` is kNoHandle if that was all of it, of the first of `took` alike
  Receive,        // posted: from `peer`, or a wildcard
  Collective,     // posted: `bytes` of all steps
  Match,          // by this rank, of its `handle`, a receive or a send (advert.cc): `bytes` will move from or to `peer`
  Completion,     // of `handle`, with the Error `detail`
  Interrupt,      // sent to `peer`
  Wake,           // eventfd of `peer` written
  Notice,         // a run has looked at what `peer` has published; the interrupt for it was sent at `bytes` (clock)
  Handler,        // a handler run, with its length; `detail` 1: it found the engine masked
  Deferred,       // its work, done by the thread on its way out
  Copy,           // `bytes` of the transfer `handle`, with its length; `detail`: CopyKind, and kTraceAsSender
};
constexpr uint32_t kTraceAsSender = 16;

// A cache line. Which fields an event has depends on what it is; what the others hold is an older event's.
// lib/trace-events.ts reads it by these offsets.
struct alignas(64) TraceEvent {
  uint64_t turn;  // its place in the order of all, + 1; 0: never written. Written last
  uint64_t at;    // clock; of what has a length, its beginning
  TraceWhat what;
  uint32_t peer;
  Handle handle;
  uint64_t bytes;
  uint32_t tag;
  uint32_t detail;  // of a post: the context
  uint64_t took;
};
static_assert(sizeof(TraceEvent) == 64 && __builtin_offsetof(TraceEvent, took) == 48);

class Trace {
 public:
  static uint64_t bytes(uint32_t capacity) { return sizeof(Trace) + uint64_t{capacity} * sizeof(TraceEvent); }
  // In zeroed memory, for a power of two of events. `cycles`: by the time-stamp counter, which is comparable between
  // the ranks of a host where CPUID says that it is invariant; else by CLOCK_MONOTONIC, in ns and by a system call.
  void open(uint32_t capacity, bool cycles) { mask_ = capacity - 1, cycles_ = cycles; }

  uint64_t now() const { return __builtin_expect(cycles_, true) ? arch::cycles() : monotonic(); }

  // SYNC POINT: trace. A handler may come at any instruction between the two, and record as well. It gets a place of
  // its own, because one instruction claims it; and it is over before whom it interrupted goes on, so neither sees the
  // other's event half made. `turn` is written last.
  struct Claim {
    TraceEvent* event;
    uint64_t place;
  };
  Claim claim(TraceWhat what, uint64_t at, uint32_t peer) {
    const uint64_t place = arch::fetch_increment(&next_);
    TraceEvent* e = &events_[place & mask_];
    e->at = at;
    e->what = what, e->peer = peer;
    return {e, place};
  }
  // The event at that place, if none has been recorded since.
  TraceEvent* latest(uint64_t place) { return next_ == place + 1 ? &events_[place & mask_] : nullptr; }
  void publish(Claim c) {
    __atomic_store_n(&c.event->turn, c.place + 1, __ATOMIC_RELEASE);
    // It has been long since anybody touched the next one.
    __builtin_prefetch(&events_[(c.place + 1) & mask_], 1);
  }

  // ---- reading: by the same thread
  // How many were ever recorded.
  uint64_t count() const { return __atomic_load_n(&next_, __ATOMIC_ACQUIRE); }
  // The one at that place in the order of all. False: it has been overwritten.
  // SYNC POINT: trace. The reader is the thread that writes, so it is in the middle of no event of its own; a handler
  // that overwrites this one meanwhile leaves another turn behind. So does whoever was overtaken by a whole round of
  // handlers between claim and publication, and has written into an event that was newer.
  bool read(uint64_t place, TraceEvent* out) const {
    const TraceEvent* e = &events_[place & mask_];
    if (__atomic_load_n(&e->turn, __ATOMIC_ACQUIRE) != place + 1) return false;
    *out = *e;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&e->turn, __ATOMIC_RELAXED) == place + 1;
  }

 private:
  UINTR_RARE_CALL static uint64_t monotonic();

  uint64_t next_;
  uint64_t mask_;
  bool cycles_;
  TraceEvent events_[];
};

}  // namespace uintr
