// What bootstrap and drivers need of an engine, without the engine.
#include "engine/engine.h"

#include "engine_stub.h"

namespace uintr {

bool Engine::valid(const Geometry& geometry, const char** what) {
  *what = "size";
  return geometry.size >= 1 && geometry.size <= kMaxRanks && geometry.heap_bytes > 0;
}

void Engine::on_interrupt() { __atomic_fetch_add(&reinterpret_cast<StubEngine*>(this)->runs, 1, __ATOMIC_SEQ_CST); }

}  // namespace uintr
