// A ticket spinlock, the fair variant (the kernel's on x86 before 4.2): each waiter draws a number, and they are served in
// that order. So between a thread's draw and its turn every other gets the lock once at most.
//
// What fairness costs: the next in turn may be preempted, and then all others wait for it although the lock is free. And
// numbers alone would not survive a waiter's death. So everybody notes its number in a claim of its own, and who does not
// get the lock looks whether the number that is being served has a claimant who is there, and passes over it if not.
#pragma once

#include "sync/lock.h"

namespace uintr::sync {

// {life: 30, state: 2, number: 32}; 0: the seat wants nothing of this lock.
using Claim = uint64_t;

struct alignas(kLine) TicketLockWords {
  Shared<uint32_t> next;  // number to be drawn
  HolderWord holder, dead;   // dead: who had the lock last that died with it
  Shared<uint32_t> entered;  // the number of who has taken the lock last, and 1
  // {unused: 31, an owner has died: 1, number: 32}, in one word: who passes over a number tells both at once, or nothing.
  // Apart from `next`: all waiters look at it.
  alignas(kLine) Shared<uint64_t> serving;
  alignas(kLine) Shared<Claim> claims[kSeats];
};

class TicketLock {
 public:
  TicketLock(Region* region, TicketLockWords* words) : region_(region), words_(words) {}

  Attempt try_lock(Owner me);
  // For at most `ns`, and kSliceNs. Not yet: `me` keeps its place, and calls again with `first` false, or gives it up. Its
  // turn may come in between; only the next call tells it.
  Attempt lock(Owner me, uint64_t ns, bool first);
  void give_up(Owner me);
  bool unlock(Owner me);
  void make_consistent();

  Owner owner() const;
  Holder holder() const { return words_->holder.get(); }
  // Who has died with it last, as it was when it got it.
  Holder dead() const { return words_->dead.get(); }

 private:
  Attempt taken();
  Attempt served();
  bool had_entered(uint32_t number) const;
  void tell(uint64_t serving, Holder dead);
  bool try_next(Owner me);
  uint32_t draw(Owner me);
  void bury(Claim claim);
  bool pass_over();
  void pass_over_all();
  Shared<Claim>& claim_of(Owner owner) const { return words_->claims[seat_of(owner)]; }
  bool owns(Owner me) const;

  Region* region_;
  TicketLockWords* words_;
};

}  // namespace uintr::sync
