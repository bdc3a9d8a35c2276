// Records out of the rings. A header is copied out, judged, and then used; one
// that no correct engine writes makes its writer faulty.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

void Core::release_credit(Partner& p, uint32_t blocks) {
  p.blocks_released += blocks;
  p.my_released->release(p.blocks_released);
  UINTR_FAILPOINT("credit.given");
}

void Core::drain_data(uint32_t peer, Effort effort) {
  Partner& p = peers[peer];
  if (!p.data_in.open()) return fault(peer);
  while (p.data_in.readable() != 0 && !p.faulty) {
    RecordHeader h;
    p.data_in.peek(&h, 0, sizeof h);
    bool fits = h.bytes >= sizeof h && h.bytes % kRecordAlign == 0 && h.bytes <= p.data_in.readable() && h.tag <= 0x7fffffffu;
    if (!fits) return fault(peer);
    switch (h.type) {
      case RecordType::Eager:
        if (h.length > layout.g.eager_limit || h.bytes != record_bytes(h.length)) return fault(peer);
        on_eager(peer, h);
        break;
      case RecordType::Rts: {
        if (h.bytes != kLongRecord) return fault(peer);
        RtsBody b;
        p.data_in.peek(&b, sizeof h, sizeof b);
        on_rts(peer, h, b, effort);
        break;
      }
      case RecordType::Data: {
        if (h.length > layout.g.ring_bytes || h.bytes != record_bytes(sizeof(DataBody) + h.length)) return fault(peer);
        DataBody b;
        p.data_in.peek(&b, sizeof h, sizeof b);
        on_data(peer, h, b);
        break;
      }
      default:
        return fault(peer);
    }
    UINTR_FAILPOINT("data.taken");
    p.data_in.skip(h.bytes);
  }
  give_space_back(peer);
}

void Core::give_space_back(uint32_t peer) {
  if (peers[peer].data_in.close()) notify(peer, Need::Cpu);  // it waits for room, and needs its CPU to use it
}

void Core::drain_replies(uint32_t peer, Effort effort) {
  Partner& p = peers[peer];
  if (!p.reply_in.open()) return fault(peer);
  while (p.reply_in.readable() != 0 && !p.faulty) {
    RecordHeader h;
    p.reply_in.peek(&h, 0, sizeof h);
    if (h.bytes > p.reply_in.readable()) return fault(peer);
    if (h.type == RecordType::Match && h.bytes == kLongRecord) {
      MatchBody b;
      p.reply_in.peek(&b, sizeof h, sizeof b);
      on_match(peer, h, b, effort);
    } else if (h.type == RecordType::Fin && h.bytes == kShortRecord) {
      on_fin(peer, h);
    } else {
      return fault(peer);
    }
    UINTR_FAILPOINT("reply.taken");
    p.reply_in.skip(h.bytes);
  }
  if (p.reply_in.close()) notify(peer, Need::Cpu);
}

// Has the peer published a Match with this request that has not been taken out of the ring?
bool Core::match_lies_unheard(const Slot& s) {
  RingReader& ring = peers[s.peer].reply_in;
  if (!ring.open()) return false;  // it is faulty, and will be found so
  RecordHeader h;
  for (uint64_t at = 0; at < ring.readable(); at += h.bytes) {
    ring.peek(&h, at, sizeof h);
    if (h.bytes < sizeof h || h.bytes % kRecordAlign != 0) return false;
    if (h.type == RecordType::Match && h.slot == index(s) && h.generation == s.generation) return true;
  }
  return false;
}

}  // namespace uintr
