// stats() and inspect(): what an engine has counted, and what it holds at this moment.
#include "addon/calls.h"
#include "addon/world.h"

namespace uintr {
namespace {

constexpr const char* kCopyNames[] = {"direct", "heap", "cma", "pipeline"};
constexpr const char* kKindNames[] = {"send", "receive", "collective"};
constexpr const char* kStateNames[] = {"queued",  "offered", "posted",  "matched", "active",
                                       "closing", "stalled", "done",    "lent"};

napi_value copies(napi_env env, const Counters& counters) {
  napi_value result = js::object(env);
  for (int kind = 0; kind < 4; ++kind) {
    napi_value sides = js::object(env);
    js::set(env, sides, "asReceiver", static_cast<double>(counters.copied_bytes[kind][0]));
    js::set(env, sides, "asSender", static_cast<double>(counters.copied_bytes[kind][1]));
    js::set(env, result, kCopyNames[kind], sides);
  }
  return result;
}

napi_value interrupts(napi_env env, const Counters& counters) {
  napi_value result = js::object(env);
  js::set(env, result, "posted", static_cast<double>(counters.interrupts_posted));
  js::set(env, result, "sent", static_cast<double>(counters.interrupts_sent));
  js::set(env, result, "suppressed", static_cast<double>(counters.interrupts_suppressed));
  js::set(env, result, "handled", static_cast<double>(counters.interrupts_handled));
  js::set(env, result, "deferred", static_cast<double>(counters.interrupts_deferred));
  return result;
}

napi_value stats(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  if (world->engine() == nullptr) return js::undefined(env);
  Counters counters{};
  world->engine()->counters(&counters);
  napi_value result = js::object(env);
  const struct {
    const char* name;
    uint64_t value;
  } numbers[] = {
      {"sends", counters.sends},
      {"receives", counters.receives},
      {"bytesSent", counters.bytes_sent},
      {"bytesReceived", counters.bytes_received},
      {"eagerSent", counters.eager_sent},
      {"rendezvousSent", counters.rendezvous_sent},
      {"matchedBySender", counters.pushed},
      {"lent", counters.lent},
      {"borrowed", counters.borrowed},
      {"wakesSent", counters.wakes_sent},
      {"slicesInHandler", counters.slices_in_handler},
      {"batonsPassed", counters.batons_passed},
      {"unexpected", counters.unexpected},
      {"collectives", counters.schedules},
      {"collectivesFailed", counters.schedules_failed},
      {"collectiveStepsInHandler", counters.steps_in_handler},
  };
  for (const auto& number : numbers) js::set(env, result, number.name, static_cast<double>(number.value));
  js::set(env, result, "interrupts", interrupts(env, counters));
  js::set(env, result, "copied", copies(env, counters));
  napi_value histogram = js::array(env);
  for (uint32_t i = 0; i < kHandlerBuckets; ++i) {
    js::set(env, histogram, i, js::number(env, static_cast<double>(counters.handler_cycles[i])));
  }
  js::set(env, result, "handlerCycles", histogram);
  return result;
}

// A rank or tag as JavaScript knows it: -1 is the wildcard.
double or_any(uint32_t value, uint32_t any) { return value == any ? -1 : static_cast<double>(value); }

struct Listing {
  napi_env env;
  napi_value requests;
  uint32_t count;
};

napi_value inspect(napi_env env, napi_callback_info info) {
  auto* world = static_cast<World*>(js::arguments(env, info, 0, nullptr));
  if (world->engine() == nullptr) return js::undefined(env);
  QueueView queues{};
  world->engine()->queues(&queues);
  napi_value result = js::object(env);
  js::set(env, result, "posted", queues.posted);
  js::set(env, result, "unexpectedEager", queues.unexpected_eager);
  js::set(env, result, "unexpectedRendezvous", queues.unexpected_rendezvous);
  js::set(env, result, "active", queues.active);
  js::set(env, result, "queuedSends", queues.queued_sends);
  js::set(env, result, "slotsUsed", queues.slots_used);
  Listing listing{env, js::array(env), 0};
  world->engine()->each_request(
      [](void* to, const RequestView& view) {
        auto* list = static_cast<Listing*>(to);
        napi_value request = js::object(list->env);
        js::set(list->env, request, "kind", std::string(kKindNames[static_cast<uint32_t>(view.kind)]));
        js::set(list->env, request, "state", std::string(kStateNames[static_cast<uint32_t>(view.state)]));
        js::set(list->env, request, "peer", or_any(view.peer, kAnySource));
        js::set(list->env, request, "tag", or_any(view.tag, kAnyTag));
        js::set(list->env, request, "context", view.context);
        js::set(list->env, request, "byteLength", static_cast<double>(view.length));
        js::set(list->env, request, "moved", static_cast<double>(view.moved));
        if (view.kind == RequestView::Kind::Collective) {
          js::set(list->env, request, "slot", handle_slot(view.handle));
          js::set(list->env, request, "round", view.round);
          js::set(list->env, request, "rounds", view.rounds);
        }
        js::set(list->env, list->requests, list->count++, request);
      },
      &listing);
  js::set(env, result, "requests", listing.requests);
  return result;
}

}  // namespace

void define_report(World* world, napi_value object) {
  napi_env env = world->env();
  js::set(env, object, "stats", js::function(env, "stats", stats, world));
  js::set(env, object, "inspect", js::function(env, "inspect", inspect, world));
}

}  // namespace uintr
