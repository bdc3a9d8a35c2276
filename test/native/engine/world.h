// A world of several ranks in one process, in plain memory, without Node: what
// the engine's tests run on. Each segment lies between pages that nobody may
// touch, so that an access outside one ends the test.
//
// Nothing happens by itself: a test calls progress() and deliver() on the ranks
// it wants to run, or settle(), which runs all of them until nothing moves.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <vector>

#include "check.h"
#include "engine/engine.h"

namespace test {

using namespace uintr;

class World;

struct Options {
  uint32_t size = 2;
  uint32_t max_requests = 64;
  uint32_t ring_bytes = 16384;
  uint32_t eager_limit = 1024;
  uint32_t credit_blocks = 16;
  uint64_t heap_bytes = 4 << 20;
  uint64_t heap_committable = ~0ull;  // beyond this many bytes commit() says no
  bool ring_committable = true;
  uint32_t copy_kinds = kCopyDirect;
  uint32_t slice_bytes = 0;
  uint64_t handler_cycles = 0;
  uint64_t glance_cycles = 0;  // of rank 0
  bool interrupts = true;
  bool interrupt_wakes = true;
  bool trusts_bitmap = true;
  bool elastic = false;
  void (*interrupt)(World* world, uint32_t peer) = nullptr;  // instead of noting it in Rank::interrupted
  void (*reduce)(uint32_t reduction, void* inout, const void* in, uint64_t elements) = nullptr;
  int32_t pid = 0;                                           // of all ranks, for copies by the kernel; 0: this process
};

// Memory between two forbidden pages.
class Guarded {
 public:
  explicit Guarded(uint64_t bytes) : bytes_((bytes + 4095) / 4096 * 4096) {
    void* m = mmap(nullptr, bytes_ + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(m != MAP_FAILED);
    base_ = static_cast<unsigned char*>(m) + 4096;
    CHECK(mprotect(base_, bytes_, PROT_READ | PROT_WRITE) == 0);
  }
  ~Guarded() { munmap(base_ - 4096, bytes_ + 8192); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  unsigned char* base() const { return base_; }
  uint64_t bytes() const { return bytes_; }

 private:
  unsigned char* base_;
  uint64_t bytes_;
};

class Rank {
 public:
  Engine* operator->() const { return engine; }

  // Posting, with the usual arguments.
  Posted send(uint32_t dest, const void* data, uint64_t length, uint32_t tag = 0, uint32_t context = 0,
              bool synchronous = false);
  Posted ssend(uint32_t dest, const void* data, uint64_t length, uint32_t tag = 0, uint32_t context = 0) {
    return send(dest, data, length, tag, context, true);
  }
  Posted recv(uint32_t source, void* data, uint64_t length, uint32_t tag = kAnyTag, uint32_t context = 0);
  Posted recv_block(uint32_t source, uint32_t tag = kAnyTag, uint32_t context = 0);

  // One look, and whatever is finished is noted. True: something was finished.
  bool progress(Effort effort = Effort::Idle);
  // Runs the handler if another rank (or `kick`) has interrupted this one.
  bool deliver();
  void collect();

  bool over(const Posted& p) const { return p.handle == kNoHandle || outcomes.count(p.handle) != 0; }
  // Of a request that is over; ends the test if it is not.
  Completion outcome(const Posted& p) const;
  Error error(const Posted& p) const { return outcome(p).error; }

  Counters counters() const;
  QueueView queues() const;

  Engine* engine = nullptr;
  uint32_t rank = 0;
  World* world = nullptr;
  std::atomic<uint32_t> interrupted{0};  // since it was delivered last
  std::atomic<uint32_t> woken{0};
  std::map<Handle, Completion> outcomes;
  std::unique_ptr<Guarded> control, heap, memory;
};

class World {
 public:
  explicit World(const Options& options = {});

  Rank& operator[](uint32_t rank) { return *ranks_[rank]; }
  uint32_t size() const { return options.size; }

  // The rank is there again, in memory of its own, and the ranks of `members` let it in, which hold it for gone. For it
  // all others are gone.
  void come_back(uint32_t rank, const std::vector<uint32_t>& members);

  // Runs every rank (but `except`), handlers included, until nothing moves.
  void settle(uint32_t except = kNone);
  // Only handlers, as for ranks that all compute.
  void handlers();

  // Where `rank` finds what `peer` has, if it is mapped now.
  PeerMap map_of(uint32_t peer, uint32_t rank) const {
    PeerMap map = maps_[peer];
    map.let_go = times_let_go(geometry, map.control, rank);
    return map;
  }

  Layout layout() const { return Layout{geometry}; }
  unsigned char* world_segment() const { return world_->base(); }
  uint64_t world_bytes() const { return world_->bytes(); }

  Options options;
  Geometry geometry{};

 private:
  void make_memory(Rank* rank);
  void make_engine(Rank* rank, const std::vector<PeerMap>& maps);
  std::unique_ptr<Guarded> world_;
  std::vector<std::unique_ptr<Rank>> ranks_;
  std::vector<PeerMap> maps_;
};

// Bytes that tell where they belong.
inline std::vector<unsigned char> pattern(uint64_t length, uint32_t seed) {
  std::vector<unsigned char> bytes(length);
  for (uint64_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<unsigned char>(seed * 31 + i * 7 + (i >> 8) * 13 + (i >> 16) * 5);
  }
  return bytes;
}

inline World::World(const Options& o) : options(o) {
  geometry.size = o.size;
  geometry.max_requests = o.max_requests;
  geometry.ring_bytes = o.ring_bytes;
  geometry.eager_limit = o.eager_limit;
  geometry.credit_blocks = o.credit_blocks;
  geometry.heap_bytes = o.heap_bytes;
  geometry.elastic = o.elastic ? 1 : 0;
  const char* what = "";
  if (!Engine::valid(geometry, &what)) check::fail(__FILE__, __LINE__, what);
  Layout l = layout();
  world_ = std::make_unique<Guarded>(l.world_bytes());
  for (uint32_t i = 0; i < o.size; ++i) {
    ranks_.push_back(std::make_unique<Rank>());
    ranks_[i]->rank = i;
    ranks_[i]->world = this;
    maps_.push_back({});
    make_memory(ranks_[i].get());
  }
  for (auto& r : ranks_) make_engine(r.get(), maps_);
}

inline void World::make_memory(Rank* r) {
  r->control = std::make_unique<Guarded>(layout().control_bytes());
  r->heap = std::make_unique<Guarded>(options.heap_bytes);
  r->memory = std::make_unique<Guarded>(Engine::private_bytes(geometry));
  maps_[r->rank] = {r->control->base(), r->heap->base(),
                    options.pid != 0 ? options.pid : static_cast<int32_t>(getpid()), options.copy_kinds};
}

inline void World::make_engine(Rank* r, const std::vector<PeerMap>& maps) {
  Setup s{};
  s.geometry = geometry;
  s.rank = r->rank;
  s.slice_bytes = options.slice_bytes;
  s.handler_cycles = options.handler_cycles;
  s.glance_cycles = r->rank == 0 ? options.glance_cycles : 0;
  s.interrupts = options.interrupts;
  s.interrupt_wakes = options.interrupt_wakes;
  s.trusts_bitmap = options.trusts_bitmap;
  s.world = world_->base();
  s.peers = maps.data();
  s.ports.self = this;
  s.ports.interrupt = [](void* self, uint32_t peer, bool) {
    auto* world = static_cast<World*>(self);
    if (world->options.interrupt != nullptr) return world->options.interrupt(world, peer);
    (*world)[peer].interrupted.fetch_add(1, std::memory_order_seq_cst);
  };
  s.ports.wake = [](void* self, uint32_t peer) {
    (*static_cast<World*>(self))[peer].woken.fetch_add(1, std::memory_order_seq_cst);
  };
  s.ports.commit = [](void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes) {
    const Options& options = static_cast<World*>(self)->options;
    if (segment == Ports::Segment::Heap) return offset + bytes <= options.heap_committable;
    return options.ring_committable || segment != Ports::Segment::Control || bytes != options.ring_bytes;
  };
  s.ports.reduce = options.reduce;
  r->engine = Engine::create(r->memory->base(), s);
}

inline void World::come_back(uint32_t rank, const std::vector<uint32_t>& members) {
  Rank& r = *ranks_[rank];
  r.outcomes.clear();
  make_memory(&r);
  std::vector<PeerMap> maps(size(), maps_[rank]);
  for (PeerMap& map : maps) map.absent = true;
  maps[rank] = maps_[rank];
  for (uint32_t member : members) {
    ranks_[member]->engine->revive(rank, maps_[rank], 0);
    maps[member] = map_of(member, rank);
  }
  make_engine(&r, maps);
}

inline Posted Rank::send(uint32_t dest, const void* data, uint64_t length, uint32_t tag, uint32_t context,
                         bool synchronous) {
  return engine->post_send({dest, context, tag, data, length, synchronous});
}
inline Posted Rank::recv(uint32_t source, void* data, uint64_t length, uint32_t tag, uint32_t context) {
  return engine->post_recv({source, context, tag, data, length, false});
}
inline Posted Rank::recv_block(uint32_t source, uint32_t tag, uint32_t context) {
  return engine->post_recv({source, context, tag, nullptr, 0, true});
}

inline void Rank::collect() {
  Completion out[8];
  uint32_t n;
  while ((n = engine->drain(out, 8)) != 0) {
    for (uint32_t i = 0; i < n; ++i) {
      CHECK(outcomes.count(out[i].handle) == 0);  // exactly once
      outcomes[out[i].handle] = out[i];
    }
  }
}

inline bool Rank::progress(Effort effort) {
  size_t before = outcomes.size();
  bool more = engine->progress(effort);
  if (engine->has_stalled()) engine->resume_stalled();
  collect();
  return more || outcomes.size() != before;
}

inline bool Rank::deliver() {
  if (interrupted.exchange(0) == 0) return false;
  engine->on_interrupt();
  return true;
}

inline Completion Rank::outcome(const Posted& p) const {
  if (p.handle == kNoHandle) return p.completion;
  auto found = outcomes.find(p.handle);
  if (found == outcomes.end()) check::fail(__FILE__, __LINE__, "the request is not over");
  return found->second;
}

inline Counters Rank::counters() const {
  Counters c;
  engine->counters(&c);
  return c;
}
inline QueueView Rank::queues() const {
  QueueView q;
  engine->queues(&q);
  return q;
}

inline void World::settle(uint32_t except) {
  // What one rank does may give others work, so twice around without news.
  for (uint32_t quiet = 0; quiet < 3;) {
    bool moved = false;
    for (auto& r : ranks_) {
      if (r->rank == except) continue;
      moved |= r->deliver();
      moved |= r->progress();
    }
    quiet = moved ? 0 : quiet + 1;
  }
}

inline void World::handlers() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& r : ranks_) moved |= r->deliver();
  }
}

// Nothing is under way in any rank (but `except`).
inline void check_clean(World& w, uint32_t except = kNone) {
  for (uint32_t rank = 0; rank < w.size(); ++rank) {
    if (rank == except) continue;
    CHECK_EQ(w[rank].queues().slots_used, 0u);
    CHECK_EQ(w[rank].queues().posted, 0u);
    CHECK(w[rank]->quiescent());
  }
}
inline void settle_clean(World& w) {
  w.settle();
  check_clean(w);
}

}  // namespace test
