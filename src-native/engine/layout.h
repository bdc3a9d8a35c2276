// What lies where in the memory that ranks share. Three kinds of segments:
//
//   control  one per rank: only its owner maps it writable (the memfd is sealed
//            against later writable mappings), peers map it read-only
//   world    one per world: what two ranks must both write, and no more:
//            doorbells and match words; and, for the program's use, not the
//            engine's, the region of src-native/sync
//   heap     one per rank, writable by all: message data only
//
// All of it is sparse: pages that are never touched cost nothing, so memory
// grows with the pairs that talk. Offsets, never pointers, are shared.
//
// Everything read from here is copied to locals, then checked, then used.
#pragma once

#include "engine/shared.h"
#include "engine/sizes.h"
#include "engine/types.h"

namespace uintr {

constexpr uint64_t kControlMagic = 0x31306c7274636975ull;  // "uictrl01"
constexpr uint32_t kLayoutVersion = 8;
constexpr uint32_t kAdverts = 8;       // receives that are advertised to one peer at a time
constexpr uint64_t kSyncRegionBytes = 1 << 20;  // made to exist when a rank first uses it
constexpr uint32_t kBlockBytes = 512;  // unit of eager credit, and of the unexpected pool

// Every rank of a world must be joined with the same values of these.
struct Geometry {
  uint32_t size;             // ranks
  uint32_t max_requests;     // request slots per rank, <= kMaxRequests
  uint32_t ring_bytes;       // data ring of one ordered pair, a power of two, >= 16 KiB
  uint32_t eager_limit;      // bytes; <= ring_bytes / 4
  uint32_t credit_blocks;    // eager credit of one ordered pair, in blocks of kBlockBytes
  uint32_t elastic;          // 1: a rank that is gone can come back
  uint64_t heap_bytes;       // arena of one rank, a multiple of 2 MiB

  bool operator==(const Geometry&) const = default;
};

// First thing in a control segment. Written by its owner.
struct ControlHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t rank;
  Geometry geometry;
  uint64_t nonce;  // random; peers read it by process_vm_readv to see that pid and rights hold
  int32_t pid;     // as the owner sees itself
  int32_t tid;     // of the rank's JavaScript thread
  uint64_t scratch_address;  // in its process: kMaxRanks words; word r is rank r's to try process_vm_writev on

  alignas(64) Shared<uint32_t> attention;  // Attention
  Shared<uint32_t> posted;                 // not 0: there are receives posted, not matched and not patient; read together with attention
  alignas(64) Shared<uint32_t> life;       // Life
};

// The owner as producer towards one peer.
struct Outbound {
  alignas(64) Shared<uint64_t> data_tail;   // bytes ever written to the data ring
  Shared<uint32_t> want_data_space;         // 1: tell me when there is room
  Shared<uint32_t> copy_kinds;              // CopyKind bits the owner can use on this peer's buffers
  Shared<uint32_t> let_go;                  // lives of this peer whose memory the owner never touches again (SYNC
                                            // POINT: let-go)
  Shared<uint64_t> interrupt_at;            // when this peer was last sent an interrupt, while a timeline is recorded
  Shared<uint64_t> noticed_at;              // of the peer's interrupt_at, what the owner's timeline has; its own affair
  alignas(64) Shared<uint64_t> reply_tail;  // bytes ever written to the reply ring
  Shared<uint32_t> want_reply_space;
};

// The owner as consumer of what one peer produces.
struct Inbound {
  alignas(64) Shared<uint64_t> data_head;  // bytes ever consumed
  Shared<uint64_t> released_blocks;        // eager credit ever given back
  alignas(64) Shared<uint64_t> reply_head;
  Shared<uint64_t> copying;  // {generation, slot} of the send that the owner copies from before it has said Match, or 0
  alignas(64) Shared<uint64_t> adverts[kAdverts];  // {generation, slot + 1} of a receive that it may match, or 0
};

// The public side of a request slot: what the partner of a transfer polls.
// `claim` and `passes` carry the slot's generation in their upper halves; the rest
// describes an advertised receive (advert.cc).
struct PublicSlot {
  alignas(64) Shared<uint64_t> claim;   // what the owner copies, and whether it does (claim.h)
  Shared<uint64_t> passes;              // times the owner has passed the baton
  Shared<uint32_t> context, tag;
  Shared<uint64_t> address, heap_offset, room;
};

// A user posted-interrupt descriptor, bit for bit the hardware's (SDM vol. 3,
// "User Posted-Interrupt Descriptor"), used in memory by the signal driver.
struct Upid {
  Shared<uint32_t> status;  // bit 0 ON, bit 1 SN, bits 16-23 NV
  uint32_t ndst;
  Shared<uint64_t> pir;     // one bit per vector
};
constexpr uint32_t kUpidOn = 1, kUpidSn = 2;

// One per rank in the world segment; written by everybody.
struct Doorbell {
  alignas(64) Upid upid;
  // Elastic worlds: the latest incarnation of the rank that a member may have heard of (SYNC POINT: incarnation).
  Shared<uint32_t> life;
  alignas(64) Shared<uint64_t> pending[kMaxRanks / 64];  // sources that have published something
};

// One per world: 1 once every rank has mapped the others and may begin.
struct Formed {
  alignas(64) Shared<uint32_t> word;
};

// One per (rank, slot): of a send, whether it is matched or withdrawn; of an advertised receive, who matches it (match.h).
struct MatchWord {
  alignas(64) Shared<uint64_t> word;
};

constexpr uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

// Offsets within the segments, all derived from the geometry.
struct Layout {
  Geometry g;

  uint64_t outbound(uint32_t peer) const { return round_up(sizeof(ControlHeader), 4096) + peer * sizeof(Outbound); }
  uint64_t inbound(uint32_t peer) const { return outbound(g.size) + peer * sizeof(Inbound); }
  uint64_t slot(uint32_t i) const { return round_up(inbound(g.size), 4096) + i * uint64_t{sizeof(PublicSlot)}; }
  uint64_t reply_ring(uint32_t peer) const { return round_up(slot(g.max_requests), 4096) + peer * uint64_t{kReplyRingBytes}; }
  uint64_t data_ring(uint32_t peer) const { return reply_ring(g.size) + peer * uint64_t{g.ring_bytes}; }
  uint64_t control_bytes() const { return data_ring(g.size); }

  uint64_t doorbell(uint32_t rank) const { return rank * uint64_t{sizeof(Doorbell)}; }
  uint64_t formed() const { return doorbell(g.size); }
  uint64_t match_word(uint32_t rank, uint32_t slot) const {
    return round_up(formed() + sizeof(Formed), 4096) + (uint64_t{rank} * g.max_requests + slot) * sizeof(MatchWord);
  }
  // Last, for a region's descriptor says only where it begins.
  uint64_t sync_region() const { return round_up(match_word(g.size, 0), 4096); }
  uint64_t world_bytes() const { return sync_region() + kSyncRegionBytes; }
};

// How many lives of `rank` the owner of that control segment touches nothing of any more.
inline uint32_t times_let_go(const Geometry& geometry, const unsigned char* control, uint32_t rank) {
  return reinterpret_cast<const Outbound*>(control + Layout{geometry}.outbound(rank))->let_go.acquire();
}

}  // namespace uintr
