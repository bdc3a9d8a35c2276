// Messages that arrived before a receive for them was posted.
//
// An eager one is kept in blocks of the pool of its source; the sender holds
// credit for those blocks, so there is always room. A rendezvous costs one stub
// (its data stay with the sender), indexed by (source, the sender's slot), so
// room for it exists as well. Hence nothing here can fail for an honest peer.
//
// Every entry hangs in a hash chain by its exact (context, source, tag), which
// an exact receive looks up in O(1) expected, and in one list in order of
// arrival, which a wildcard walks.
#pragma once

#include "engine/claim.h"
#include "engine/posted.h"

namespace uintr {

struct Unexpected {
  Links chain;
  Links order;
  uint32_t source, tag;
  uint32_t context;
  bool queued;
  bool eager;
  bool lend;       // a rendezvous that may be lent
  uint64_t stamp;  // order of arrival
  uint64_t length;
  // Eager: blocks follow one another by `next_block`, starting at the entry's own index.
  uint32_t next_block;  // index + 1; also links the pool's free blocks
  // Rendezvous.
  uint32_t slot, generation;
  uint64_t address, heap_offset;
};

class UnexpectedQueue {
 public:
  void attach(List* chains, uint32_t count, Unexpected* entries, unsigned char* blocks, const Geometry& g) {
    chains_ = chains, mask_ = count - 1, entries_ = entries, blocks_ = blocks;
    credit_ = g.credit_blocks, requests_ = g.max_requests, size_ = g.size;
  }

  static uint64_t entries_needed(const Geometry& g) { return uint64_t{g.size} * (uint64_t{g.credit_blocks} + g.max_requests); }

  static uint32_t blocks_for(uint64_t length) {
    return length == 0 ? 1 : static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes);
  }

  Unexpected& at(uint32_t e) { return entries_[e]; }
  const Unexpected& at(uint32_t e) const { return entries_[e]; }

  // The stub for a rendezvous of `slot` of `source`.
  uint32_t stub(uint32_t source, uint32_t slot) const { return size_ * credit_ + source * requests_ + slot; }

  // Takes blocks for an eager message: the index of the first, or kNone if the
  // sender has overdrawn its credit.
  struct Pool {
    uint32_t free;     // index + 1
    uint32_t touched;  // blocks ever used: the rest of the pool is not backed by memory yet
  };
  uint32_t take_blocks(Pool* pool, uint32_t source, uint32_t n) {
    uint32_t first = kNone, last = kNone;
    for (uint32_t i = 0; i < n; ++i) {
      uint32_t b;
      if (pool->free != 0) {
        b = pool->free - 1;
        pool->free = entries_[b].next_block;
      } else if (pool->touched < credit_) {
        b = source * credit_ + pool->touched++;
      } else {
        if (first != kNone) give_blocks(pool, first);
        return kNone;
      }
      entries_[b].next_block = 0;
      if (first == kNone) first = b;
      if (last != kNone) entries_[last].next_block = b + 1;
      last = b;
    }
    return first;
  }
  void give_blocks(Pool* pool, uint32_t first) {
    uint32_t last = first;
    while (entries_[last].next_block != 0) last = entries_[last].next_block - 1;
    entries_[last].next_block = pool->free;
    pool->free = first + 1;
  }
  // In use by messages, matched or not.
  uint32_t blocks_taken(const Pool& pool) const {
    uint32_t n = pool.touched;
    for (uint32_t l = pool.free; l != 0; l = entries_[l - 1].next_block) --n;
    return n;
  }
  unsigned char* block(uint32_t b) { return blocks_ + uint64_t{b} * kBlockBytes; }

  uint64_t next_stamp() { return ++stamp_; }

  void append(uint32_t e) { insert(e, 0, 0); }
  // What was removed is there again, and as old as it was.
  void put_back(uint32_t e) {
    const Unexpected& u = entries_[e];
    insert(e, later_than(u.stamp, chain(u)->head, chain_links()), later_than(u.stamp, order_.head, order_links()));
  }
  void remove(uint32_t e) {
    Unexpected& u = entries_[e];
    u.queued = false;
    list_remove(chain(u), e, chain_links());
    list_remove(&order_, e, order_links());
    --counts_[u.eager ? 0 : 1];
  }

  // The earliest entry that fits and that `alive` accepts; one that it refuses
  // (a rendezvous that was withdrawn) is removed on the way. kNone: none.
  template <class Alive>
  uint32_t find(uint32_t context, uint32_t source, uint32_t tag, Alive alive) {
    bool exact = source != kAnySource && tag != kAnyTag;
    uint32_t l = exact ? chains_[match_hash(context, source, tag) & mask_].head : order_.head;
    while (l != 0) {
      uint32_t e = l - 1;
      Unexpected& u = entries_[e];
      l = exact ? u.chain.next : u.order.next;
      if (u.context != context || (source != kAnySource && u.source != source) || (tag != kAnyTag && u.tag != tag)) continue;
      if (alive(u)) return e;
      remove(e);
    }
    return kNone;
  }

  // Calls `f(entry index)` for every entry in order of arrival; f may remove it.
  template <class F>
  void each(F f) {
    for (uint32_t l = order_.head; l != 0;) {
      uint32_t e = l - 1;
      l = entries_[e].order.next;
      f(e);
    }
  }

  uint32_t eager_count() const { return counts_[0]; }
  uint32_t rendezvous_count() const { return counts_[1]; }

 private:
  // `in_chain`, `in_order`: what it comes before, as of list_insert.
  void insert(uint32_t e, uint32_t in_chain, uint32_t in_order) {
    Unexpected& u = entries_[e];
    u.queued = true;
    list_insert(chain(u), e, in_chain, chain_links());
    list_insert(&order_, e, in_order, order_links());
    ++counts_[u.eager ? 0 : 1];
  }
  // From `l` on, the first that arrived after `stamp`.
  template <class F>
  uint32_t later_than(uint64_t stamp, uint32_t l, F links) const {
    while (l != 0 && entries_[l - 1].stamp < stamp) l = links(l - 1).next;
    return l;
  }
  List* chain(const Unexpected& u) { return &chains_[match_hash(u.context, u.source, u.tag) & mask_]; }
  LinksOf<Unexpected, &Unexpected::chain> chain_links() const { return {entries_}; }
  LinksOf<Unexpected, &Unexpected::order> order_links() const { return {entries_}; }

  List* chains_;
  Unexpected* entries_;
  unsigned char* blocks_;
  List order_;
  uint64_t stamp_;
  uint32_t mask_;
  uint32_t credit_, requests_, size_;
  uint32_t counts_[2];
};

}  // namespace uintr
