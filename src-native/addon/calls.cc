// The functions of a world's JavaScript object that every message goes through. Each gets its World as the function's
// own data, which costs less than unwrapping and cannot fail in termination; arguments and outcomes go through the
// exchange.
#include "addon/calls.h"

#include "addon/bytes.h"
#include "addon/world.h"

namespace uintr {
namespace {

napi_value integer(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

// A posted operation's slot, or what became of it. `array_buffer` holds its bytes.
int32_t outcome(World* world, const Posted& posted, napi_value array_buffer) {
  if (world->engine()->has_stalled()) world->engine()->resume_stalled();
  if (posted.handle != kNoHandle) {
    world->remember(posted.handle, array_buffer);
    return static_cast<int32_t>(handle_slot(posted.handle));
  }
  world->exchange().immediate = posted.completion;
  return posted.completion.error == Error::None ? kPostDone : kPostFailed;
}

// postSend(data): slot or PostResult
napi_value post_send(napi_env env, napi_callback_info info) {
  napi_value data = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &data));
  if (world->engine() == nullptr) return integer(env, kPostClosed);
  const Exchange& x = world->exchange();
  world->engine()->about_to_send(x.peer);
  Bytes bytes;
  if (!bytes_of(env, data, &bytes)) return integer(env, kPostNotBytes);
  const bool lend = (x.flags & kFlagLend) != 0 && bytes.length != 0;
  if (lend && !world->owns(bytes.data, bytes.length)) return integer(env, kPostNotOwn);
  Posted posted = world->engine()->post_send(
      {x.peer, x.context, x.tag, bytes.data, bytes.length, (x.flags & kFlagSynchronous) != 0, lend, world->habit().waits()});
  if (bytes.length > world->eager_limit()) world->habit().posted(arch::cycles());
  return integer(env, outcome(world, posted, bytes.array_buffer));
}

// postRecv(into | undefined): slot or PostResult
napi_value post_recv(napi_env env, napi_callback_info info) {
  napi_value into = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &into));
  if (world->engine() == nullptr) return integer(env, kPostClosed);
  const Exchange& x = world->exchange();
  world->engine()->about_to_receive(x.peer);
  bool allocate = (x.flags & kFlagAllocate) != 0;
  Bytes bytes{};
  if (!allocate && !bytes_of(env, into, &bytes)) return integer(env, kPostNotBytes);
  const bool patient = (x.flags & kFlagPatient) != 0;
  Posted posted = world->engine()->post_recv(
      {x.peer, x.context, x.tag, bytes.data, bytes.length, allocate, patient,
       world->habit().waits()});
  if (allocate || bytes.length > world->eager_limit()) world->habit().posted(arch::cycles());
  return integer(env, outcome(world, posted, bytes.array_buffer));
}

// drain(): completions in the batch
napi_value drain(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  return integer(env, static_cast<int32_t>(world->take_batch()));
}

// progress(): completions in the batch
napi_value progress(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  if (world->engine() == nullptr) return integer(env, 0);
  // A loop on `done` never comes to the event loop, which is where deaths are seen otherwise. Before the engine takes
  // what has come: a rank that has returned is let in after what others had sent before that.
  world->look_around_sometimes();
  world->advance(Effort::Call);
  return integer(env, static_cast<int32_t>(world->take_batch()));
}

// waitSlice(ms): completions in the batch; 0 after at most as long
napi_value wait_slice(napi_env env, napi_callback_info info) {
  napi_value ms = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &ms));
  return integer(env, static_cast<int32_t>(world->wait_slice(js::to_number(env, ms))));
}

// cancel(slot): whether it will complete with Cancelled
napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value slot = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &slot));
  if (world->engine() == nullptr) return js::boolean(env, false);
  Handle handle = world->handle_in(static_cast<uint32_t>(js::to_number(env, slot)));
  return js::boolean(env, handle != kNoHandle && world->engine()->cancel(handle));
}

// giveUp(slot): whether it was a receive that only the program could find memory for; it has failed then
napi_value give_up(napi_env env, napi_callback_info info) {
  napi_value slot = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &slot));
  if (world->engine() == nullptr) return js::boolean(env, false);
  return js::boolean(env, world->give_up(world->handle_in(static_cast<uint32_t>(js::to_number(env, slot)))));
}

// probe(): whether there is a message; its envelope is in Exchange::immediate
napi_value probe(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  if (world->engine() == nullptr) return js::boolean(env, false);
  Exchange& x = world->exchange();
  Envelope envelope{};
  bool found = world->engine()->probe(x.peer, x.context, x.tag, &envelope);
  if (found) {
    x.immediate.source = envelope.source;
    x.immediate.tag = envelope.tag;
    x.immediate.length = envelope.length;
  }
  return js::boolean(env, found);
}

// improbe(): a slot, or PostResult; the envelope, or the error, is in Exchange::immediate
napi_value improbe(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  if (world->engine() == nullptr) return integer(env, kPostClosed);
  Exchange& x = world->exchange();
  Envelope envelope{};
  Error error = Error::None;
  Handle handle = world->engine()->improbe(x.peer, x.context, x.tag, &envelope, &error);
  x.immediate = {handle, error, Cause::None, envelope.source, envelope.tag, envelope.length, kNoHeap};
  if (handle == kNoHandle) return integer(env, error == Error::None ? kPostNothing : kPostFailed);
  world->remember_name(handle);
  return integer(env, static_cast<int32_t>(handle_slot(handle)));
}

// imrecv(slot, into | undefined): the slot, or PostResult
napi_value imrecv(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto* world = static_cast<World*>(js::arguments(env, info, 2, values));
  if (world->engine() == nullptr) return integer(env, kPostClosed);
  bool allocate = (world->exchange().flags & kFlagAllocate) != 0;
  Bytes bytes{};
  if (!allocate && !bytes_of(env, values[1], &bytes)) return integer(env, kPostNotBytes);
  Handle handle = world->handle_in(static_cast<uint32_t>(js::to_number(env, values[0])));
  Posted posted = world->engine()->imrecv(handle, bytes.data, bytes.length, allocate);
  return integer(env, outcome(world, posted, bytes.array_buffer));
}

// unreachable(): whether nobody is left who could send; Exchange::immediate then has what a receive would fail with
napi_value unreachable(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  Exchange& x = world->exchange();
  return js::boolean(env, world->engine() != nullptr && world->engine()->unreachable(x.peer, &x.immediate));
}

// watch(on): whether the loop is to tell of arrivals that no receive was posted for
napi_value watch(napi_env env, napi_callback_info info) {
  napi_value on = nullptr;
  auto* world = static_cast<World*>(js::arguments(env, info, 1, &on));
  bool value = false;
  if (world->engine() != nullptr && napi_get_value_bool(env, on, &value) == napi_ok) world->engine()->watch(value);
  return js::undefined(env);
}

}  // namespace

void define_calls(World* world, napi_value object) {
  napi_env env = world->env();
  constexpr struct {
    const char* name;
    napi_callback callback;
  } kCalls[] = {
      {"postSend", post_send}, {"postRecv", post_recv}, {"drain", drain},          {"progress", progress},
      {"cancel", cancel},      {"probe", probe},        {"waitSlice", wait_slice}, {"giveUp", give_up},
      {"improbe", improbe},    {"imrecv", imrecv},      {"watch", watch},          {"unreachable", unreachable},
  };
  for (const auto& call : kCalls) js::set(env, object, call.name, js::function(env, call.name, call.callback, world));
}

}  // namespace uintr
