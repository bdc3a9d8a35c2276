// Match and Fin. Where the reply ring is full, the slot that owes the record
// remembers it and hangs on its peer's list: no memory is needed for it, and
// nobody waits.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

void Core::owe_match(Slot& s, Need need) { owe(s, kOwesMatch, need); }

void Core::owe_fin(Slot& s, Error error, uint32_t sys_errno) {
  s.fin_error = error;
  s.fin_errno = sys_errno;
  // An abort waits for the other's answer, so it needs the other's CPU. So does a
  // message of a collective operation: the other's next round waits for its end.
  owe(s, kOwesFin, error != Error::None || s.schedule != nullptr ? Need::Cpu : Need::Look);
}

void Core::owe(Slot& s, uint8_t what, Need need) {
  Partner& p = peers[s.peer];
  if (p.gone) return;
  bool listed = (s.flags & (kOwesMatch | kOwesFin)) != 0;
  s.flags |= what;
  if (!listed) {
    ++owed_replies;
    if (!p.owed.empty() || !push_owed(s)) {
      list_append(&p.owed, index(s), owes_links());
      UINTR_FAILPOINT("reply.queued");
      if (p.reply_out.faulty()) return fault(s.peer);
      need = Need::Cpu;  // to make room
    } else {
      p.reply_out.stop_wanting();
    }
  }
  notify(s.peer, need);
}

// A Match for a request that has nothing to do with it: a third rank has set its match word back, so that it could be taken
// back although it was matched. Who has matched it is to know. Where there is no room to say so it goes on waiting, as for
// a message that the third has kept from being matched.
void Core::disown(uint32_t peer, const RecordHeader& m, const MatchBody& b) {
  RingWriter& ring = peers[peer].reply_out;
  if (b.slot >= layout.g.max_requests || !peers[peer].owed.empty() || !ring.room(kShortRecord)) return;
  RecordHeader h{kShortRecord, RecordType::Fin, m.slot, static_cast<uint32_t>(Error::Protocol),
                 b.slot, b.generation, uint64_t{m.generation} << 32};
  ring.put(&h, sizeof h);
  ring.publish();
  notify(peer, Need::Cpu);
}

// Writes what the slot owes. False: no room (the peer will tell).
bool Core::push_owed(Slot& s) {
  Partner& p = peers[s.peer];
  if ((s.flags & kOwesMatch) != 0) {
    if (!p.reply_out.room_or_want(kLongRecord)) return false;
    RecordHeader h{kLongRecord, RecordType::Match, s.context, s.tag, s.remote_slot, s.remote_generation, s.moving};
    How how = borrows(s) ? How::Lent : (s.flags & kPipelined) != 0 ? How::Pipelined : How::Chunks;
    MatchBody b{reinterpret_cast<uint64_t>(s.buffer), s.heap_offset, index(s), s.generation, s.chunk, how};
    p.reply_out.put(&h, sizeof h);
    p.reply_out.put(&b, sizeof b);
    p.reply_out.publish();
    UINTR_FAILPOINT("match.written");
    s.flags &= static_cast<uint8_t>(~kOwesMatch);
  }
  if ((s.flags & kOwesFin) != 0) {
    if (!p.reply_out.room_or_want(kShortRecord)) return false;
    RecordHeader h{kShortRecord, RecordType::Fin, index(s), static_cast<uint32_t>(s.fin_error),
                   s.remote_slot, s.remote_generation, (uint64_t{s.generation} << 32) | s.fin_errno};
    p.reply_out.put(&h, sizeof h);
    p.reply_out.publish();
    UINTR_FAILPOINT("fin.written");
    s.flags &= static_cast<uint8_t>(~kOwesFin);
  }
  --owed_replies;
  return true;
}

void Core::flush_owed(uint32_t peer) {
  Partner& p = peers[peer];
  if (p.owed.empty()) return;
  bool pushed = false;
  while (!p.owed.empty()) {
    uint32_t i = p.owed.head - 1;
    Slot& s = slots[i];
    if (!push_owed(s)) {
      if (p.reply_out.faulty()) return fault(peer);
      break;
    }
    pushed = true;
    list_remove(&p.owed, i, owes_links());
    if ((s.flags & kDrained) != 0) free_slot(i);
  }
  if (p.owed.empty()) p.reply_out.stop_wanting();
  if (pushed) notify(peer, Need::Cpu);
}

}  // namespace uintr
