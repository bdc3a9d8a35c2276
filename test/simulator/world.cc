#include "world.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace simulator {

using namespace uintr;

namespace {
constexpr uint32_t kVector = 63;
constexpr size_t kPrivate = 4 << 20;

unsigned char* map(size_t bytes) {
  // At a fixed place, so that a replay sees the same addresses as the run did.
  static uintptr_t at = 0x200000000000;
  void* memory = mmap(reinterpret_cast<void*>(at), bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("simulator: memory");
    std::exit(2);
  }
  at += 2 * bytes;
  return static_cast<unsigned char*>(memory);
}
}  // namespace

World::World() : memory_(map(kMemory)), private_(map(kPrivate)) {}

void World::reset(const Settings& settings, Machine* machine) {
  settings_ = settings;
  machine_ = machine;
  std::memset(memory_, 0, used_);
  std::memset(private_, 0, private_used_);
  used_ = private_used_ = 0;
  committable_ = settings.heap_committable;
  memory_came_back_ = false;
  dead_ = left_ = exited_ = closing_ = done_ = finishing_ = returning_ = 0;
  kicked_ = has_refused_ = false;
  model.clear();
  collectives_.clear();
  loans_.clear();
  spoilt_ = 0;

  Geometry g{};
  g.size = settings.ranks;
  g.max_requests = settings.max_requests;
  g.ring_bytes = settings.ring_bytes;
  g.eager_limit = settings.eager_limit;
  g.credit_blocks = settings.credit_blocks;
  g.heap_bytes = settings.heap_bytes;
  g.elastic = settings.elastic ? 1 : 0;
  const char* what;
  if (!Engine::valid(g, &what)) {
    std::fprintf(stderr, "simulator: the engine refuses this geometry: %s\n", what);
    std::exit(2);
  }
  layout_ = Layout{g};
  world_segment_ = carve(layout_.world_bytes());
  for (uint32_t i = 0; i < g.size; ++i) {
    lives_[i] = absent_[i] = 0;
    make_memory(i);
  }
  // Always the same place: what lay in buffers must not be in the next world's
  // segments, which begin zeroed.
  unsigned char* buffers_at = memory_ + kMemory - kBufferBytes;
  const size_t for_lives = settings.deaths * (layout_.control_bytes() + round_up(g.heap_bytes, 4096));
  if (used_ + for_lives + kBufferBytes > kMemory || (g.size + settings.deaths) * Engine::private_bytes(g) > kPrivate) {
    std::fprintf(stderr, "simulator: this geometry needs more memory than the simulator has\n");
    std::exit(2);
  }
  buffers.attach(buffers_at, kBufferBytes);
  buffers.clear();
  machine->set_memory(memory_, memory_ + kMemory);
  for (uint32_t i = 0; i < g.size; ++i) {
    untold_deaths_[i] = 0;
    waiting_[i] = kick_[i] = false;
    make_engine(i);
  }
}

unsigned char* World::carve(uint64_t bytes) {
  unsigned char* at = memory_ + used_;
  used_ += round_up(bytes, 4096);
  return at;
}

void World::make_memory(uint32_t rank) {
  controls_[rank] = carve(layout_.control_bytes());
  heaps_[rank] = carve(layout_.g.heap_bytes);
  header(rank)->nonce = static_cast<uint64_t>(pid_of(rank)) << 32;
}

ControlHeader* World::header(uint32_t rank) const { return reinterpret_cast<ControlHeader*>(controls_[rank]); }

// Threads of a process have its pid.
int32_t World::pid_of(uint32_t rank) const {
  const bool thread = (settings_.process >> rank & 1) != 0;
  const uint32_t first = thread ? static_cast<uint32_t>(__builtin_ctz(settings_.process)) : rank;
  return static_cast<int32_t>(1000 + 100 * lives_[rank] + first);
}

PeerMap World::map_of(uint32_t peer, uint32_t rank) const {
  const uint32_t own = settings_.kinds_of[rank];
  PeerMap map{controls_[peer], heaps_[peer], pid_of(peer), own != 0 ? own : settings_.copy_kinds};
  if (peer != rank && same_process(peer, rank)) map.copy_kinds = kCopyDirect | kCopyPipeline;
  map.nonce = header(peer)->nonce;
  map.nonce_address = reinterpret_cast<uint64_t>(&header(peer)->nonce);
  map.let_go = let_go_[peer][rank];
  return map;
}

void World::make_engine(uint32_t rank) {
  PeerMap maps[kMaxRanksHere];
  absent_[rank] = untold_deaths_[rank] = 0;
  for (uint32_t k = 0; k < settings_.ranks; ++k) {
    let_go_[k][rank] = times_let_go(layout_.g, controls_[k], rank);
    maps[k] = map_of(k, rank);
    if (k == rank || !gone(k)) continue;
    maps[k] = PeerMap{controls_[rank], heaps_[rank], 0, 0};
    maps[k].absent = true;
    absent_[rank] |= 1u << k;
  }
  ports_[rank] = {this, rank};
  Setup setup{};
  setup.geometry = layout_.g;
  setup.rank = rank;
  setup.slice_bytes = settings_.slice_bytes;
  setup.interrupts = settings_.driver != Driver::Poll;
  setup.interrupt_wakes = settings_.driver == Driver::Signal;
  setup.trusts_bitmap = settings_.trusts_bitmap;
  setup.world = world_segment_;
  setup.peers = maps;
  setup.ports.self = &ports_[rank];
  setup.ports.interrupt = [](void* self, uint32_t peer, bool force) {
    auto* port = static_cast<Port*>(self);
    port->world->send_interrupt(port->rank, peer, force);
  };
  setup.ports.wake = [](void* self, uint32_t peer) {
    auto* port = static_cast<Port*>(self);
    port->world->send_wake(port->rank, peer);
  };
  setup.ports.commit = [](void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes) {
    return static_cast<Port*>(self)->world->commit(segment, offset, bytes);
  };
  setup.ports.reduce = reduce;
  unsigned char* memory = private_ + private_used_;
  private_used_ += Engine::private_bytes(layout_.g);
  engines_[rank] = Engine::create(memory, setup);
}

Machine::Rules World::rules() const {
  Machine::Rules rules;
  rules.ranks = settings_.ranks;
  rules.foreign_interrupts = settings_.foreign_interrupts;
  rules.asleep_takes_interrupts = settings_.driver == Driver::Signal;
  rules.interrupts = settings_.driver != Driver::Poll;
  rules.mortal = settings_.mortal;
  rules.deaths = settings_.deaths;
  rules.process = settings_.process;
  rules.turns_cost = settings_.turns_cost;
  rules.max_steps = settings_.max_steps;
  return rules;
}

// ---- drivers ------------------------------------------------------------------

// SYNC POINT: upid. Our bit in PIR first; who turns ON from 0 to 1 signals.
void World::send_interrupt(uint32_t, uint32_t to, bool force) {
  Upid& upid = bell(to)->upid;
  upid.pir.or_sc(1ull << kVector);
  bool on = (upid.status.or_sc(kUpidOn) & kUpidOn) != 0;
  if (on && !force) return;
  machine_->step();
  machine_->trace("interrupts %u", to);
  machine_->post_interrupt(to);
}

// SYNC POINT: upid. ON is cleared, then PIR is taken: a sender that comes in
// between signals once too often, never once too little.
void World::handler(uint32_t rank) {
  if (engines_[rank] == nullptr) return;  // in a life that has not begun; begin_life() makes up for it
  Upid& upid = bell(rank)->upid;
  if (mutant_is("on-after-pir")) {
    upid.pir.exchange_sc(0);
    engines_[rank]->on_interrupt();
    upid.status.and_sc(~kUpidOn);
    return;
  }
  upid.status.and_sc(~kUpidOn);
  upid.pir.exchange_sc(0);
  engines_[rank]->on_interrupt();
}

// A write to an eventfd. The kernel takes a lock for it, so what was stored
// before is visible to whoever it wakes.
void World::send_wake(uint32_t from, uint32_t to) {
  if (mutant_is("wake-lost-in-handler") && machine_->in_handler() && to == from) return;
  machine_->step();
  machine_->fence();
  machine_->trace("wakes %u", to);
  machine_->wake(to);
}

bool World::commit(Ports::Segment segment, uint64_t offset, uint64_t bytes) {
  return segment != Ports::Segment::Heap || offset + bytes <= committable_;
}

// ---- deaths ---------------------------------------------------------------------

void World::died(uint32_t rank) {
  dead_ |= 1u << rank;
  tell_gone(rank);
  begin_lives();
}

void World::exit(uint32_t rank) {
  machine_->fence();
  leave(rank);
  exited_ |= 1u << rank;
  tell_gone(rank);
  begin_lives();
}

void World::tell_gone(uint32_t rank) {
  kicked_ = false;
  for (uint32_t i = 0; i < settings_.ranks; ++i) {
    if (i == rank) continue;
    untold_deaths_[i] |= 1u << rank;
    machine_->wake(i);  // its pidfd stands in the same epoll as its eventfd
  }
}

bool World::holds(uint32_t peer, uint32_t rank) const {
  return !Engine::peer_has_let_go(layout_.g, map_of(peer, rank), rank);
}

// What lib and bootstrap do of it: whoever lets the rank in has been told of its death, and the new life begins when
// all have let it in who are there.
void World::let_in(uint32_t rank, uint32_t member) {
  machine_->trace("lets %u in", rank);
  if ((returning_ >> rank & 1) == 0) {
    returning_ |= 1u << rank;
    let_in_by_[rank] = 0;
    ++lives_[rank];
    make_memory(rank);
    for (uint32_t& times : let_go_[rank]) times = 0;
    model.end_life(rank);
  }
  model.end_life(rank, member);
  constexpr uint32_t kNoContext = ~0u;
  engines_[member]->revive(rank, map_of(rank, member), kNoContext);
  // The old life's process may look only now.
  const bool never_met = (absent_[member] >> rank & 1) != 0;
  if (!never_met && holds(member, rank))
    machine_->fail("rank %u still holds the memory of a life of rank %u", member, rank);
  absent_[member] &= ~(1u << rank);
  let_in_by_[rank] |= 1u << member;
  begin_lives();
}

void World::begin_lives() {
  for (uint32_t rank = 0; rank < settings_.ranks; ++rank) {
    const uint32_t all = (1u << settings_.ranks) - 1, there = all & ~(dead_ | left_);
    if ((returning_ >> rank & 1) == 0 || (there & ~let_in_by_[rank]) != 0) continue;
    returning_ &= ~(1u << rank);
    engines_[rank] = nullptr;
    dead_ &= ~(1u << rank);
    finishing_ &= ~(1u << rank);
    std::erase_if(loans_, [rank](const Loan& loan) { return loan.rank == rank; });
    for (CollectiveRun& c : collectives_) {
      if (c.rank == rank) c.tag = 0;  // none of this life's
    }
    buffers.give_back_all(rank);
    machine_->start(rank);
  }
}

void World::begin_life(uint32_t rank) {
  make_engine(rank);
  machine_->post_interrupt(rank);  // as its driver does (attach): ON may be set from before
}

void World::let_go(uint32_t rank, uint32_t message) {
  std::erase_if(loans_, [=](const Loan& loan) { return loan.rank == rank && loan.message == message; });
}

uint32_t World::borrower(uint32_t message) const {
  for (const Loan& loan : loans_) {
    if (loan.message == message && !gone(loan.rank)) return loan.rank;
  }
  return kNone;
}

uint32_t World::take_deaths(uint32_t rank) { return std::exchange(untold_deaths_[rank], 0); }

void World::program_done(uint32_t rank) {
  done_ |= 1u << rank;
  if (!all_done()) return;
  for (uint32_t i = 0; i < settings_.ranks; ++i) machine_->wake(i);
}

bool World::all_done() const { return (done_ | dead_) == (1u << settings_.ranks) - 1; }

// ---- what is watched -----------------------------------------------------------------

void World::check_read(uint32_t rank, const void* from, size_t n) {
  std::string why = buffers.check_read(rank, static_cast<const unsigned char*>(from), n);
  if (!why.empty()) machine_->fail("%s", why.c_str());
}

void World::check_write(uint32_t rank, const void* to, size_t n) {
  std::string why = buffers.check_write(rank, static_cast<const unsigned char*>(to), n);
  if (!why.empty()) machine_->fail("%s", why.c_str());
}

void World::check_visible(uint32_t rank, const void* to, size_t n) {
  std::string why = buffers.check_visible(rank, static_cast<const unsigned char*>(to), n);
  if (!why.empty()) machine_->fail("%s", why.c_str());
}

}  // namespace simulator
