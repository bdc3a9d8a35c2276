// The timeline: its memory, and what JavaScript reads of it (lib/trace.ts).
#include "addon/timeline.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <vector>

#include "addon/calls.h"
#include "addon/tsc.h"
#include "addon/world.h"

namespace uintr {

bool Timeline::open(uint32_t capacity) {
  // Here at once, and not page by page in the middle of what is recorded.
  void* memory = mmap(nullptr, Trace::bytes(capacity), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return false;
  trace_ = static_cast<Trace*>(memory);
  trace_->open(capacity, tsc::is_invariant());
  capacity_ = capacity;
  return true;
}

void Timeline::close() {
  if (trace_ != nullptr) munmap(trace_, Trace::bytes(capacity_));
  trace_ = nullptr;
}

namespace {

constexpr int kTries = 16;

napi_value big(napi_env env, uint64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_uint64(env, value, &result);
  return result;
}

World* world_of(napi_env env, napi_callback_info info, size_t max = 0, napi_value* values = nullptr) {
  return static_cast<World*>(js::arguments(env, info, max, values));
}

// startTrace(events): whether there is memory for it
napi_value start_trace(napi_env env, napi_callback_info info) {
  napi_value events = nullptr;
  World* world = world_of(env, info, 1, &events);
  Timeline& timeline = world->timeline();
  if (world->engine() == nullptr) return js::boolean(env, false);
  if (timeline.trace() == nullptr && !timeline.open(static_cast<uint32_t>(js::to_number(env, events)))) {
    return js::boolean(env, false);
  }
  world->engine()->record(timeline.trace());
  return js::boolean(env, true);
}

napi_value stop_trace(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  if (world->engine() != nullptr) world->engine()->record(nullptr);
  world->timeline().close();
  return js::undefined(env);
}

// readTrace(from): what is left of the events from that place on, as { events: ArrayBuffer of TraceEvents, next: where
// to go on, lost: how many were overwritten first }
napi_value read_trace(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  World* world = world_of(env, info, 1, &value);
  const Timeline& timeline = world->timeline();
  if (timeline.trace() == nullptr) return js::undefined(env);
  if (world->engine() != nullptr) world->engine()->seal_trace();
  const auto from = static_cast<uint64_t>(js::to_number(env, value));
  const uint64_t next = timeline.trace()->count();
  const uint64_t first = std::max(from, next > timeline.capacity() ? next - timeline.capacity() : 0);
  std::vector<TraceEvent> events;
  events.reserve(next - first);
  TraceEvent event;
  for (uint64_t place = first; place < next; ++place) {
    if (timeline.trace()->read(place, &event)) events.push_back(event);
  }
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, events.size() * sizeof(TraceEvent), &data, &buffer) != napi_ok) {
    return js::undefined(env);
  }
  std::copy(events.begin(), events.end(), static_cast<TraceEvent*>(data));
  napi_value result = js::object(env);
  js::set(env, result, "events", buffer);
  js::set(env, result, "next", static_cast<double>(next));
  js::set(env, result, "lost", static_cast<double>(next - from - events.size()));
  return result;
}

// traceClock(): [the clock of the events, CLOCK_MONOTONIC in ns] of one moment, and which clock it is
napi_value trace_clock(napi_env env, napi_callback_info) {
  const bool cycles = tsc::is_invariant();
  uint64_t best = ~0ull, at = 0, ns = 0;
  // An interrupt between the readings would show as a long way from one to the other.
  for (int i = 0; i < kTries && cycles; ++i) {
    const uint64_t before = arch::cycles(), between = uv_hrtime(), after = arch::cycles();
    if (after - before >= best) continue;
    best = after - before;
    at = before + best / 2;
    ns = between;
  }
  if (!cycles) at = ns = uv_hrtime();
  napi_value result = js::object(env);
  js::set(env, result, "source", std::string(cycles ? "tsc" : "monotonic"));
  js::set(env, result, "at", big(env, at));
  js::set(env, result, "ns", big(env, ns));
  return result;
}

// traceIdentity(): what tells the world from every other of this boot, and this rank's thread
napi_value trace_identity(napi_env env, napi_callback_info info) {
  World* world = world_of(env, info);
  struct statx segment {};  // not fstat, as in segments.cc
  napi_value result = js::object(env);
  statx(world->joined().world.fd(), "", AT_EMPTY_PATH, STATX_INO, &segment);
  js::set(env, result, "world", static_cast<double>(segment.stx_ino));
  js::set(env, result, "tid", static_cast<double>(syscall(SYS_gettid)));
  return result;
}

// lockFile(fd): whether it is this descriptor's now; goes with it
napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value fd = nullptr;
  js::arguments(env, info, 1, &fd);
  return js::boolean(env, flock(static_cast<int>(js::to_number(env, fd)), LOCK_EX | LOCK_NB) == 0);
}

}  // namespace

void define_trace(World* world, napi_value object) {
  napi_env env = world->env();
  constexpr struct {
    const char* name;
    napi_callback callback;
  } kCalls[] = {
      {"startTrace", start_trace}, {"stopTrace", stop_trace},         {"readTrace", read_trace},
      {"traceClock", trace_clock}, {"traceIdentity", trace_identity}, {"lockFile", lock_file},
  };
  for (const auto& call : kCalls) js::set(env, object, call.name, js::function(env, call.name, call.callback, world));
}

}  // namespace uintr
