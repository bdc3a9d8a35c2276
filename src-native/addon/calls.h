// Functions of a world's JavaScript object, by how often they are called.
#pragma once

#include <node_api.h>

namespace uintr {

class World;

void define_calls(World* world, napi_value object);   // messages (calls.cc)
void define_blocks(World* world, napi_value object);  // memory of the shared heap (blocks.cc)
void define_report(World* world, napi_value object);  // stats and inspect (report.cc)
void define_trace(World* world, napi_value object);   // the timeline (timeline.cc)

}  // namespace uintr
