// A rank's heap arena: a buddy allocator over the own heap segment. Only the
// owner allocates and frees, always under the soft mask; its books are private
// memory, so a peer that scribbles over the heap cannot confuse them.
//
// Taking a block is O(log n), bounded, and calls nothing, so a handler may do
// it. Blocks come only out of committed memory (memory that exists); growing
// that is a system call and therefore the thread's business.
//
// A block of n units occupies exactly n: what a power of two would waste behind
// it goes back to the free lists as smaller buddies.
#pragma once

#include "engine/list.h"
#include "engine/types.h"

namespace uintr {

constexpr uint32_t kUnitBytes = 512;
constexpr uint32_t kOrders = 32;

class Arena {
 public:
  struct Unit {
    Links links;
    uint32_t run;     // units of the allocated block that begins here
    uint32_t free;    // order + 1 of the free block that begins here, 0: none
  };

  void attach(Unit* units, uint64_t bytes) { units_ = units, limit_ = static_cast<uint32_t>(bytes / kUnitBytes); }
  static uint64_t units_for(uint64_t bytes) { return (bytes + kUnitBytes - 1) / kUnitBytes; }

  // Would take(bytes) find a block?
  bool has(uint64_t bytes) const;
  // Offset in bytes, or kNoHeap if no committed block is large enough.
  uint64_t take(uint64_t bytes);
  void give(uint64_t offset);

  // Adds [committed, to) to what may be handed out, in bytes, multiples of kUnitBytes.
  void grow(uint64_t to);
  uint64_t committed_bytes() const { return uint64_t{committed_} * kUnitBytes; }
  uint64_t limit_bytes() const { return uint64_t{limit_} * kUnitBytes; }
  // A block behind everything committed so far. Its caller has committed the
  // memory up to fresh_end(bytes), which is 0 where the arena's limit is passed.
  uint64_t fresh_end(uint64_t bytes) const;
  uint64_t take_fresh(uint64_t bytes);

  // The last resort, thread only (it walks the whole arena): the first stretch
  // of neighbouring free blocks and uncommitted memory that is long enough,
  // aligned or not. kNoHeap: there is none. Its caller commits up to the
  // stretch's end, where that lies beyond committed_bytes(), and takes it.
  uint64_t find_run(uint64_t bytes) const;
  void take_run(uint64_t offset, uint64_t bytes);

 private:
  void insert(uint32_t unit, uint32_t order);
  void unlink(uint32_t unit, uint32_t order);
  void release_run(uint32_t unit, uint32_t count);
  void merge_in(uint32_t unit, uint32_t order);
  LinksOf<Unit, &Unit::links> links() const { return {units_}; }

  Unit* units_;
  List free_[kOrders];
  uint32_t nonempty_;  // bit per order
  uint32_t limit_, committed_;
};

}  // namespace uintr
