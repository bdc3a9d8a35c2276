// Request slots: the life of one send or receive from post to drain.
//
//   send     Queued → Offered → Active → Done          Queued → Done (went eager after all)
//   receive  Posted → Active → Done                     Posted → Done (eager)
//            Posted → Stalled → Active or Done          (no committed arena block at match time)
//            Matched → Active → Done                     (taken by improbe, received by imrecv)
//            Posted → Taken → Active → Done              (matched by its sender, which has not said so yet)
//   lent     Offered → Lent → Done; the receive Active → Done → Lent (lend.cc)
//   any      Offered/Active → Closing → Done            (the other end may still touch the buffer)
//   collective  Running → Done
//
// A message of a collective operation has a slot that its schedule has reserved:
// Free while it is not used, and back there when it is over (schedule.cc).
//
// A slot index and its generation name a request for ever; the public words in
// shared memory carry the generation too.
#pragma once

#include "engine/list.h"
#include "engine/layout.h"
#include "engine/types.h"

namespace uintr {

enum class SlotState : uint8_t { Free = 0, Queued, Offered, Posted, Matched, Stalled, Taken, Active, Lent, Closing, Done, Running };

enum SlotFlags : uint8_t {
  kAllocate = 1,      // receive into an arena block taken at match time
  kSynchronous = 2,   // never eager
  kOwesMatch = 4,     // a Match record that found no room in the reply ring
  kOwesFin = 8,       // likewise a Fin
  kDrained = 16,      // its completion is out; free as soon as it owes nothing
  kOnWorkList = 32,   // on the list of transfers this rank may copy for
  kPipelined = 64,
  kReceive = 128,
};

struct Schedule;

struct Slot {
  Links links;       // in exactly one of: posted chain, send queue, stalled list, completion list, ready list
  Links work;        // work list (Active transfers with something left to claim or push)
  Links owes;        // the peer's list of owed replies
  uint32_t generation;
  SlotState state;
  uint8_t flags;
  uint8_t advert;     // a posted receive that is advertised: where, plus one (advert.cc)
  bool matcher;       // this end has matched the transfer, so it has the baton first
  bool patient;       // a receive whose message needs no CPU of this rank (Need::Match)
  bool retracted;     // a receive that was advertised, and is not any more: never again (Core::retract)
  bool matched_here;  // a send to oneself that a receive has taken: private, so no garbage in a match word can forge it
  bool lend;          // a send that may be lent, or a receive that has met one
  uint32_t context;
  uint32_t peer;     // a receive's may be kAnySource until matched
  uint32_t tag;      // a receive's may be kAnyTag until matched
  unsigned char* buffer;
  uint64_t length;   // of the buffer
  uint64_t heap_offset;     // of the buffer in the own arena, or kNoHeap
  uint64_t stamp;           // order of posting, for matching
  // The outcome.
  Error error;
  Cause cause;
  uint64_t total;    // the message's length; with CopyFailed the errno
  // The transfer.
  uint64_t moving;          // bytes to move: the shorter of message and buffer
  uint64_t remote_address;
  uint64_t remote_heap;     // in the peer's arena, or kNoHeap
  uint32_t remote_slot, remote_generation;  // remote_generation 0: not known yet
  uint32_t chunk, chunks;
  uint32_t claimed;          // chunks, by this end; but for the one that it is inside of, copied
  uint32_t passes;           // batons passed by this end
  uint32_t entry;            // Matched or Stalled with an eager message: its entry in the unexpected pool
  uint64_t pushed;           // pipelined: bytes pushed or received so far
  uint32_t turn;             // the run in which this end last had a slice of it
  Error fin_error;           // what the owed Fin says
  uint32_t fin_errno;
  // Collective operations.
  Schedule* collective;  // this request is one
  Schedule* schedule;    // the slot is reserved for messages of one
  Links part;            // its schedule's idle or busy slots
  uint32_t step;         // of its schedule
};

inline bool is_receive(const Slot& s) { return (s.flags & kReceive) != 0; }
// A receive, matched, whose message stays in the sender's arena.
inline bool borrows(const Slot& s) {
  return s.lend && (s.flags & (kReceive | kAllocate)) == (kReceive | kAllocate) && s.error == Error::None;
}

}  // namespace uintr
