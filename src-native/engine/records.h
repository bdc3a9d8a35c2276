// What travels in the rings. A record begins with a header; `bytes` covers
// header and payload, rounded up to kRecordAlign.
//
// `Rts` and `Match` carry everything the other end needs, so nobody reads a
// slot of the other rank that may have been reused in the meantime.
#pragma once

#include "engine/ring.h"

namespace uintr {

enum class RecordType : uint32_t {
  Eager = 0x45414745,  // data ring: a whole message
  Rts = 0x20535452,    // data ring: the envelope of a rendezvous ("request to send")
  Data = 0x41544144,   // data ring: a piece of a pipelined transfer
  Match = 0x4843544d,  // reply ring: your message is matched, here is my buffer
  Fin = 0x204e4946,    // reply ring: this transfer is over, I touch nothing of yours any more
};

struct RecordHeader {
  uint32_t bytes;
  RecordType type;
  uint32_t context;     // Fin: the slot of whoever says it
  uint32_t tag;         // Fin: the Error that ended it
  uint32_t slot;        // Rts: the sender's; Match, Fin, Data: the addressee's
  uint32_t generation;  // of that slot
  uint64_t length;      // Eager, Rts: of the message; Match: what will move; Data: of this piece; Fin: {generation of
                        // that slot, errno}
};
static_assert(sizeof(RecordHeader) == 32);

struct RtsBody {
  uint64_t address;
  uint64_t heap_offset;  // of the buffer in the sender's arena, or kNoHeap
  uint64_t lend;         // 1: the buffer may be lent
  uint64_t reserved;
};
enum class How : uint32_t {
  Chunks = 0,
  Pipelined = 1,  // push Data records, claim nothing
  Lent = 2,       // nothing moves; Fin says that the buffer is let go of
};
struct MatchBody {
  uint64_t address;
  uint64_t heap_offset;
  uint32_t slot, generation;  // of whoever says it
  uint32_t chunk;             // bytes
  How how;
};
struct DataBody {
  uint64_t offset;  // in the message
  uint64_t reserved[3];
};
static_assert(sizeof(RtsBody) == 32 && sizeof(MatchBody) == 32 && sizeof(DataBody) == 32);

constexpr uint64_t record_bytes(uint64_t payload) {
  return (sizeof(RecordHeader) + payload + kRecordAlign - 1) & ~uint64_t{kRecordAlign - 1};
}
constexpr uint64_t kLongRecord = record_bytes(32);  // Rts, Match
constexpr uint64_t kShortRecord = record_bytes(0);  // Fin

}  // namespace uintr
