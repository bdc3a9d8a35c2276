// What others do to ranks that keep the protocol: interrupts from elsewhere, and a third rank that writes where it can.
#include "parts.h"

namespace simulator {

using namespace uintr;

void mischief(Scenarios& add) {
  Settings foreign = signal;
  foreign.foreign_interrupts = true;
  add("foreign-eager", 2, foreign, one(kEager, Way::Wait, Way::Wait));
  add("foreign-chunks", 2, foreign, one(kSeveral, Way::Wait, Way::Compute));

  // The third rank clears the others' bits whenever it has its turn, and they get along.
  auto wiped = [](std::function<void(Rank&)> honest) {
    return [=](Rank& r) {
      if (r.rank() != 2) return honest(r);
      for (int i = 0; i < 3; ++i) {
        r.wipe_bits(1);
        r.wipe_bits(0);
        r.pause();
      }
      r.finish();
    };
  };
  auto distrustful = [&](Settings s) {
    s.trusts_bitmap = false;
    return three(s);
  };
  add("bits-wiped-wait", 1, distrustful(signal), wiped(one(kEager, Way::Wait, Way::Wait)));
  add("bits-wiped-loop", 1, distrustful(signal), wiped(one(kSeveral, Way::Loop, Way::Loop)));
  add("bits-wiped-uintr", 1, distrustful(user), wiped(one(kSeveral, Way::Wait, Way::Loop)));
  add("bits-wiped-pipeline", 1, distrustful(pipeline), wiped(one(2 * kSeveral, Way::Wait, Way::Loop)));
  add("bits-wiped-ring-full", 0, distrustful(full), wiped(fill(Way::Wait, Way::Loop)));
  // It sets the match word back while the sender cancels, or ends. Who believes it and who does not, neither touches a
  // buffer whose request is over.
  auto reopened = [](uint64_t length, bool cancels) {
    return [=](Rank& r) {
      if (r.rank() == 2) {
        r.pause();
        r.reopen(0, 0);
      } else if (r.rank() == 1) {
        r.irecv(0, length);
        r.wait_all();
      } else {
        const size_t s = r.isend(1, length, {.synchronous = true});
        r.pause();
        if (cancels) r.cancel(s);
      }
      r.abandon();
    };
  };
  auto forged = [&](Settings s) {
    s.forged = s.closing = true;
    return three(s);
  };
  add("reopened-cancel-one-chunk", 2, forged(signal), reopened(kOne, true));
  add("reopened-cancel-chunks", 1, forged(signal), reopened(kSeveral, true));
  add("reopened-abandon-one-chunk", 2, forged(signal), reopened(kOne, false));
  add("reopened-abandon-chunks", 2, forged(user), reopened(kSeveral, false));

  // The same of a receive that its sender has matched by itself: the receiver believes that it has it back. It cancels it,
  // ends, or matches it with the next message. Where the sender is not told, it goes on waiting.
  enum class Then { Cancel, Abandon, Close, Match };
  auto rematched = [](Then then) {
    return [=](Rank& r) {
      if (r.rank() == 2) {
        r.pause();
        r.reopen(1, 0);
        r.pause();
      } else if (r.rank() == 1) {
        const size_t in = r.irecv(0, kSeveral);
        if (then == Then::Cancel) r.irecv(0, kSeveral, {.tag = 2});  // not to suffer for it
        r.pause();
        r.pause();
        if (then == Then::Cancel) r.cancel(in);
        if (then == Then::Match) r.irecv(0, kEager, {.tag = 2});  // looks into the ring
        r.test();
        r.pause();
        r.test();
        r.expect_peer(0);
        if (then == Then::Close) return r.close();
      } else {
        r.pause();
        r.isend(1, kSeveral);
        r.isend(1, then == Then::Match ? kEager : kSeveral, {.tag = then == Then::Cancel ? 2u : 1u});
        r.pause();
        r.pause();
        r.test();
        r.pause();
        r.test();
        r.expect_peer(1);
      }
      r.abandon();
    };
  };
  // The receiver takes it back at the moment at which its sender does.
  auto crossed = [](Rank& r) {
    if (r.rank() == 2) {
      r.reopen(1, 0);
    } else if (r.rank() == 1) {
      const size_t in = r.irecv(0, kSeveral);
      r.pause();
      r.cancel(in);
    } else {
      r.pause();
      r.isend(1, kSeveral);
    }
    r.test();
    r.expect_peer(0);
    r.abandon();
  };
  add("crossed", 2, forged(signal), crossed);
  add("rematched-cancel", 1, forged(signal), rematched(Then::Cancel));
  add("rematched-abandon", 1, forged(signal), rematched(Then::Abandon));
  add("rematched-close", 1, forged(signal), rematched(Then::Close));
  add("rematched-match", 1, forged(user), rematched(Then::Match));
}

}  // namespace simulator
