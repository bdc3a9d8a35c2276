// Regions: where primitives lie, and how others find them.
#include <stdlib.h>

#include "addon/boxed.h"
#include "addon/exit.h"
#include "addon/join_job.h"
#include "addon/sync.h"
#include "addon/world.h"

namespace uintr {
namespace {

using sync::Handle;
using sync::Kind;
using sync::ObjectHeader;
using sync::Region;

struct RegionBox {
  SharedOpenRegion open;
  ~RegionBox() { close(); }
  void close() {
    if (open->use != nullptr) exit_forget(open.get());
    open->use.reset();
    open->region.reset();
  }
};

JoinError sync_error(JoinError error) {
  const bool shortage = is_shortage(error.error_number);
  if (error.code == std::string("ERR_UINTR_JOIN")) error.code = shortage ? "ERR_UINTR_NO_MEMORY" : "ERR_UINTR_UNSUPPORTED";
  return error;
}

napi_value closed(napi_env env) {
  JoinError error;
  fail(&error, "ERR_UINTR_CLOSED", "the region is closed");
  return failure_object(env, error);
}

std::string text_of(napi_env env, napi_value value) {
  napi_value box = js::object(env);
  js::set(env, box, "text", value);
  return js::get_string(env, box, "text");
}

Kind kind_of(napi_env env, napi_value value) { return static_cast<Kind>(js::to_number(env, value)); }

bool is_kind(Kind kind) { return kind >= Kind::Mutex && kind <= Kind::Completion; }

// find(kind, name): the line of the object of that name, made where there is none; or why not
napi_value find(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto& box = box_of<RegionBox>(env, info, 2, values);
  Region* region = box.open->region.get();
  if (region == nullptr) return closed(env);
  JoinError error;
  const ObjectHeader* found = region->find_or_make(kind_of(env, values[0]), text_of(env, values[1]), &error);
  return found == nullptr ? failure_object(env, sync_error(error)) : js::number(env, region->line_of(found));
}

// object(kind, line): what has the calls of that kind; undefined: there is none of that kind at that line
napi_value object_at(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto& box = box_of<RegionBox>(env, info, 2, values);
  const Kind kind = kind_of(env, values[0]);
  if (box.open->region == nullptr || !is_kind(kind)) return js::undefined(env);
  ObjectHeader* object = box.open->region->at(static_cast<uint32_t>(js::to_number(env, values[1])), kind);
  if (object == nullptr) return js::undefined(env);
  switch (kind) {
    case Kind::AtomicCounter:
    case Kind::PerCpuCounter:
      return counter_object(env, box.open, kind, object);
    case Kind::Completion:
      return completion_object(env, box.open, object);
    default:
      return lock_object(env, box.open, kind, object);
  }
}

// createFd(): a descriptor, or why not
napi_value create_fd(napi_env env, napi_callback_info info) {
  auto& box = box_of<RegionBox>(env, info);
  if (box.open->region == nullptr) return closed(env);
  JoinError error;
  const int fd = box.open->region->duplicate(&error);
  return fd >= 0 ? js::number(env, fd) : failure_object(env, sync_error(error));
}

napi_value close_region(napi_env env, napi_callback_info info) {
  box_of<RegionBox>(env, info).close();
  return js::undefined(env);
}

napi_value region_or_failure(napi_env env, std::shared_ptr<Region> region, std::unique_ptr<sync::NamedUse> use,
                             const JoinError& error) {
  if (region == nullptr) return failure_object(env, sync_error(error));
  return region_object(env, std::move(region), std::move(use));
}

napi_value create_region(napi_env env, napi_callback_info info) {
  napi_value bytes = nullptr;
  js::arguments(env, info, 1, &bytes);
  JoinError error;
  auto region = Region::create(static_cast<uint64_t>(js::to_number(env, bytes)), &error);
  return region_or_failure(env, std::move(region), nullptr, error);
}

// What is wrong with what was opened, as an argument's error.
JoinError named(JoinError error, const std::string& argument, const std::string& value) {
  if (error.code == std::string("ERR_UINTR_INVALID_ARGUMENT")) {
    error.message = "'" + argument + "' must be that of a region that is open; it is " + value +
                    (error.message.empty() ? "" : ": " + error.message);
  }
  return error;
}

// openRegion(handle)
napi_value open_region(napi_env env, napi_callback_info info) {
  napi_value text = nullptr;
  js::arguments(env, info, 1, &text);
  JoinError error;
  Handle handle{};
  std::shared_ptr<Region> region;
  if (Handle::parse(text_of(env, text), &handle))
    region = Region::open(handle, &error);
  else
    fail(&error, "ERR_UINTR_INVALID_ARGUMENT", "");
  return region_or_failure(env, std::move(region), nullptr, named(error, "handle", "'" + text_of(env, text) + "'"));
}

// regionOfFd(fd)
napi_value region_of_fd(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  js::arguments(env, info, 1, &value);
  const int fd = static_cast<int>(js::to_number(env, value, -1));
  JoinError error;
  auto region = Region::open(fd, &error);
  return region_or_failure(env, std::move(region), nullptr, named(error, "fd", std::to_string(fd)));
}

// namedRegion(name, bytes)
napi_value named_region(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  js::arguments(env, info, 2, values);
  const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
  JoinError error;
  std::unique_ptr<sync::NamedUse> use;
  auto region = sync::open_named(runtime == nullptr ? "" : runtime, home == nullptr ? "" : home, text_of(env, values[0]),
                                 static_cast<uint64_t>(js::to_number(env, values[1])), &use, &error);
  return region_or_failure(env, std::move(region), std::move(use), error);
}

}  // namespace

napi_value region_object(napi_env env, std::shared_ptr<Region> region, std::unique_ptr<sync::NamedUse> use) {
  auto box = std::make_unique<RegionBox>();
  box->open.reset(new OpenRegion{std::move(region), std::move(use)});  // make_shared needs a newer libstdc++
  if (box->open->use != nullptr) {
    exit_watch(box->open.get(), [](void* open) { static_cast<OpenRegion*>(open)->use.reset(); });
  }
  const auto bytes = static_cast<double>(box->open->region->bytes());
  const std::string handle = box->open->region->handle().text();
  constexpr Method kCalls[] = {
      {"find", find}, {"object", object_at}, {"createFd", create_fd}, {"close", close_region}};
  napi_value object = boxed_object(env, std::move(box), kCalls);
  js::set(env, object, "byteLength", bytes);
  js::set(env, object, "handle", handle);
  return object;
}

napi_value world_region(napi_env env, World* world) {
  if (world->engine() == nullptr) return closed(env);
  JoinError error;
  const Layout layout{world->joined().geometry};
  auto region = Region::inside(world->joined().world.fd(), layout.sync_region(), kSyncRegionBytes, &error);
  return region_or_failure(env, std::move(region), nullptr, error);
}

void export_sync(napi_env env, napi_value exports) {
  constexpr Method kCalls[] = {{"createRegion", create_region},
                               {"openRegion", open_region},
                               {"regionOfFd", region_of_fd},
                               {"namedRegion", named_region}};
  for (const Method& call : kCalls) js::set(env, exports, call.name, js::function(env, call.name, call.callback, nullptr));
}

}  // namespace uintr
