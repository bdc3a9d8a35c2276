// Lifetime, keep-alive, and what is known of the peers; and the world's JavaScript object as a whole.
#include "addon/calls.h"
#include "addon/sync.h"
#include "addon/world.h"

namespace uintr {
namespace {

World* world_of(napi_env env, napi_callback_info info, size_t max = 0, napi_value* values = nullptr) {
  return static_cast<World*>(js::arguments(env, info, max, values));
}

// ref(): the process stays alive. The loop undoes it by itself when Exchange::wanted is 0.
napi_value ref(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  if (world->engine() != nullptr && world->exchange().referenced == 0) {
    world->exchange().referenced = 1;
    world->loop().ref();
  }
  return js::undefined(env);
}

napi_value begin_close(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  if (world->engine() != nullptr) world->engine()->begin_close();
  return js::undefined(env);
}

// abandon(): fails what is unfinished with Error::Timeout
napi_value abandon(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  if (world->engine() != nullptr) world->engine()->abandon(Error::Timeout);
  return js::undefined(env);
}

napi_value quiescent(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  return js::boolean(env, world->engine() == nullptr || world->engine()->quiescent());
}

// close(done): the last word. `done` is called when the loop has let go of everything.
napi_value close(napi_env env, napi_callback_info info) {
  napi_value done = nullptr;
  World* world = world_of(env, info, 1, &done);
  world->close(Life::Closed, done);
  return js::undefined(env);
}

napi_value driver(napi_env env, napi_callback_info info) { return js::string(env, world_of(env, info)->driver_name()); }

// life(rank): Life, or -1 for a rank that is gone without having published its end
napi_value life(napi_env env, napi_callback_info info) {
  napi_value rank = nullptr;
  World* world = world_of(env, info, 1, &rank);
  if (world->engine() == nullptr) return js::number(env, -1);
  auto peer = static_cast<uint32_t>(js::to_number(env, rank));
  Life life = world->engine()->peer_life(peer);
  bool ended = life == Life::Closed || life == Life::Exited;
  return js::number(env, world->engine()->peer_is_gone(peer) && !ended ? -1 : static_cast<double>(life));
}

// admitted(rank): what the old life has ended is taken back here, so the new one may go on
napi_value admitted(napi_env env, napi_callback_info info) {
  napi_value rank = nullptr;
  World* world = world_of(env, info, 1, &rank);
  world->admitted(static_cast<uint32_t>(js::to_number(env, rank)));
  return js::undefined(env);
}

// letIn(rank): { pid, incarnation, failed } of the life in which it is a peer again, or with `failed` is none although
// it has lived; undefined where nobody waits any more
napi_value let_in(napi_env env, napi_callback_info info) {
  napi_value rank = nullptr;
  World* world = world_of(env, info, 1, &rank);
  Joined::Returning who{};
  if (!world->let_in(static_cast<uint32_t>(js::to_number(env, rank)), &who)) return js::undefined(env);
  napi_value result = js::object(env);
  js::set(env, result, "pid", who.pid);
  js::set(env, result, "incarnation", who.incarnation);
  js::set(env, result, "failed", js::boolean(env, who.failed));
  return result;
}

// copy(rank): the CopyKind bit that a large message takes
napi_value copy(napi_env env, napi_callback_info info) {
  napi_value rank = nullptr;
  World* world = world_of(env, info, 1, &rank);
  if (world->engine() == nullptr) return js::number(env, 0);
  return js::number(env, world->engine()->copy_kind(static_cast<uint32_t>(js::to_number(env, rank))));
}

// region(): where primitives are shared by all ranks; or why not
napi_value region(napi_env env, napi_callback_info info) { return world_region(env, world_of(env, info)); }

void define_control(World* world, napi_value object) {
  napi_env env = world->env();
  constexpr struct {
    const char* name;
    napi_callback callback;
  } kCalls[] = {
      {"ref", ref},     {"beginClose", begin_close}, {"abandon", abandon}, {"quiescent", quiescent},
      {"close", close}, {"driver", driver},          {"life", life},       {"copy", copy},
      {"letIn", let_in},
      {"admitted", admitted}, {"region", region},
  };
  for (const auto& call : kCalls) js::set(env, object, call.name, js::function(env, call.name, call.callback, world));
}

}  // namespace

napi_value World::object(napi_value on_batch) {
  napi_value result = js::object(env_), exchange = nullptr;
  if (!on_batch_.set(env_, on_batch, "uintr:world")) return nullptr;
  napi_get_reference_value(env_, exchange_ref_, &exchange);
  js::set(env_, result, "exchange", exchange);
  js::set(env_, result, "rank", rank_);
  js::set(env_, result, "size", joined_->geometry.size);
  js::set(env_, result, "maxRequests", joined_->geometry.max_requests);
  js::set(env_, result, "heapBytes", static_cast<double>(joined_->geometry.heap_bytes));
  js::set(env_, result, "hostedName", joined_->hosted_name);
  js::set(env_, result, "elastic", js::boolean(env_, joined_->geometry.elastic != 0));
  napi_value incarnations = js::array(env_);
  for (uint32_t i = 0; i < joined_->geometry.size; ++i) {
    js::set(env_, incarnations, i, js::number(env_, joined_->incarnations[i]));
  }
  js::set(env_, result, "incarnations", incarnations);
  define_calls(this, result);
  define_control(this, result);
  define_blocks(this, result);
  define_report(this, result);
  define_trace(this, result);
  define_schedules(this, result);
  return result;
}

}  // namespace uintr
