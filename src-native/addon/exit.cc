#include "addon/exit.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "addon/world.h"

namespace uintr {
namespace {

struct Watched {
  World* world;
  uv_thread_t thread;
};

// Never destroyed: a destructor would run among the very exit handlers that this is about.
struct Registry {
  uv_mutex_t mutex;
  std::vector<Watched> worlds;
};

Registry& registry() {
  static Registry* it = [] {
    auto* made = new Registry;
    uv_mutex_init(&made->mutex);
    // Only the exiting thread's worlds: other threads may be inside theirs.
    atexit([] {
      uv_thread_t self = uv_thread_self();
      uv_mutex_lock(&registry().mutex);
      for (const Watched& watched : registry().worlds) {
        if (uv_thread_equal(&watched.thread, &self)) watched.world->publish_exit();
      }
      uv_mutex_unlock(&registry().mutex);
    });
    return made;
  }();
  return *it;
}

}  // namespace

void exit_watch(World* world) {
  Registry& all = registry();
  uv_mutex_lock(&all.mutex);
  all.worlds.push_back({world, uv_thread_self()});
  uv_mutex_unlock(&all.mutex);
}

void exit_forget(World* world) {
  Registry& all = registry();
  uv_mutex_lock(&all.mutex);
  std::erase_if(all.worlds, [world](const Watched& watched) { return watched.world == world; });
  uv_mutex_unlock(&all.mutex);
}

}  // namespace uintr
