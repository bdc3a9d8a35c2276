// Buffers in the shared heap: what alloc() gives, and what a message without a receive buffer arrived in. Each is an
// external ArrayBuffer of its own over the heap's mapping, which it keeps alive; so it stays readable after the world
// is closed. Its block goes back to the arena when nobody can look at it any more: in the finalizer, which runs from
// the event loop, or already in free() or reclaim() where it can be seen that nobody holds the memory.
#include <string.h>

#include <memory>

#include "addon/backing_store.h"
#include "addon/block.h"
#include "addon/calls.h"
#include "addon/instance.h"
#include "addon/world.h"

namespace uintr {
namespace {

// Gives the block back, once.
void give_back(Block* block) {
  if (block->world == nullptr) return;
  block->world->forget_block(block->offset);
  if (Engine* engine = block->world->engine()) engine->heap_free(block->offset);
  block->world.reset();
}

// On the thread of the environment, at the latest in its teardown.
void finalize(napi_env, void*, void* hint) {
  auto* block = static_cast<Block*>(hint);
  give_back(block);
  block->heap->release();
  delete block;
}

napi_value wrap(World* world, uint64_t offset, uint64_t bytes) {
  napi_env env = world->env();
  HeapMapping* heap = world->joined().heap;
  heap->retain();
  auto* block = new Block{world->shared_from_this(), heap, offset, {}, false};
  world->note_block(block);
  napi_value result = nullptr;
  if (napi_create_external_arraybuffer(env, heap->base() + offset, bytes, finalize, block, &result) != napi_ok) {
    // Node has taken the block over whether or not it says so: where it refuses the length it has called finalize() by
    // now. What it threw, the caller says better.
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env, &thrown);
    return js::undefined(env);
  }
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
  return wrap(world, offset, bytes);
}

// takeBlock(offset, bytes): the ArrayBuffer of a message that arrived there
napi_value take_block(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto* world = static_cast<World*>(js::arguments(env, info, 2, values));
  if (world->engine() == nullptr) return js::undefined(env);
  return wrap(world, static_cast<uint64_t>(js::to_number(env, values[0])),
              static_cast<uint64_t>(js::to_number(env, values[1])));
}

// detach(buffer): false if it is no block of this world's.
napi_value detach(napi_env env, napi_callback_info info) {
  napi_value buffer = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &buffer));
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env, buffer, &data, &length) != napi_ok || length == 0) return js::boolean(env, false);
  Block* block = world->block_at(data);
  if (block == nullptr) return js::boolean(env, false);
  BackingStore store = backing_store_of(buffer);
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
  for (Block* block : unreachable) give_back(block);
  return !unreachable.empty();
}

void define_blocks(World* world, napi_value object) {
  napi_env env = world->env();
  js::set(env, object, "alloc", js::function(env, "alloc", alloc, world));
  js::set(env, object, "takeBlock", js::function(env, "takeBlock", take_block, world));
  js::set(env, object, "detach", js::function(env, "detach", detach, world));
}

}  // namespace uintr
