// What is recorded of this rank's timeline (trace.h). Nothing here runs while the engine has no ring.
#include "engine/trace.h"

#include "engine/core.h"

namespace uintr {

namespace {

constexpr long kSysClockGettime = 228, kClockMonotonic = 1;
// About a microsecond, by either clock.
constexpr uint64_t kQuick = 2048;
constexpr uint32_t kMostAlike = 8;

}  // namespace

uint64_t Trace::monotonic() {
  struct {
    int64_t seconds, nanoseconds;
  } now{};
  arch::syscall(kSysClockGettime, kClockMonotonic, reinterpret_cast<long>(&now));
  return static_cast<uint64_t>(now.seconds * 1'000'000'000 + now.nanoseconds);
}

void Core::trace_attention(Attention to, uint64_t at) {
  traced_attention = to;
  Trace::Claim c = trace->claim(TraceWhat::Attention, at, rank);
  c.event->detail = static_cast<uint32_t>(to);
  trace->publish(c);
}

void Core::trace_wait(uint64_t at) {
  if (state == Attention::Polling && traced_attention != state) trace_attention(state, at);
}

void Core::trace_post(TraceWhat what, Handle handle, uint32_t peer, uint32_t context, uint32_t tag, uint64_t bytes) {
  Trace::Claim c = trace->claim(what, trace->now(), peer);
  c.event->handle = handle, c.event->bytes = bytes;
  c.event->tag = tag, c.event->detail = context;
  trace->publish(c);
}

// Of a message that was over when it was posted. Those that are alike, and follow each other with nothing in between,
// are counted rather than recorded one by one: they are too short to read a clock for each, and would soon overwrite
// all else. Without a clock a pause goes unseen, so how many may be counted follows from how fast those before came:
// twice as many as in a group that was quick, one after a group that was not.
void Core::trace_short(TraceWhat what, uint32_t peer, uint32_t context, uint32_t tag, uint64_t bytes) {
  TraceEvent* last = trace->latest(traced_short);
  if (last != nullptr && (last->what != what || last->peer != peer || last->detail != context || last->tag != tag ||
                          last->bytes != bytes))
    last = nullptr;
  if (last != nullptr && last->took < traced_alike) {
    ++last->took;
    return;
  }
  const uint64_t at = trace->now();
  const bool quick = last != nullptr && at - last->at < last->took * kQuick;
  traced_alike = !quick ? 1 : traced_alike < kMostAlike ? traced_alike * 2 : kMostAlike;
  Trace::Claim c = trace->claim(what, at, peer);
  traced_short = c.place;
  c.event->handle = kNoHandle, c.event->bytes = bytes;
  c.event->tag = tag, c.event->detail = context;
  c.event->took = 1;
  trace->publish(c);
}

void Core::trace_match(const Slot& s) {
  Trace::Claim c = trace->claim(TraceWhat::Match, trace->now(), s.peer);
  c.event->handle = make_handle(index(s), s.generation), c.event->bytes = s.moving;
  c.event->tag = s.tag;
  trace->publish(c);
}

void Core::trace_completion(const Slot& s) {
  Trace::Claim c = trace->claim(TraceWhat::Completion, trace->now(), s.peer);
  c.event->handle = make_handle(index(s), s.generation), c.event->bytes = is_receive(s) ? s.total : s.length;
  c.event->tag = s.tag, c.event->detail = static_cast<uint32_t>(s.error);
  trace->publish(c);
}

void Core::trace_interrupt(uint32_t peer) {
  const uint64_t at = trace->now();
  // SYNC POINT: trace-interrupt. Written, then the interrupt is sent; whoever looks because of it reads this or a later
  // one.
  peers[peer].mine->interrupt_at.release(at);
  trace->publish(trace->claim(TraceWhat::Interrupt, at, peer));
}

void Core::trace_notice(uint32_t peer) {
  Partner& p = peers[peer];
  // SYNC POINT: trace-interrupt. The peer's word, on which nothing but the timeline depends.
  const uint64_t sent = p.theirs->interrupt_at.acquire();
  p.mine->noticed_at.set_relaxed(sent);
  arch::load_before_cycles();  // or the interrupt would now and then be noticed before it was sent
  Trace::Claim c = trace->claim(TraceWhat::Notice, trace->now(), peer);
  c.event->bytes = sent;
  trace->publish(c);
}

void Core::trace_wake(uint32_t peer) { trace->publish(trace->claim(TraceWhat::Wake, trace->now(), peer)); }

void Core::trace_run(TraceWhat what, uint64_t began, uint32_t detail) {
  const uint64_t took = trace->now() - began;
  Trace::Claim c = trace->claim(what, began, rank);
  c.event->took = took, c.event->detail = detail;
  trace->publish(c);
}

void Core::trace_copy(const Slot& s, uint32_t kind, uint64_t bytes, uint64_t began) {
  const uint64_t took = trace->now() - began;
  trace_wait(began);
  Trace::Claim c = trace->claim(TraceWhat::Copy, began, s.peer);
  c.event->handle = make_handle(index(s), s.generation), c.event->bytes = bytes;
  c.event->tag = s.tag, c.event->detail = kind | (is_receive(s) ? 0 : kTraceAsSender);
  c.event->took = took;
  trace->publish(c);
}

void Engine::record_turn(Attention to) {
  Core* c = core(this);
  if (!c->traced()) return;
  Inside inside(c);
  c->trace_turn(to);
}

void Engine::seal_trace() { core(this)->traced_short = ~0ull; }

void Engine::record(Trace* trace) {
  Core* c = core(this);
  Inside inside(c);
  c->trace = trace;
  if (trace == nullptr) return;
  // Only what is sent from now on.
  for (uint32_t i = 0; i < c->size; ++i) {
    Partner& p = c->peers[i];
    p.mine->noticed_at.set_relaxed(p.theirs->interrupt_at.acquire());
  }
  c->traced_short = ~0ull;
  c->trace_attention(c->state, trace->now());
}

}  // namespace uintr
