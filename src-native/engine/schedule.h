// A collective operation as the engine carries it out (MPI 4.1, 6.12): a list of
// steps in rounds. The messages of a round are all on their way at once, and the
// next round begins when they are over. Local operations are done where they
// stand: before the round's messages, or, touching nothing that those touch,
// while they are on their way.
// Whoever runs the engine carries it on, so a handler does while its rank computes.
#pragma once

#include "engine/list.h"
#include "engine/types.h"

namespace uintr {

struct ScheduleStep {
  // End: of a round. Within one Receives come before Sends.
  enum class Kind : uint32_t { End, Send, Receive, Copy, Reduce } kind;
  uint32_t peer;              // Send, Receive: another rank of the world
  unsigned char* to;          // Receive; Copy; Reduce, which also reads it
  const unsigned char* from;  // Send; Copy, whose ends may overlap; Reduce; Receive: what has to come, or null
  uint64_t length;            // bytes; of a Receive where `from` says what has to come: the most that may come
  uint32_t reduction;         // Reduce: type * 16 + operation
  uint32_t expected;          // Receive: bytes at `from`, at most `length` and kMostCompared
};

// Bytes of an element, by the type of a reduction: i8, u8, clamped u8, i16, u16,
// i32, u32, i64, u64, f32, f64.
constexpr uint32_t kReductionTypes = 11;
constexpr uint32_t reduction_bytes(uint32_t reduction) {
  constexpr uint8_t kBytes[kReductionTypes] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  return kBytes[reduction / 16];
}

constexpr uint32_t kMostCompared = 512;  // bytes, for a handler compares them

// Who posts it fills in the first part, leaves the rest zeroed, and keeps all of
// it until the completion is drained.
struct Schedule {
  const ScheduleStep* steps;
  uint32_t count;
  uint32_t context;  // of the messages
  uint32_t tag;      // of the messages: which collective operation it is

  // ---- the engine's own
  uint32_t slot;     // of the request as a whole
  uint32_t next;     // step
  uint32_t pending;  // messages of this round that are not over
  uint32_t failed;   // the step that failed first; kNone: not a step of it
  bool queued;       // on the list of those that can go on
  bool running;      // being carried on at this moment
  bool starved;      // waits for a slot that still owes a reply
  List idle, busy;   // slots reserved for its messages, by Slot::part; busy ones may only owe a reply
  uint64_t done;     // of a local operation: bytes
  uint64_t moved;    // bytes of all the steps that are behind it
  uint64_t bytes;    // and of all there are
};

}  // namespace uintr
