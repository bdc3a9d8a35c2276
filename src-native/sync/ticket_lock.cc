#include "sync/ticket_lock.h"

#include "sync/patience.h"

namespace uintr::sync {
namespace {

enum State : uint64_t {
  Nothing = 0,
  Drawing = 1,  // and has a number, or not yet
  Drawn = 2,    // waits, or owns the lock
  GivenUp = 3,  // whoever comes may pass over the number
};

constexpr uint32_t kLifeMask = (1u << 30) - 1;

constexpr Claim claim(Owner owner, State state, uint32_t number = 0) {
  return uint64_t{life_of(owner) & kLifeMask} << 34 | state << 32 | number;
}
constexpr State state_of(Claim claim) { return static_cast<State>(claim >> 32 & 3); }
constexpr uint32_t number_of(Claim claim) { return static_cast<uint32_t>(claim); }

constexpr uint64_t kLost = uint64_t{1} << 32;
constexpr uint32_t number_in(uint64_t serving) { return static_cast<uint32_t>(serving); }
constexpr uint64_t after(uint64_t serving) { return (serving & kLost) | (number_in(serving) + 1); }

}  // namespace

Attempt TicketLock::taken() {
  const uint64_t serving = words_->serving.relaxed();
  words_->holder.set(this_holder());
  words_->entered.release(number_in(serving) + 1);
  // Before anything that the lock guards. The processor keeps the order of stores, and whoever asks does so when this
  // thread has died, after all of them.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return (serving & kLost) == 0 ? Attempt::Acquired : Attempt::Inconsistent;
}

bool TicketLock::owns(Owner me) const {
  // With what its predecessor wrote: it may pass the lock on without ever having taken it.
  return claim_of(me).relaxed() == claim(me, Drawn, number_in(words_->serving.acquire()));
}

// Or did its claimant die, in whichever way, while it waited? Then what the lock guards is as it was.
bool TicketLock::had_entered(uint32_t number) const { return words_->entered.acquire() == number + 1; }

// Of a number's owner that has died, while that is served: later on another one may have it.
void TicketLock::tell(uint64_t serving, Holder dead) {
  if (words_->serving.load_sc() == serving) words_->dead.set(dead);
}

// Before a seat's new life writes over what the last one has left: nobody could tell any more that it owned the lock.
void TicketLock::bury(Claim left) {
  uint64_t serving = words_->serving.load_sc();
  if (state_of(left) != Drawn || number_of(left) != number_in(serving) || !had_entered(number_in(serving))) return;
  tell(serving, words_->holder.get());
  words_->serving.cas_sc(&serving, after(serving) | kLost);
}

// The place that it has in the queue, though it was given up, or a new one.
uint32_t TicketLock::draw(Owner me) {
  Shared<Claim>& mine = claim_of(me);
  Claim seen = mine.load_sc();
  const uint32_t old = number_of(seen);
  if (seen == claim(me, Drawn, old)) return old;
  if (seen == claim(me, GivenUp, old) && mine.cas_sc(&seen, claim(me, Drawn, old))) return old;
  bury(seen);
  // SYNC POINT: claim. First the word that a number is being drawn, then the number, then the claim to it: who finds no
  // claim to a number, and nobody alive who is drawing, knows that nobody will ever come for it.
  mine.exchange_sc(claim(me, Drawing));
  const uint32_t number = words_->next.add_sc(1);
  mine.release(claim(me, Drawn, number));
  return number;
}

bool TicketLock::try_next(Owner me) {
  Shared<Claim>& mine = claim_of(me);
  uint32_t number = number_in(words_->serving.load_sc());
  Claim seen = claim(me, GivenUp, number);
  if (mine.cas_sc(&seen, claim(me, Drawn, number))) return true;
  // It still has a place, which is not the first.
  if (seen == claim(me, GivenUp, number_of(seen)) || seen == claim(me, Drawn, number_of(seen))) return false;
  if (words_->next.relaxed() != number) return false;
  bury(seen);
  // SYNC POINT: claim. The number is only drawn where it is served at once.
  mine.exchange_sc(claim(me, Drawing));
  const bool is_drawn = words_->next.cas_sc(&number, number + 1);
  mine.release(is_drawn ? claim(me, Drawn, number) : 0);
  return is_drawn;
}

// Its number is served: it has the lock, or has not noticed yet, because it did not come back for what it waited for.
Attempt TicketLock::served() {
  return had_entered(number_in(words_->serving.acquire())) ? Attempt::Deadlock : taken();
}

Attempt TicketLock::try_lock(Owner me) {
  if (owns(me)) return served();
  if (try_next(me)) return taken();
  pass_over_all();
  return try_next(me) ? taken() : Attempt::Waiting;
}

Attempt TicketLock::lock(Owner me, uint64_t ns, bool first) {
  if (first && owns(me)) return served();
  const uint32_t number = draw(me);
  Patience patience(ns);
  uint32_t served = number - 1;
  do {
    const uint32_t serving = number_in(words_->serving.acquire());
    if (serving == number) return taken();
    if (serving != served) {
      // It goes on; patience is for who is served now. The wait as a whole has its end all the same.
      served = serving;
    } else if (patience.suspects()) {
      pass_over_all();
    }
  } while (patience.pause());
  // However short its waits are, it finds out about the dead.
  pass_over_all();
  return number_in(words_->serving.acquire()) == number ? taken() : Attempt::Waiting;
}

// Serves the next number, if nobody will come for this one.
bool TicketLock::pass_over() {
  uint64_t serving = words_->serving.load_sc();
  const uint32_t number = number_in(serving);
  // The lock is free. Otherwise the number was drawn before this, and so the claim was made.
  if (words_->next.load_sc() == number) return false;
  bool entered = false;
  Holder dead{};
  for (uint32_t seat = 0; seat < kSeats; ++seat) {
    Shared<Claim>& word = words_->claims[seat];
    // SYNC POINT: claim.
    Claim seen = word.load_sc();
    const State state = state_of(seen);
    if (state == Nothing || (state != Drawing && number_of(seen) != number)) continue;
    if (state == GivenUp) {
      // By compare-and-swap: the claimant may want its place back.
      if (!word.cas_sc(&seen, 0)) return false;
    } else if (region_->is_alive(seat, static_cast<uint32_t>(seen >> 34), kLifeMask) || word.load_sc() != seen) {
      // What one who has died left is known only once that is: it may have got its number and entered in between.
      return false;
    } else if (state == Drawn) {
      // The claim stays: another who comes to pass over the number finds the same, and only one of them does it.
      entered = had_entered(number);
      dead = words_->holder.get();
    }
  }
  if (entered) tell(serving, dead);
  // It fails where the number's owner was there after all, and has unlocked: then what was found of its claim was old.
  return words_->serving.cas_sc(&serving, after(serving) | (entered ? kLost : 0));
}

// No more than that at once: where the words are garbage, there may be 2^32 of them.
void TicketLock::pass_over_all() {
  for (int i = 0; i < 64 && pass_over(); ++i) continue;
}

void TicketLock::give_up(Owner me) {
  // Its turn has come meanwhile. Others need not find out that it is not there.
  if (unlock(me)) return;
  Shared<Claim>& mine = claim_of(me);
  const uint32_t number = number_of(mine.relaxed());
  Claim seen = claim(me, Drawn, number);
  mine.cas_sc(&seen, claim(me, GivenUp, number));
}

bool TicketLock::unlock(Owner me) {
  if (!owns(me)) return false;
  // In this order: a number that is served and that nobody claims would be passed over. Nobody else changes the word while
  // its owner is alive, so a plain store will do, with what was written before it.
  words_->serving.release(after(words_->serving.relaxed()));
  claim_of(me).release(0);
  return true;
}

void TicketLock::make_consistent() { words_->serving.and_sc(~kLost); }

Owner TicketLock::owner() const {
  const uint32_t serving = number_in(words_->serving.load_sc());
  if (serving == words_->next.load_sc()) return kNobody;
  for (uint32_t seat = 0; seat < kSeats; ++seat) {
    const Claim seen = words_->claims[seat].load_sc();
    if (state_of(seen) == Drawn && number_of(seen) == serving) return owner_of(seat, static_cast<uint32_t>(seen >> 34));
  }
  return kNobody;
}

}  // namespace uintr::sync
