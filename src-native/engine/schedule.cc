// Carrying collective operations on. Whatever a schedule will need is reserved
// when it is posted: slots for its widest round, and rings. So a handler can do
// the rest.
//
// A message that ends does not begin the next round by itself: that would be
// recursion, of any depth, in the middle of somebody else's work. It puts its
// schedule on the list of those that can go on, and run() goes through that.
//
// Who leaves the engine while something is on this list, because one run is
// bounded, interrupts itself, as a sender would (SYNC POINT: upid): only the
// rank's own thread can do the work, and only an interrupt makes it. One that
// polls comes back by itself, and so does one that was about to sleep
// (something_to_do).
//
// A schedule that fails, or is cancelled, takes back what nobody has matched;
// what is matched goes on to its end. That end comes soon and asks for nobody's
// JavaScript: the engines of both ranks are at it, an idle rank's by its loop, a
// computing one's by its handler; where the other rank closes or is gone, the
// transfer is closed as any other. Only then is the schedule over, so nobody
// touches a buffer of it after that (invariant 5). Others learn of it from
// whoever posted it.
#include "engine/schedule.h"

#include "engine/core.h"
#include "engine/failpoint.h"
#include "engine/shared.h"
#include "engine/sizes.h"

namespace uintr {

using Kind = ScheduleStep::Kind;

namespace {

bool is_message(const ScheduleStep& step) { return step.kind == Kind::Send || step.kind == Kind::Receive; }

uint32_t widest_round(const Schedule& c) {
  uint32_t widest = 0, width = 0;
  for (uint32_t i = 0; i < c.count; ++i) {
    if (c.steps[i].kind == Kind::End) width = 0;
    if (is_message(c.steps[i]) && ++width > widest) widest = width;
  }
  return widest;
}

// Is what a receive has got what its step is to get? Otherwise the ranks do not
// agree on what they are doing.
bool as_expected(const ScheduleStep& step, uint64_t got) {
  if (step.from == nullptr) return got == step.length;
  return got == step.expected && same_bytes(step.to, step.from, got);
}

}  // namespace

// ---- slots ------------------------------------------------------------------

// Reserves a slot. False: there is none.
bool Core::add_part(Schedule& c) {
  uint32_t i = take_slot();
  if (i == kNone) return false;
  slots[i].schedule = &c;
  list_append(&c.idle, i, part_links());
  return true;
}

Slot& Core::take_part(Schedule& c, const ScheduleStep& step) {
  uint32_t i = c.idle.head - 1;
  list_remove(&c.idle, i, part_links());
  Slot& s = renew(i);
  s.schedule = &c;
  s.step = static_cast<uint32_t>(&step - c.steps);
  s.context = c.context;
  s.tag = c.tag;
  s.peer = step.peer;
  s.length = step.length;
  ++c.pending;
  list_append(&c.busy, i, part_links());
  return s;
}

// Its message is over and it owes nothing more.
void Core::return_part(Slot& s) {
  Schedule& c = *s.schedule;
  s.state = SlotState::Free;
  list_remove(&c.busy, index(s), part_links());
  list_append(&c.idle, index(s), part_links());
  if (c.starved) make_ready(c);
}

void Core::release_parts(Schedule& c) {
  while (!c.idle.empty()) {
    uint32_t i = c.idle.head - 1;
    list_remove(&c.idle, i, part_links());
    slots[i].schedule = nullptr;
    free_slot(i);
  }
  // What is left owes a reply, and is freed with that.
  while (!c.busy.empty()) {
    uint32_t i = c.busy.head - 1;
    list_remove(&c.busy, i, part_links());
    slots[i].schedule = nullptr;
  }
}

// ---- beginning and end --------------------------------------------------------

Posted Core::post_schedule_now(Schedule& c) {
  auto failed = [&](Error error) {
    release_parts(c);
    return Posted{kNoHandle, {kNoHandle, error, Cause::None, rank, kNone, 0, kNoHeap}};
  };
  if (life != Life::Active) return failed(Error::Closed);
  for (uint32_t i = 0; i < c.count; ++i) {
    const ScheduleStep& step = c.steps[i];
    c.bytes += step.length;
    if (step.kind == Kind::Send && !ensure_ring(peers[step.peer], step.peer)) return failed(Error::NoMemory);
  }
  for (uint32_t n = widest_round(c); n != 0; --n)
    if (!add_part(c)) return failed(Error::NoMemory);
  c.slot = take_slot();
  if (c.slot == kNone) return failed(Error::NoMemory);
  c.failed = kNone;
  Slot& own = slots[c.slot];
  own.state = SlotState::Running;
  own.flags = kReceive;  // its outcome, too, tells of another rank
  own.collective = &c;
  own.context = c.context;
  own.peer = rank;
  own.tag = c.tag;
  Handle handle = make_handle(c.slot, own.generation);
  if (traced()) trace_post(TraceWhat::Collective, handle, kAnySource, c.context, c.tag, c.bytes);
  ++running_schedules;
  UINTR_FAILPOINT("schedule.posted");
  make_ready(c);
  run(Effort::Call);
  return Posted{handle, {}};
}

void Core::make_ready(Schedule& c) {
  if (c.queued || c.running) return;
  c.queued = true;
  list_append(&ready, c.slot, links());
}

// The first thing that goes wrong decides the outcome; the rest follows from it.
void Core::fail_schedule(Schedule& c, Error error, Cause cause, uint32_t peer, uint32_t step, uint64_t total) {
  Slot& own = slots[c.slot];
  if (own.error != Error::None) return;
  own.error = error, own.cause = cause, own.peer = peer, own.total = total;
  c.failed = step;
  UINTR_FAILPOINT("schedule.failed");
  make_ready(c);
}

void Core::fail_schedules(Error error) {
  if (running_schedules == 0) return;
  for (uint32_t i = 0; i < slots_touched; ++i)
    if (slots[i].state == SlotState::Running)
      fail_schedule(*slots[i].collective, error, Cause::None, rank, kNone, 0);
}

// A message of a schedule is over, as finish() has noted in its slot.
void Core::part_over(Slot& s) {
  Schedule& c = *s.schedule;
  Error error = s.error;
  if (is_receive(s) && (error == Error::None || error == Error::Truncated))
    error = as_expected(c.steps[s.step], s.total) ? Error::None : Error::Mismatch;
  if (error != Error::None) fail_schedule(c, error, s.cause, s.peer, s.step, s.total);
  if (--c.pending == 0) make_ready(c);
  if ((s.flags & (kOwesMatch | kOwesFin)) != 0)
    s.flags |= kDrained;  // comes back when its reply has found room (reply.cc)
  else
    return_part(s);
}

// The last first: or who looks in between finds a later message where it expects one that has been taken back, and takes
// that for another operation.
void Core::take_back_parts(Schedule& c) {
  for (uint32_t l = c.busy.tail; l != 0;) {
    Slot& s = slots[l - 1];
    l = s.part.prev;
    if (s.state == SlotState::Posted) {
      if (!take_back(index(s))) continue;  // its sender has matched it
      unpost(index(s));
      finish(s, Error::Cancelled);
    } else if (s.state == SlotState::Queued || s.state == SlotState::Offered) {
      withdraw(s, Error::Cancelled, Cause::None);  // or it is matched, and goes on
    }
  }
}

void Core::complete(Schedule& c) {
  release_parts(c);
  Slot& own = slots[c.slot];
  own.state = SlotState::Done;
  UINTR_FAILPOINT("schedule.over");
  if (own.error == Error::None) own.total = c.bytes;
  --running_schedules;
  (own.error == Error::None ? count.schedules : count.schedules_failed) += 1;
  if (traced()) trace_completion(own);
  ++done_count;
  list_append(&done, c.slot, links());
}

// ---- going on -------------------------------------------------------------------

// Carries on what can go on, within this run's budget. `first`: in this run; then
// something is done whatever the budget, so transfers alone do not use it all up.
void Core::advance_schedules(Effort effort, bool first) {
  if (first && budget < kMinSlice && !ready.empty()) budget = kMinSlice;
  while (!ready.empty() && budget != 0) {
    uint32_t i = ready.head - 1;
    list_remove(&ready, i, links());
    Schedule& c = *slots[i].collective;
    UINTR_FAILPOINT("schedule.going_on");
    c.queued = false;
    c.running = true;
    bool through = go_on(c, effort);
    c.running = false;
    if (!through) make_ready(c);
  }
}

// False: it could go on at once, but for the budget.
bool Core::go_on(Schedule& c, Effort effort) {
  const Slot& own = slots[c.slot];
  c.starved = false;
  while (own.error == Error::None && c.next != c.count) {
    if (budget == 0) return false;
    const ScheduleStep& step = c.steps[c.next];
    switch (step.kind) {
      case Kind::End:
        if (c.pending != 0) return true;
        break;
      case Kind::Copy:
      case Kind::Reduce:
        if (!local_step(c, step)) return false;
        break;
      case Kind::Send:
      case Kind::Receive:
        if (c.idle.empty()) {
          c.starved = true;
          return true;
        }
        message_step(c, step, effort);
        break;
    }
    charge(kStepCharge);
    if (effort == Effort::Handler) ++count.steps_in_handler;
    c.moved += step.length;
    ++c.next;
    UINTR_FAILPOINT("schedule.step");
  }
  if (own.error != Error::None) take_back_parts(c);
  if (c.pending == 0) complete(c);
  return true;
}

// False: the budget has ended first.
bool Core::local_step(Schedule& c, const ScheduleStep& step) {
  if (step.kind == Kind::Copy && step.to == step.from) return true;
  while (c.done != step.length) {
    if (budget == 0) return false;
    uint64_t left = step.length - c.done;
    if (left > kMaxPiece) left = kMaxPiece;
    uint64_t n;
    if (step.kind == Kind::Copy) {
      n = copy_piece(step, c.done, left < budget ? left : budget);
      charge(n);
    } else {
      // Two operands to read, and arithmetic: about twice a copy's time.
      uint32_t element = reduction_bytes(step.reduction);
      n = left < budget / 2 ? left : budget / 2;
      n -= n % element;
      if (n == 0) n = element;
      ports.reduce(step.reduction, step.to + c.done, step.from + c.done, n / element);
      charge(2 * n);
    }
    c.done += n;
  }
  c.done = 0;
  return true;
}

// Copies up to `most` bytes behind the first `done`, and returns how many. Where the
// ends overlap, pieces go in the order and size in which none overwrites what a
// later one reads.
uint64_t Core::copy_piece(const ScheduleStep& step, uint64_t done, uint64_t most) {
  auto to = reinterpret_cast<uint64_t>(step.to), from = reinterpret_cast<uint64_t>(step.from);
  uint64_t apart = to < from ? from - to : to - from;
  uint64_t n = most < apart ? most : apart;
  uint64_t at = to < from || apart >= step.length ? done : step.length - done - n;
  copy_bytes(step.to + at, step.from + at, n);
  return n;
}

void Core::message_step(Schedule& c, const ScheduleStep& step, Effort effort) {
  if (step.kind == Kind::Receive) {
    Slot& s = take_part(c, step);
    s.flags = kReceive;
    s.buffer = step.to;
    return post_part(s, effort);
  }
  Error error;
  Cause cause;
  if (!can_send_to(step.peer, &error, &cause)) return fail_schedule(c, error, cause, step.peer, c.next, 0);
  // The receiver's next round waits for it, so it needs the receiver's CPU as an
  // envelope does: if a receive is posted, and otherwise what posts one looks.
  if (send_eagerly({step.peer, c.context, c.tag, step.from, step.length, false}, Need::Match))
    return charge(step.length);
  Slot& s = take_part(c, step);
  s.buffer = const_cast<unsigned char*>(step.from);
  queue_send(s);
  flush_sends(step.peer, effort);
}

// Posts a receive of a schedule, or lets it meet what is here already.
void Core::post_part(Slot& s, Effort effort) {
  if (s.buffer >= heap && s.buffer < heap + layout.g.heap_bytes) s.heap_offset = static_cast<uint64_t>(s.buffer - heap);
  uint32_t entry = claim_unexpected(find_unexpected(s.context, s.peer, s.tag), s.context, s.peer, s.tag);
  if (entry != kNone) {
    // What is copied from here is copied at once.
    if (const Unexpected& u = unexpected.at(entry); u.eager) charge(u.length < s.length ? u.length : s.length);
    return receive_entry(s, entry, effort);
  }
  const Partner& p = peers[s.peer];
  s.state = SlotState::Posted;
  if (p.gone) return finish(s, p.faulty ? Error::Protocol : Error::PeerExited, p.cause);
  post(index(s));
  posted_parts = true;
}

// What is ready and was not carried on needs a run of its own. Where a sender was
// stopped between its two steps, the interrupt is lost: then whoever waits for
// this rank interrupts it without looking at ON (kick).
void Core::come_back() {
  if (!interrupts || (state != Attention::Computing && state != Attention::Sleeping)) return;
  if (traced()) trace_interrupt(rank);
  ports.interrupt(ports.self, rank, false);
}

// It may copy and combine for long.
Posted Engine::post_schedule(Schedule* schedule) {
  Core* c = core(this);
  Inside inside(c);
  c->say_inside();
  return c->post_schedule_now(*schedule);
}

}  // namespace uintr
