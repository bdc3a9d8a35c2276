#include "addon/world.h"

#include <errno.h>
#include <sys/mman.h>

#include "addon/exit.h"
#include "addon/instance.h"
#include "addon/remains.h"
#include "addon/signal_guard.h"
#include "addon/tsc.h"
#include "reduction/reduction.h"

namespace uintr {
namespace {

// How long a thread that ends waits for peers in the middle of a copy. They need microseconds; one that is stopped may
// need for ever.
constexpr uint64_t kLetGoNs = 200'000'000;
// A thread of this process cannot be stopped by itself, so one that is late has no processor, or waits for a page.
constexpr uint64_t kThreadLetGoNs = 20'000'000'000;

// How long wait() polls where waits are short: computation and communication take turns there, and a processor that has
// slept in between copies more slowly at first.
constexpr double kWaitSpinMicroseconds = 5000;
// What a handler takes from a computation at once. An interrupt costs its two ranks some twenty: so most of it is copying,
// also where memory is slow.
constexpr uint64_t kHandlerMicros = 100;
// Less than an interrupt costs, and more than it takes to come from posting to waiting.
constexpr uint64_t kGlanceMicros = 2;
// Who comes to wait this soon after it has posted has not computed in between.
constexpr uint64_t kAtOnceMicros = 10;

}  // namespace

std::shared_ptr<World> World::open(napi_env env, std::unique_ptr<Joined> joined, std::unique_ptr<Driver> driver,
                                   const WorldOptions& options, JoinError* error) {
  std::shared_ptr<World> world(new World);
  world->env_ = env;
  world->instance_ = instance_of(env);
  world->options_ = options;
  world->pace_ = Pace(options.spin_microseconds);
  world->wait_pace_ = Pace(kWaitSpinMicroseconds);
  world->habit_ = Habit(tsc::cycles_in(kAtOnceMicros));
  world->eager_limit_ = joined->geometry.eager_limit;
  world->rank_ = joined->rank;
  napi_get_uv_event_loop(env, &world->uv_);

  world->heap_ = joined->heap->base();
  world->heap_bytes_ = joined->heap->bytes();
  world->told_gone_.resize(joined->geometry.size);
  remains_release();

  // Sparse: the engine touches it as pairs talk, the notes as slots are used.
  const Geometry& geometry = joined->geometry;
  uint64_t engine_bytes = round_up(Engine::private_bytes(geometry), 4096);
  world->memory_bytes_ = engine_bytes + round_up(sizeof(SlotNote) * uint64_t{geometry.max_requests}, 4096);
  void* memory =
      mmap(nullptr, world->memory_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    fail_syscall(error, "mmap", errno, "no memory for the engine");
    return nullptr;
  }
  world->memory_ = memory;
  world->notes_ = reinterpret_cast<SlotNote*>(static_cast<char*>(memory) + engine_bytes);

  driver->create(joined.get());
  Setup setup{};
  setup.geometry = geometry;
  setup.rank = joined->rank;
  setup.slice_bytes = options.slice_bytes;
  if (options.slice_bytes == 0) setup.handler_cycles = tsc::cycles_in(kHandlerMicros);
  setup.glance_cycles = tsc::cycles_in(kGlanceMicros);
  setup.interrupts = driver->interrupts();
  setup.interrupt_wakes = driver->interrupt_wakes();
  setup.trusts_bitmap = false;
  setup.world = joined->world.base();
  setup.peers = joined->maps.data();
  setup.ports = driver->ports();
  setup.ports.reduce = uintr_reduce;
  world->driver_name_ = driver->name();
  world->joined_ = std::move(joined);
  world->driver_ = std::move(driver);

  napi_value buffer = nullptr;
  void* exchange = nullptr;
  if (napi_create_arraybuffer(env, sizeof(Exchange), &exchange, &buffer) != napi_ok ||
      napi_create_reference(env, buffer, 1, &world->exchange_ref_) != napi_ok ||
      !world->loop_.start(world->uv_, world->joined_->liveness.fd(), world.get())) {
    if (world->exchange_ref_ != nullptr) napi_delete_reference(env, world->exchange_ref_);
    fail(error, "ERR_UINTR_NO_MEMORY", "no memory, or no descriptor, for the event loop's part of the world");
    return nullptr;
  }
  world->exchange_ = static_cast<Exchange*>(exchange);
  world->engine_ = Engine::create(memory, setup);
  world->driver_->attach(world->engine_);
  napi_add_async_cleanup_hook(env, on_teardown, world.get(), &world->hook_);
  exit_watch(world.get(), [](void* world) { static_cast<World*>(world)->publish_exit(); });
  instance_of(env)->worlds.push_back(world);
  for (uint32_t peer = 0; peer < world->told_gone_.size(); ++peer) {
    if (world->joined_->maps[peer].absent) world->tell_gone(peer, Cause::Killed);
  }
  return world;
}

World::~World() { release_memory(); }

Block* World::block_at(const void* data) const {
  auto offset = reinterpret_cast<uintptr_t>(data) - reinterpret_cast<uintptr_t>(heap_);
  auto found = blocks_.find(offset);
  return found == blocks_.end() ? nullptr : found->second;
}

Block* World::loan_of(Handle handle) const {
  auto found = loans_.find(handle);
  return found == loans_.end() ? nullptr : found->second;
}

void World::note(Block* block) {
  if (block->loan == kNoHandle)
    blocks_.emplace(block->offset, block);
  else
    loans_.emplace(block->loan, block);
}

void World::forget(Block* block) {
  if (block->loan == kNoHandle)
    blocks_.erase(block->offset);
  else
    loans_.erase(block->loan);
}

bool World::owns(const void* data, uint64_t bytes) const {
  auto offset = reinterpret_cast<uintptr_t>(data) - reinterpret_cast<uintptr_t>(heap_);
  return offset < heap_bytes_ && bytes <= heap_bytes_ - offset;
}

SlotNote& World::remember_name(Handle handle) {
  uint32_t slot = handle_slot(handle);
  noted_ = slot >= noted_ ? slot + 1 : noted_;
  notes_[slot].handle = handle;
  return notes_[slot];
}

void World::remember(Handle handle, napi_value array_buffer) {
  SlotNote& note = remember_name(handle);
  note.allocates = array_buffer == nullptr;
  if (note.allocates)
    ++allocating_;
  else
    note.bytes = backing_store_of(array_buffer);
}

void World::remember(Handle handle, std::unique_ptr<PostedSchedule> schedule) {
  remember_name(handle).schedule = std::move(schedule);
}

void World::close(Life life, napi_value done) {
  if (engine_ == nullptr) return;
  if (done != nullptr) on_closed_.set(env_, done, "uintr:close");
  exit_forget(this);
  for (uint32_t peer = 0; peer < joined_->geometry.size; ++peer) {
    if (engine_->peer_may_touch(peer)) touching_.push_back(peer);
  }
  engine_->publish_life(life);
  driver_->detach();
  engine_ = nullptr;
  driver_.reset();
  end_unused_guards(env_);
  remains_release();
  // The descriptor that the loop watches may be closed only after the loop has let go of it.
  loop_.close([](World* self) { self->let_go(); });
}

void World::let_go() {
  if (!touching_.empty()) leave_remains();
  release_memory();
  on_batch_.clear();
  if (exchange_ref_ != nullptr) napi_delete_reference(env_, exchange_ref_);
  exchange_ref_ = nullptr;
  napi_async_cleanup_hook_handle hook = hook_;
  hook_ = nullptr;
  if (!tearing_down_) {
    js::Scope scope(env_);
    if (scope.open()) on_closed_.call(0, nullptr);
  }
  on_closed_.clear();
  // Last, because in a teardown the environment may go as soon as its hooks are gone.
  if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
}

// A peer may still be inside a copy: what it can touch outlives this world, held and mapped.
void World::leave_remains() {
  Remains remains{std::move(joined_), {}, std::move(touching_)};
  for (uint32_t i = 0; i < noted_; ++i) {
    if (notes_[i].bytes != nullptr) remains.bytes.push_back(std::move(notes_[i].bytes));
    if (notes_[i].schedule == nullptr) continue;
    for (BackingStore& bytes : notes_[i].schedule->bytes) remains.bytes.push_back(std::move(bytes));
  }
  remains_keep(tearing_down_ ? nullptr : env_, std::move(remains));
}

void World::release_memory() {
  if (memory_ != nullptr) {
    // The notes' pages are mostly untouched; a look at each would make them exist.
    for (uint32_t i = 0; i < noted_; ++i) {
      notes_[i].bytes.reset();
      notes_[i].schedule.reset();
    }
    munmap(memory_, memory_bytes_);
  }
  memory_ = nullptr;
  notes_ = nullptr;
  driver_.reset();
  joined_.reset();
}

// The environment ends without close(): a worker that was terminated, or a process whose work is done. JavaScript
// cannot be called any more.
void World::on_teardown(napi_async_cleanup_hook_handle, void* self) {
  auto* world = static_cast<World*>(self);
  world->tearing_down_ = true;
  if (world->engine_ == nullptr) return;  // a close() is under way, and removes the hook itself
  world->settle_for_teardown();
  world->close(Life::Exited, nullptr);
}

// Afterwards no peer touches this rank's buffers: every transfer is closed, so that no other chunk can be claimed, and
// whoever had claimed one has copied it. What is held (remains.h) need not be waited for, and a peer of another process
// may be stopped in the middle; but memory of another addon's goes with its environment whoever holds it, and where a
// thread of this process is still copying from there the whole process would crash.
void World::settle_for_teardown() {
  if (settled_) return;
  settled_ = true;
  engine_->abandon(Error::PeerExited);
  const uint64_t begin = uv_hrtime();
  while (!engine_->quiescent()) {
    const uint64_t waited = uv_hrtime() - begin;
    if (waited >= kLetGoNs && (waited >= kThreadLetGoNs || !thread_inside_copy())) return;
    engine_->progress(Effort::Idle);
    look_around(1);
  }
}

bool World::thread_inside_copy() const {
  for (uint32_t peer = 0; peer < joined_->geometry.size; ++peer) {
    if (peer != rank_ && joined_->peers[peer].same_process && engine_->peer_inside_copy(peer)) return true;
  }
  return false;
}

// Node frees the external buffers of all addons after it has closed its handles, for which the loop turns, and before it
// runs any cleanup hook (Environment::RunCleanup).
bool World::settle_if_ending() {
  if (!settled_ && !engine_->idle() && js::has_ended(env_)) settle_for_teardown();
  return settled_;
}

void World::publish_exit() {
  if (engine_ != nullptr) engine_->publish_life(Life::Exited);
}

}  // namespace uintr
