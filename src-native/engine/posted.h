// Posted receives, matched as MPI has it: the earliest posted one that fits.
//
// Each receive hangs in one hash chain, by its exact (context, source, tag),
// where a wildcard is a value like any other. An arrival can fit four keys
// (source and tag each exact or wild); it looks up those kinds that exist at
// all and takes the earliest hit: O(1) expected, wildcards included.
#pragma once

#include "engine/slots.h"

namespace uintr {

inline uint32_t match_hash(uint32_t context, uint32_t source, uint32_t tag) {
  uint64_t h = uint64_t{context} * 0xff51afd7ed558ccdull ^ (uint64_t{source} << 32) ^ tag;
  h *= 0x9e3779b97f4a7c15ull;
  return static_cast<uint32_t>(h >> 32);
}

class PostedQueue {
 public:
  void attach(List* chains, uint32_t count, Slot* slots) { chains_ = chains, mask_ = count - 1, slots_ = slots; }

  void append(uint32_t i) {
    Slot& s = slots_[i];
    s.stamp = ++stamp_;
    list_append(chain(s), i, links());
    ++kinds_[kind(s)];
    ++like(s);
    ++count_;
    patient_ += s.patient;
  }

  void remove(uint32_t i) {
    Slot& s = slots_[i];
    list_remove(chain(s), i, links());
    --kinds_[kind(s)];
    --like(s);
    --count_;
    patient_ -= s.patient;
  }

  // The earliest receive that fits the message, or kNone. Does not remove it.
  uint32_t find(uint32_t context, uint32_t source, uint32_t tag) const {
    uint32_t best = kNone;
    for (uint32_t k = 0; k < 4; ++k) {
      if (kinds_[k] == 0) continue;
      uint32_t s = (k & 1) != 0 ? kAnySource : source;
      uint32_t t = (k & 2) != 0 ? kAnyTag : tag;
      uint32_t i = first(context, s, t);
      if (i != kNone && (best == kNone || slots_[i].stamp < slots_[best].stamp)) best = i;
    }
    return best;
  }

  // Is this receive, from one source, the earliest for every message that fits it?
  // False also where that takes too long to find out.
  bool is_first(uint32_t i) const {
    const Slot& s = slots_[i];
    if (s.tag != kAnyTag) return find(s.context, s.peer, s.tag) == i;
    return from_any_[s.context % kCounters] == 0 && from_one_[match_hash(s.context, s.peer, 0) % kCounters] == 1;
  }

  uint32_t count() const { return count_; }
  // Of these, those for whose message the rank is to be interrupted.
  uint32_t pressing() const { return count_ - patient_; }

 private:
  static uint32_t kind(const Slot& s) { return (s.peer == kAnySource ? 1u : 0u) | (s.tag == kAnyTag ? 2u : 0u); }
  List* chain(const Slot& s) { return &chains_[match_hash(s.context, s.peer, s.tag) & mask_]; }
  LinksOf<Slot, &Slot::links> links() const { return {slots_}; }
  // How many receives of its context and source there are, together with those that share the counter.
  uint32_t& like(const Slot& s) {
    return s.peer == kAnySource ? from_any_[s.context % kCounters]
                                : from_one_[match_hash(s.context, s.peer, 0) % kCounters];
  }
  uint32_t first(uint32_t context, uint32_t source, uint32_t tag) const {
    for (uint32_t l = chains_[match_hash(context, source, tag) & mask_].head; l != 0; l = slots_[l - 1].links.next) {
      const Slot& s = slots_[l - 1];
      if (s.context == context && s.peer == source && s.tag == tag) return l - 1;
    }
    return kNone;
  }

  List* chains_;
  Slot* slots_;
  uint64_t stamp_;
  uint32_t mask_;
  uint32_t count_, patient_;
  uint32_t kinds_[4];
  static constexpr uint32_t kCounters = 256;
  uint32_t from_any_[kCounters], from_one_[kCounters];
};

}  // namespace uintr
