// A ticket spinlock, the fair variant (the kernel's on x86 before 4.2): each waiter draws a number, and they are served in
// that order. So between a thread's draw and its turn every other gets the lock once at most.
//
// What fairness costs: the next in turn may be preempted, and then all others wait for it although the lock is free. And
// numbers alone would not survive a waiter's death. So everybody notes its number in a claim of its own, and who has
// waited for long looks whether the number that is being served has a claimant who is there, and passes over it if not.
#pragma once

#include "sync/lock.h"

namespace uintr::sync {

// {life: 30, state: 2, number: 32}; 0: the seat wants nothing of this lock.
using Claim = uint64_t;

struct alignas(kLine) TicketLockWords {
  Shared<uint32_t> next;  // number to be drawn
  Consistency consistency;
  HolderWord holder;
  alignas(kLine) Shared<uint32_t> serving;  // apart from `next`: all waiters look at it
  alignas(kLine) Shared<Claim> claims[kSeats];
};

class TicketLock {
 public:
  TicketLock(Region* region, TicketLockWords* words) : region_(region), words_(words) {}

  Attempt try_lock(Owner me);
  // For at most `ns`, and kSliceNs. Not yet: `me` keeps its place, and calls again with `first` false, or gives it up.
  Attempt lock(Owner me, uint64_t ns, bool first);
  void give_up(Owner me);
  bool unlock(Owner me);
  void make_consistent() { words_->consistency.regained(); }

  Owner owner() const;
  Holder holder() const { return words_->holder.get(); }
  // Who has died with it last, as it was when it got it.
  Holder dead() const { return words_->consistency.dead(); }

 private:
  Attempt taken();
  uint32_t draw(Owner me);
  void pass_over(uint32_t number);
  Shared<Claim>& claim_of(Owner owner) const { return words_->claims[seat_of(owner)]; }
  bool owns(Owner me) const;

  Region* region_;
  TicketLockWords* words_;
};

}  // namespace uintr::sync
