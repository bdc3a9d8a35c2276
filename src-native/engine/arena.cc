#include "engine/arena.h"

namespace uintr {

namespace {
uint32_t order_for(uint64_t units) {  // smallest order that holds them
  return units <= 1 ? 0 : 64 - static_cast<uint32_t>(__builtin_clzll(units - 1));
}
}  // namespace

void Arena::insert(uint32_t unit, uint32_t order) {
  units_[unit].free = order + 1;
  list_append(&free_[order], unit, links());
  nonempty_ |= 1u << order;
}

void Arena::unlink(uint32_t unit, uint32_t order) {
  units_[unit].free = 0;
  list_remove(&free_[order], unit, links());
  if (free_[order].empty()) nonempty_ &= ~(1u << order);
}

// Inserts a free block, joined with its buddy for as long as that is free too.
void Arena::merge_in(uint32_t unit, uint32_t order) {
  while (order + 1 < kOrders) {
    uint32_t buddy = unit ^ (1u << order);
    if (uint64_t{buddy} + (1ull << order) > committed_ || units_[buddy].free != order + 1) break;
    unlink(buddy, order);
    unit &= ~(1u << order);
    ++order;
  }
  insert(unit, order);
}

// Frees [unit, unit + count) as the aligned blocks it consists of.
void Arena::release_run(uint32_t unit, uint32_t count) {
  while (count != 0) {
    uint32_t order = unit == 0 ? kOrders - 1 : static_cast<uint32_t>(__builtin_ctz(unit));
    while ((1ull << order) > count) --order;
    merge_in(unit, order);
    unit += 1u << order;
    count -= 1u << order;
  }
}

bool Arena::has(uint64_t bytes) const { return (nonempty_ >> order_for(units_for(bytes))) != 0; }

uint64_t Arena::take(uint64_t bytes) {
  uint64_t n = units_for(bytes);
  if (n == 0 || n > committed_) return kNoHeap;
  uint32_t order = order_for(n);
  if (order >= kOrders) return kNoHeap;
  uint32_t fitting = nonempty_ & ~((1u << order) - 1);
  if (fitting == 0) return kNoHeap;
  uint32_t from = static_cast<uint32_t>(__builtin_ctz(fitting));
  uint32_t unit = free_[from].head - 1;
  unlink(unit, from);
  units_[unit].run = static_cast<uint32_t>(n);
  release_run(unit + static_cast<uint32_t>(n), (1u << from) - static_cast<uint32_t>(n));
  return uint64_t{unit} * kUnitBytes;
}

void Arena::give(uint64_t offset) {
  uint32_t unit = static_cast<uint32_t>(offset / kUnitBytes);
  if (unit >= limit_ || units_[unit].run == 0) return;
  uint32_t n = units_[unit].run;
  units_[unit].run = 0;
  release_run(unit, n);
}

void Arena::grow(uint64_t to) {
  uint32_t end = static_cast<uint32_t>(to / kUnitBytes);
  if (end > limit_) end = limit_;
  if (end <= committed_) return;
  uint32_t from = committed_;
  committed_ = end;
  release_run(from, end - from);
}

uint64_t Arena::fresh_end(uint64_t bytes) const {
  uint64_t n = units_for(bytes);
  return n == 0 || n > limit_ - committed_ ? 0 : (committed_ + n) * kUnitBytes;
}

uint64_t Arena::take_fresh(uint64_t bytes) {
  uint32_t unit = committed_;
  units_[unit].run = static_cast<uint32_t>(units_for(bytes));
  committed_ += units_[unit].run;
  return uint64_t{unit} * kUnitBytes;
}

uint64_t Arena::find_run(uint64_t bytes) const {
  uint64_t n = units_for(bytes);
  if (n == 0) return kNoHeap;
  uint32_t start = 0;
  for (uint32_t at = 0; at < committed_;) {
    if (units_[at].run != 0) {
      at += units_[at].run;
      start = at;
    } else {
      at += 1u << (units_[at].free - 1);
      if (at - start >= n) return uint64_t{start} * kUnitBytes;
    }
  }
  return limit_ - start >= n ? uint64_t{start} * kUnitBytes : kNoHeap;
}

void Arena::take_run(uint64_t offset, uint64_t bytes) {
  uint32_t start = static_cast<uint32_t>(offset / kUnitBytes);
  uint32_t end = start + static_cast<uint32_t>(units_for(bytes));
  uint32_t at = start;
  while (at < end && at < committed_) {
    uint32_t order = units_[at].free - 1;
    unlink(at, order);
    at += 1u << order;
  }
  if (end > committed_) committed_ = end;
  units_[start].run = end - start;
  if (at > end) release_run(end, at - end);
}

}  // namespace uintr
