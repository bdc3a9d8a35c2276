// The one piece of memory that JavaScript and this addon both read and write without a call: an ArrayBuffer that the
// addon holds and lib/exchange.ts sees through an Int32Array. Arguments of the hot calls go in here and outcomes come
// out, so that no JavaScript object is made per message. Nobody but the JavaScript thread touches it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/types.h"

namespace uintr {

constexpr uint32_t kBatch = 64;  // completions handed over at a time

struct Exchange {
  // Arguments of postSend, postRecv, probe, improbe, imrecv, unreachable and postSchedule, written by JavaScript.
  uint32_t peer;
  uint32_t tag;
  uint32_t context;
  uint32_t flags;
  // How many requests want the process to stay alive; JavaScript counts.
  int32_t wanted;
  // 1: the loop handle is referenced. Written by the addon; JavaScript calls ref() only where it finds 0.
  int32_t referenced;
  // Requests that JavaScript has handed to the engine and not got back; JavaScript counts.
  int32_t active;
  // 1: throughout the last waitSlice a receive waited for memory.
  int32_t stalled;
  // 1: something has come that a waiting probe may look for. JavaScript puts it back to 0 when it looks.
  int32_t sighted;
  // How often this thread was asked by a signal what it waits for (inspect_signal.h).
  uint32_t asked;
  int32_t reserved[6];
  // What a post or a probe answered at once.
  Completion immediate;
  // What drain, progress, waitSlice and the loop's callback hand over.
  Completion batch[kBatch];
};
constexpr uint32_t kFlagSynchronous = 1;  // of postSend
constexpr uint32_t kFlagAllocate = 2;     // of postRecv and imrecv
constexpr uint32_t kFlagLend = 4;         // of postSend
constexpr uint32_t kFlagPatient = 8;      // of postRecv

// What postSend, postRecv, improbe and imrecv return: a slot (>= 0), or one of these.
enum PostResult : int32_t {
  kPostDone = -1,      // over, without error; Exchange::immediate has the rest
  kPostFailed = -2,    // over, with the error in Exchange::immediate
  kPostClosed = -3,    // the world is closed
  kPostNotBytes = -4,  // not a buffer
  kPostNothing = -5,   // improbe: no such message
  kPostBadSchedule = -6,  // not a schedule; Exchange::immediate.tag says which record
  kPostNotOwn = -7,       // to be lent, and no memory of the own arena
};

// A record of the batch whose handle is kNoHandle is not a completion but news; its `error` field says which.
enum News : uint32_t {
  kNewsPeerGone = 0,    // source: the rank, cause: why
  kNewsDriverLost = 1,  // the program took the signal over; the world polls from now on
  kNewsReturning = 2,   // source: a rank that is gone wants to come back (letIn)
};

// lib/exchange.ts counts in 32-bit words.
static_assert(offsetof(Exchange, immediate) == 64 && sizeof(Completion) == 40);
static_assert(offsetof(Completion, error) == 8 && offsetof(Completion, cause) == 12 &&
              offsetof(Completion, source) == 16 && offsetof(Completion, tag) == 20 &&
              offsetof(Completion, length) == 24 && offsetof(Completion, heap_offset) == 32);

}  // namespace uintr
