#include "addon/exit.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace uintr {
namespace {

struct Watched {
  void* who;
  void (*last_word)(void*);
  uv_thread_t thread;
};

// Never destroyed: a destructor would run among the very exit handlers that this is about.
struct Registry {
  uv_mutex_t mutex;
  std::vector<Watched> watched;
};

Registry& registry() {
  static Registry* it = [] {
    auto* made = new Registry;
    uv_mutex_init(&made->mutex);
    // Only the exiting thread's: other threads may be inside theirs.
    atexit([] {
      uv_thread_t self = uv_thread_self();
      uv_mutex_lock(&registry().mutex);
      for (const Watched& one : registry().watched) {
        if (uv_thread_equal(&one.thread, &self)) one.last_word(one.who);
      }
      uv_mutex_unlock(&registry().mutex);
    });
    return made;
  }();
  return *it;
}

}  // namespace

void exit_watch(void* who, void (*last_word)(void*)) {
  Registry& all = registry();
  uv_mutex_lock(&all.mutex);
  all.watched.push_back({who, last_word, uv_thread_self()});
  uv_mutex_unlock(&all.mutex);
}

void exit_forget(void* who) {
  Registry& all = registry();
  uv_mutex_lock(&all.mutex);
  std::erase_if(all.watched, [who](const Watched& one) { return one.who == who; });
  uv_mutex_unlock(&all.mutex);
}

}  // namespace uintr
