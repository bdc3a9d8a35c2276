// Names shared by the engine and those who call it.
#pragma once

#include <cstdint>

namespace uintr {

constexpr uint32_t kNone = 0xffffffffu;       // "no such index"
constexpr uint32_t kAnySource = 0xfffffffeu;  // MPI_ANY_SOURCE
constexpr uint32_t kAnyTag = 0xfffffffeu;     // MPI_ANY_TAG; tags end at 2^31 - 1
constexpr uint32_t kMaxRanks = 1024;
constexpr uint32_t kMaxRequests = 1u << 20;

// How a request ended. Zero is success, so that a zeroed slot is not an error.
enum class Error : uint32_t {
  None = 0,
  Truncated,    // the message was longer than the receive buffer (MPI 4.1, 3.2.4)
  PeerExited,   // the other rank is gone; Completion::cause says how
  Closed,       // this rank's world is closing
  Cancelled,    // cancel() won
  NoMemory,     // no slot, no ring memory, or the message can never fit the heap
  Protocol,     // the peer wrote what no correct engine writes
  CopyFailed,   // the kernel refused a copy; Completion::length holds the errno
  Timeout,      // close() ran out of time
  Mismatch,     // not the message that a collective operation expects: of Completion::length bytes, in the step `tag`
};

// Why a peer is gone (api.md, 'peer-exit').
enum class Cause : uint32_t { None = 0, Closed, Exited, Killed };

// A rank's stage of life, published in its control memory.
enum class Life : uint32_t { Joining = 0, Active, Closing, Closed, Exited };

// What a rank's JavaScript thread is doing, published for its peers. The order
// is not a scale; each sender looks at the exact value (attention.h).
enum class Attention : uint32_t {
  Computing = 0,  // in JavaScript: only an interrupt reaches it
  Polling,        // inside wait(), spinning: will look by itself
  Sleeping,       // between uv_prepare and uv_check: asleep, or in an I/O callback
  Blocked,        // inside wait(), asleep in the kernel: surely not computing
  Inside,         // in a call that takes long: looks once more before it returns to its computation
};

// Who is advancing the engine, hence how much of the CPU it may use.
enum class Effort : uint32_t {
  Handler,  // an interrupt took the CPU from a computation: one slice
  Call,     // the program called (test, done, post): one slice if it is useful
  Idle,     // the thread has nothing better to do: copy on, up to a budget
};

// Ways to move a rendezvous, as bits.
enum CopyKind : uint32_t {
  kCopyDirect = 1,    // both ends in one address space
  kCopyHeap = 2,      // the other end's buffer lies in its heap arena, which is mapped here
  kCopyCma = 4,       // process_vm_readv / process_vm_writev
  kCopyPipeline = 8,  // bounce through the ring; always works
};

// A request as the caller knows it: slot index and generation, so that a stale
// handle is recognized. Fits a JavaScript number: generation * 2^20 + slot.
using Handle = uint64_t;
constexpr Handle kNoHandle = 0xffffffffffffffffull;
constexpr Handle make_handle(uint32_t slot, uint32_t generation) { return (uint64_t{generation} << 20) | slot; }
constexpr uint32_t handle_slot(Handle h) { return static_cast<uint32_t>(h & 0xfffff); }
constexpr uint32_t handle_generation(Handle h) { return static_cast<uint32_t>(h >> 20); }

// The outcome of a request. For a receive, `source`, `tag` and `length` are the
// message's (the whole length, also when truncated); for a send they are the
// sender's own rank, the tag and the length.
struct Completion {
  Handle handle;
  Error error;
  Cause cause;       // with PeerExited
  uint32_t source;   // with PeerExited: the rank that is gone
  uint32_t tag;
  uint64_t length;   // bytes
  uint64_t heap_offset;  // receives without a buffer: where the message lies in
                         // the own arena; kNoHeap for an empty message
};
constexpr uint64_t kNoHeap = ~0ull;
constexpr uint64_t kLent = 1ull << 62;  // in Completion::heap_offset: the message is lent (Engine::loan)

}  // namespace uintr
