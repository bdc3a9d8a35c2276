#include "sync/ticket_lock.h"

#include "sync/patience.h"

namespace uintr::sync {
namespace {

enum State : uint64_t {
  Drawing = 1,    // and has a number, or not yet
  Drawn = 2,      // waits, or owns the lock
  GivenUp = 3,    // whoever comes may pass over the number
};

constexpr uint32_t kLifeMask = (1u << 30) - 1;

constexpr Claim claim(Owner owner, State state, uint32_t number = 0) {
  return uint64_t{life_of(owner) & kLifeMask} << 34 | state << 32 | number;
}
constexpr State state_of(Claim claim) { return static_cast<State>(claim >> 32 & 3); }
constexpr uint32_t number_of(Claim claim) { return static_cast<uint32_t>(claim); }

}  // namespace

Attempt TicketLock::taken() {
  words_->holder.set(this_holder());
  return words_->consistency.acquired();
}

bool TicketLock::owns(Owner me) const {
  return claim_of(me).relaxed() == claim(me, Drawn, words_->serving.relaxed());
}

// The place that it has in the queue, though it was given up, or a new one.
uint32_t TicketLock::draw(Owner me) {
  Shared<Claim>& mine = claim_of(me);
  const uint32_t old = number_of(mine.relaxed());
  Claim seen = claim(me, GivenUp, old);
  if (mine.relaxed() == claim(me, Drawn, old) || mine.cas_sc(&seen, claim(me, Drawn, old))) return old;
  // SYNC POINT: claim. First the word that a number is being drawn, then the number, then the claim to it: who finds no
  // claim to a number, and nobody alive who is drawing, knows that nobody will ever come for it.
  mine.exchange_sc(claim(me, Drawing));
  const uint32_t number = words_->next.add_sc(1);
  mine.release(claim(me, Drawn, number));
  return number;
}

Attempt TicketLock::try_lock(Owner me) {
  if (owns(me)) return Attempt::Deadlock;
  Shared<Claim>& mine = claim_of(me);
  uint32_t serving = words_->serving.load_sc();
  Claim seen = claim(me, GivenUp, serving);
  if (mine.cas_sc(&seen, claim(me, Drawn, serving))) return taken();
  // It still has a place, which is not the first.
  if (seen == claim(me, GivenUp, number_of(seen)) || seen == claim(me, Drawn, number_of(seen))) return Attempt::Waiting;
  // SYNC POINT: claim. The number is only drawn where it is served at once.
  mine.exchange_sc(claim(me, Drawing));
  if (words_->next.cas_sc(&serving, serving + 1)) {
    mine.release(claim(me, Drawn, serving));
    return taken();
  }
  mine.release(0);
  return Attempt::Waiting;
}

Attempt TicketLock::lock(Owner me, uint64_t ns, bool first) {
  if (first && owns(me)) return Attempt::Deadlock;
  const uint32_t number = first ? draw(me) : number_of(claim_of(me).relaxed());
  Patience patience(ns);
  for (uint32_t served = number - 1;;) {
    const uint32_t serving = words_->serving.acquire();
    if (serving == number) return taken();
    if (serving != served) {
      // It goes on; patience is for who is served now. The wait as a whole has its end all the same.
      served = serving;
    } else if (patience.suspects()) {
      pass_over(serving);
    }
    if (!patience.pause()) return Attempt::Waiting;
  }
}

// Serves the next one, if whoever had that number will not come.
void TicketLock::pass_over(uint32_t number) {
  bool entered = true;
  for (uint32_t seat = 0; seat < kSeats && entered; ++seat) {
    Shared<Claim>& word = words_->claims[seat];
    Claim seen = word.load_sc();
    const State state = state_of(seen);
    if (seen == 0 || (state != Drawing && number_of(seen) != number)) continue;
    if (state == GivenUp) {
      entered = false;
    } else if (region_->is_alive(seat, static_cast<uint32_t>(seen >> 34), kLifeMask)) {
      // SYNC POINT: claim.
      return;
    }
    // By compare-and-swap: the claimant may want its place back, or be the seat's next life by now.
    if (!word.cas_sc(&seen, 0)) return;
  }
  // Whether one who has died had entered, nobody can tell; nor whose number it was, if the seat's next life has taken
  // the claim's place. So it counts as entered.
  if (entered) words_->consistency.lost(words_->holder.get());
  words_->serving.cas_sc(&number, number + 1);
}

void TicketLock::give_up(Owner me) {
  Shared<Claim>& mine = claim_of(me);
  Claim seen = mine.relaxed();
  if (state_of(seen) != Drawn) return;
  mine.cas_sc(&seen, claim(me, GivenUp, number_of(seen)));
}

bool TicketLock::unlock(Owner me) {
  if (!owns(me)) return false;
  const uint32_t number = words_->serving.relaxed();
  // In this order: a number that is served and that nobody claims would be passed over.
  words_->serving.release(number + 1);
  claim_of(me).release(0);
  return true;
}

Owner TicketLock::owner() const {
  const uint32_t serving = words_->serving.load_sc();
  if (serving == words_->next.load_sc()) return kNobody;
  for (uint32_t seat = 0; seat < kSeats; ++seat) {
    const Claim seen = words_->claims[seat].load_sc();
    if (state_of(seen) == Drawn && number_of(seen) == serving) return owner_of(seat, static_cast<uint32_t>(seen >> 34));
  }
  return kNobody;
}

}  // namespace uintr::sync
