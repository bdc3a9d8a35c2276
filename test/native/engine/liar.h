// What a rank can do to others by what it writes: nonsense at any place that is rank 0's to write. `Random` is whatever
// gives numbers: a generator, or a fuzzer's input.
#pragma once

#include "engine/claim.h"
#include "engine/match.h"
#include "engine/records.h"
#include "world.h"

namespace test {

// A world so small that a liar soon meets its ends.
inline Options narrow() {
  Options o;
  o.size = 3;
  o.max_requests = 32;
  o.ring_bytes = 4096;
  o.eager_limit = 512;
  o.credit_blocks = 8;
  return o;
}

// Wrong in a way that is likely to get far.
template <class Random>
uint64_t nonsense(Random& random, uint64_t was) {
  switch (random() % 12) {
    case 0:
      return 0;
    case 1:
      return ~0ull;
    case 2:
      return random();
    case 3:
      return was + 1;
    case 4:
      return was - 1;
    case 5:
      return was + 32 * (1 + random() % 600);
    case 6:
      return was ^ (1ull << (random() % 64));
    case 7:
      return 0x100000000ull * (random() % 3) + random() % 300;
    case 8:
      return random() % 100000;
    case 9:
      return 0x8000000000000000ull;
    case 10:
      return claim::make(static_cast<uint32_t>(random() % 4),
                         static_cast<uint32_t>(random() % 4) << 30 | static_cast<uint32_t>(random() % 40));
    default:
      return random() & 0xffffffff;
  }
}

template <class Random>
void spoil_word(Random& random, unsigned char* at, uint64_t bytes) {
  uint64_t was = 0;
  std::memcpy(&was, at, bytes);
  uint64_t now = nonsense(random, was);
  std::memcpy(at, &now, bytes);
}

// One place of what rank 0 may write. True: it was a match word, by which two others agree on something.
template <class Random>
bool spoil(Random& random, World& w) {
  Layout l = w.layout();
  unsigned char* control = w[0].control->base();
  unsigned char* world = w.world_segment();
  uint32_t peer = 1 + random() % (w.size() - 1);
  auto outbound = [&](uint64_t offset) { return control + l.outbound(peer) + offset; };
  auto inbound = [&](uint64_t offset) { return control + l.inbound(peer) + offset; };
  auto slot = [&](uint64_t offset) { return control + l.slot(random() % w.geometry.max_requests) + offset; };
  auto word = [&](unsigned char* at) { spoil_word(random, at, 8); };
  auto half = [&](unsigned char* at) { spoil_word(random, at, 4); };
  auto either = [&](unsigned char* at) { spoil_word(random, at, random() % 2 != 0 ? 4 : 8); };
  const uint64_t kind = random() % 20;
  switch (kind) {
    case 0:
      word(outbound(offsetof(Outbound, data_tail)));
      break;
    case 1:
      word(outbound(offsetof(Outbound, reply_tail)));
      break;
    case 2:
      half(outbound(offsetof(Outbound, want_data_space)));
      break;
    case 3:
      half(outbound(offsetof(Outbound, copy_kinds)));
      break;
    case 4:
      word(inbound(offsetof(Inbound, data_head)));
      break;
    case 5:
      word(inbound(offsetof(Inbound, released_blocks)));
      break;
    case 6:
      word(inbound(offsetof(Inbound, reply_head)));
      break;
    case 7:
      half(control + offsetof(ControlHeader, attention));
      break;
    case 8:
      half(control + offsetof(ControlHeader, life));
      break;
    case 9:
      word(slot(random() % 2 != 0 ? offsetof(PublicSlot, claim) : offsetof(PublicSlot, passes)));
      break;
    case 10:
      word(world + l.match_word(random() % w.size(), random() % 12));
      break;
    case 11:
      word(world + l.doorbell(peer) + offsetof(Doorbell, pending));
      break;
    case 12:  // a word of a record in the data ring
      either(control + l.data_ring(peer) + random() % (w.geometry.ring_bytes / 4) / 4 * 4);
      break;
    case 13:
    case 14:  // or in the reply ring
      either(control + l.reply_ring(peer) + random() % 1024 / 4 * 4);
      break;
    case 15:
      word(inbound(offsetof(Inbound, adverts) + random() % kAdverts * 8));
      break;
    case 16:  // what a receive that it advertises is like
      either(slot(offsetof(PublicSlot, context) + random() % 4 * 8));
      break;
    case 17:
      half(control + offsetof(ControlHeader, posted));
      break;
    case 18:
      word(world + l.doorbell(random() % w.size()) + random() % 2 * 8);
      break;
    default:  // a whole stretch
      for (uint64_t i = 0, at = random() % (l.control_bytes() - 4096); i < 64; ++i) {
        control[at + i] = static_cast<unsigned char>(random());
      }
  }
  return kind == 10;
}

// A liar that knows the protocol gets further than one who writes anything: these are a whole record, which names
// requests that there are, or an advertised receive, or a count of chunks.
template <class Random>
class Forger {
 public:
  Forger(Random& random, World& w, uint32_t peer) : random_(random), w_(w), l_(w.layout()), peer_(peer) {}

  void act() {
    switch (random_() % 7) {
      case 0: {  // a message, of which it opens the match word
        const uint32_t slot = own_slot(), generation = 1 + random_() % 3;
        match::open(match_word(0, slot), generation);
        RecordHeader h{kLongRecord, RecordType::Rts, context(), tag(), slot, generation, length()};
        RtsBody b{address(), heap_offset(), random_() % 2, 0};
        return put(data(), h, &b, sizeof b);
      }
      case 1: {
        const uint64_t n = length();
        const uint64_t bytes = record_bytes(n);
        RecordHeader h{static_cast<uint32_t>(bytes), RecordType::Eager, context(), tag(), 0, 0, n};
        return put(data(), h, nullptr, 0);
      }
      case 2: {
        const uint32_t slot = theirs();
        const uint64_t n = length();
        RecordHeader h{static_cast<uint32_t>(record_bytes(sizeof(DataBody) + n)), RecordType::Data, 0, tag(), slot,
                       generation(slot), n};
        DataBody b{random_() % 3 * 1024, {0, 0, 0}};
        return put(data(), h, &b, sizeof b);
      }
      case 3: {
        const uint32_t slot = theirs();
        RecordHeader h{kLongRecord, RecordType::Match, context(), tag(), slot, generation(slot), length()};
        static constexpr uint32_t kChunks[] = {0, 1, 4096, 32768, 65536, ~0u};
        MatchBody b{address(), heap_offset(), own_slot(), 1 + static_cast<uint32_t>(random_() % 3),
                    kChunks[random_() % 6], static_cast<How>(random_() % 4)};
        return put(reply(), h, &b, sizeof b);
      }
      case 4: {
        const uint32_t slot = theirs();
        RecordHeader h{kShortRecord, RecordType::Fin, 0, static_cast<uint32_t>(random_() % 12), slot, generation(slot),
                       random_() % 200};
        return put(reply(), h, nullptr, 0);
      }
      case 5: {  // a receive that the peer may match
        const uint32_t slot = own_slot(), generation = static_cast<uint32_t>(random_() % 3);
        auto* pub = reinterpret_cast<PublicSlot*>(w_[0].control->base() + l_.slot(slot));
        pub->context.set_relaxed(context());
        pub->tag.set_relaxed(random_() % 2 != 0 ? kAnyTag : tag());
        pub->address.set_relaxed(address());
        pub->heap_offset.set_relaxed(heap_offset());
        pub->room.set_relaxed(length());
        match::open(match_word(0, slot), generation);
        auto* in = reinterpret_cast<Inbound*>(w_[0].control->base() + l_.inbound(peer_));
        return in->adverts[random_() % kAdverts].release((uint64_t{generation} << 32) | (slot + 1));
      }
      default: {  // it has claimed more, or less, than it has, is inside, or over
        auto* pub = reinterpret_cast<PublicSlot*>(w_[0].control->base() + l_.slot(own_slot()));
        const uint64_t generation = uint64_t{1 + random_() % 3} << 32, n = random_() % 12;
        random_() % 2 != 0 ? pub->claim.release(generation | (random_() % 4) << 30 | n) : pub->passes.release(generation | n);
      }
    }
  }

 private:
  struct Ring {
    unsigned char* bytes;
    uint64_t size;
    Shared<uint64_t>* tail;
  };
  Outbound* out() { return reinterpret_cast<Outbound*>(w_[0].control->base() + l_.outbound(peer_)); }
  Ring data() { return {w_[0].control->base() + l_.data_ring(peer_), w_.geometry.ring_bytes, &out()->data_tail}; }
  Ring reply() { return {w_[0].control->base() + l_.reply_ring(peer_), kReplyRingBytes, &out()->reply_tail}; }
  void put(Ring ring, const RecordHeader& h, const void* body, uint64_t n) {
    unsigned char record[64];
    std::memcpy(record, &h, sizeof h);
    if (n != 0) std::memcpy(record + sizeof h, body, n);
    const uint64_t tail = ring.tail->acquire();
    for (uint64_t i = 0; i < sizeof h + n; ++i) ring.bytes[(tail + i) & (ring.size - 1)] = record[i];
    ring.tail->release(tail + round_up(h.bytes % ring.size, kRecordAlign));
    auto* bell = reinterpret_cast<Doorbell*>(w_.world_segment() + l_.doorbell(peer_));
    bell->pending[0].or_sc(1);
  }

  uint32_t own_slot() { return static_cast<uint32_t>(random_() % 8 == 0 ? random_() : random_() % 4) % w_.geometry.max_requests; }
  uint32_t theirs() { return static_cast<uint32_t>(random_() % 8 == 0 ? random_() : random_() % 8); }
  uint32_t generation(uint32_t slot) {
    if (slot >= w_.geometry.max_requests) return 1;
    auto* pub = reinterpret_cast<const PublicSlot*>(w_[peer_].control->base() + l_.slot(slot));
    return static_cast<uint32_t>(pub->claim.acquire() >> 32);
  }
  MatchWord* match_word(uint32_t rank, uint32_t slot) {
    return reinterpret_cast<MatchWord*>(w_.world_segment() + l_.match_word(rank, slot));
  }
  uint32_t context() { return random_() % 16 == 0 ? 9 : 0; }
  uint32_t tag() { return static_cast<uint32_t>(random_() % 3); }
  uint64_t address() { return random_() % 2 != 0 ? 0 : random_(); }
  uint64_t length() {
    const uint64_t n[] = {0, 8, 512, 600, 5000, 70000, w_.geometry.heap_bytes, ~0ull};
    const uint64_t at = random_() % 9;
    return at == 8 ? random_() : n[at];
  }
  uint64_t heap_offset() {
    const uint64_t end = w_.geometry.heap_bytes;
    const uint64_t at[] = {kNoHeap, 0, end - 600, end - 8, end, end + 4096, ~0ull - 4096};
    return at[random_() % 7];
  }

  Random& random_;
  World& w_;
  Layout l_;
  uint32_t peer_;
};

}  // namespace test
