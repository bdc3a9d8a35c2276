// The primitives of src-native/sync as JavaScript sees them. lib/sync checks arguments, repeats what blocks in slices, and
// says what went wrong.
#pragma once

#include <node_api.h>

#include <memory>

#include "sync/named_region.h"
#include "sync/region.h"

namespace uintr {

class World;

// What the objects of one open region share; null regions are closed, and their objects then do nothing. A wait of
// another thread keeps the region itself.
struct OpenRegion {
  std::shared_ptr<sync::Region> region;
  std::unique_ptr<sync::NamedUse> use;
};
using SharedOpenRegion = std::shared_ptr<OpenRegion>;

// A region's JavaScript object; undefined while the environment ends.
napi_value region_object(napi_env env, std::shared_ptr<sync::Region> region, std::unique_ptr<sync::NamedUse> use);
// syncRegion() of a world: its region, or why not.
napi_value world_region(napi_env env, World* world);

// Objects for what lies at that line of a region, which is of that kind.
napi_value lock_object(napi_env env, const SharedOpenRegion& open, sync::Kind kind, sync::ObjectHeader* object);
napi_value counter_object(napi_env env, const SharedOpenRegion& open, sync::Kind kind, sync::ObjectHeader* object);
napi_value completion_object(napi_env env, const SharedOpenRegion& open, sync::ObjectHeader* object);

// createRegion, openRegion, regionOfFd, namedRegion
void export_sync(napi_env env, napi_value exports);

}  // namespace uintr
