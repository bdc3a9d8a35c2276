// Buffers in the shared heap: what alloc() gives, what a message without a receive buffer arrived in, and messages that
// are lent. Each is an external ArrayBuffer of its own over the mapping of the heap, which it keeps alive; so it stays
// readable after the world is closed. Its block goes back to the arena, or to its lender, when nobody can look at it any
// more: in the finalizer, which runs from the event loop, or already in free() or reclaim() where it can be seen that
// nobody holds the memory.
#include <string.h>

#include <memory>
#include <utility>
#include <vector>

#include "addon/backing_store.h"
#include "addon/block.h"
#include "addon/calls.h"
#include "addon/instance.h"
#include "addon/world.h"

namespace uintr {
namespace {

// A loan counts as no more than this towards the external memory for which V8 collects garbage: it is memory of the
// sender's, and a window of large messages, each released at once, would be paid for with a collection each. Programs
// that leave releasing to the garbage collector have it run after some hundred loans.
constexpr int64_t kCountedOfLoan = int64_t{256} * 1024;

// Gives the block back, once.
void give_back(Block* block) {
  if (block->world == nullptr) return;
  block->world->uncounted().put_back(block->world->env(), std::exchange(block->uncounted, 0));
  block->world->forget(block);
  Engine* engine = block->world->engine();
  if (engine != nullptr) block->loan == kNoHandle ? engine->heap_free(block->offset) : engine->give_back(block->loan);
  block->world.reset();
}

// On the thread of the environment, at the latest in its teardown.
void finalize(napi_env env, void*, void* hint) {
  auto* block = static_cast<Block*>(hint);
  give_back(block);
  if (block->buffer != nullptr) napi_delete_reference(env, block->buffer);
  block->heap->release();
  delete block;
}

napi_value wrap(World* world, HeapMapping* heap, uint64_t offset, uint64_t bytes, Handle loan = kNoHandle) {
  napi_env env = world->env();
  heap->retain();
  const auto length = static_cast<int64_t>(bytes);
  const int64_t uncounted = loan != kNoHandle && length > kCountedOfLoan ? length - kCountedOfLoan : 0;
  auto* block = new Block{world->shared_from_this(), heap, offset, loan, uncounted, nullptr, {}, false};
  world->note(block);
  world->uncounted().leave_out(env, uncounted);
  napi_value result = nullptr;
  if (napi_create_external_arraybuffer(env, heap->base() + offset, bytes, finalize, block, &result) != napi_ok) {
    // Node has taken the block over whether or not it says so: where it refuses the length it has called finalize() by
    // now. What it threw, the caller says better.
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env, &thrown);
    return js::undefined(env);
  }
  if (loan != kNoHandle) napi_create_reference(env, result, 0, &block->buffer);
  BackingStore store = backing_store_of(result);
  block->store = store;
  block->watched = store != nullptr;
  return result;
}

// alloc(bytes): a zeroed ArrayBuffer, undefined: no memory
napi_value alloc(napi_env env, napi_callback_info info) {
  napi_value size = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &size));
  if (world->engine() == nullptr) return js::undefined(env);
  auto bytes = static_cast<uint64_t>(js::to_number(env, size));
  uint64_t offset = world->engine()->heap_alloc(bytes);
  // What the program has let go of counts as free, though its finalizers have not run yet.
  const bool hopeless = bytes > world->joined().geometry.heap_bytes;
  for (int tries = 0; tries < 2 && offset == kNoHeap && !hopeless; ++tries) {
    if (tries == 0 ? world->reclaim() : world->collect_garbage()) offset = world->engine()->heap_alloc(bytes);
  }
  if (offset == kNoHeap) return js::undefined(env);
  memset(world->joined().heap->base() + offset, 0, bytes);
  return wrap(world, world->joined().heap, offset, bytes);
}

// takeBlock(offset, bytes): the ArrayBuffer of a message that arrived there
napi_value take_block(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto* world = static_cast<World*>(js::arguments(env, info, 2, values));
  if (world->engine() == nullptr) return js::undefined(env);
  return wrap(world, world->joined().heap, static_cast<uint64_t>(js::to_number(env, values[0])),
              static_cast<uint64_t>(js::to_number(env, values[1])));
}

// takeLoan(handle): the ArrayBuffer of a message that is lent, in its sender's arena
napi_value take_loan(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &value));
  auto handle = static_cast<Handle>(js::to_number(env, value));
  Loan loan{};
  if (world->engine() == nullptr || !world->engine()->loan(handle, &loan)) return js::undefined(env);
  return wrap(world, world->joined().heap_of(loan.lender), loan.offset, loan.length, handle);
}

// loans(): the ArrayBuffers of what is lent to this rank; what nobody can look at any more goes back
napi_value loans(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  napi_value result = js::array(env);
  uint32_t count = 0;
  std::vector<Block*> unreachable;
  for (const auto& [handle, block] : world->loans()) {
    napi_value buffer = nullptr;
    napi_get_reference_value(env, block->buffer, &buffer);
    if (buffer != nullptr)
      js::set(env, result, count++, buffer);
    else if (!block->watched || block->store.expired())
      unreachable.push_back(block);
  }
  for (Block* block : unreachable) give_back(block);
  return result;
}

// detach(buffer, handle): false if it is no block of this world's; with a handle, if it is not that loan's.
napi_value detach(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto* world = static_cast<World*>(js::arguments(env, info, 2, values));
  napi_value buffer = values[0];
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env, buffer, &data, &length) != napi_ok || length == 0) return js::boolean(env, false);
  const double handle = js::to_number(env, values[1], -1);
  Block* block = handle < 0 ? world->block_at(data) : world->loan_of(static_cast<Handle>(handle));
  if (block == nullptr) return js::boolean(env, false);
  BackingStore store = backing_store_of(buffer);
  // What a rank has lent itself lies at the same place, in other hands.
  if (block->watched && store != nullptr && block->store.lock() != store) return js::boolean(env, false);
  world->uncounted().put_back(env, std::exchange(block->uncounted, 0));
  if (napi_detach_arraybuffer(env, buffer) != napi_ok) return js::boolean(env, false);
  if (store != nullptr && store.use_count() == 1) give_back(block);
  return js::boolean(env, true);
}

}  // namespace

bool World::reclaim() {
  std::vector<Block*> unreachable;
  for (const auto& [offset, block] : blocks_) {
    if (block->watched && block->store.expired()) unreachable.push_back(block);
  }
  for (const auto& [handle, block] : loans_) {
    if (block->watched && block->store.expired()) unreachable.push_back(block);
  }
  for (Block* block : unreachable) give_back(block);
  return !unreachable.empty();
}

void define_blocks(World* world, napi_value object) {
  napi_env env = world->env();
  js::set(env, object, "alloc", js::function(env, "alloc", alloc, world));
  js::set(env, object, "takeBlock", js::function(env, "takeBlock", take_block, world));
  js::set(env, object, "takeLoan", js::function(env, "takeLoan", take_loan, world));
  js::set(env, object, "loans", js::function(env, "loans", loans, world));
  js::set(env, object, "detach", js::function(env, "detach", detach, world));
}

}  // namespace uintr
