// A collective operation that was posted: what the engine works on, and what must not go away meanwhile.
#pragma once

#include <node_api.h>

#include <vector>

#include "addon/backing_store.h"
#include "engine/schedule.h"

namespace uintr {

class World;

struct PostedSchedule {
  Schedule schedule{};
  std::vector<ScheduleStep> steps;
  std::vector<BackingStore> bytes;
};

void define_schedules(World* world, napi_value object);

}  // namespace uintr
