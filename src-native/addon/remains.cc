#include "addon/remains.h"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "engine/engine.h"

namespace uintr {
namespace {

constexpr uint64_t kFirstLookMs = 50, kLastLookMs = 1000;

// Never destroyed, as in exit.cc.
struct Kept {
  std::mutex mutex;
  std::vector<Remains> all;
  std::atomic<size_t> count{0};
};

Kept& kept() {
  static Kept* it = new Kept;
  return *it;
}

bool untouched(Remains& remains) {
  const Joined& joined = *remains.joined;
  const std::vector<uint32_t> dead = remains.joined->liveness.drain().dead;
  std::erase_if(remains.peers, [&](uint32_t peer) {
    return std::find(dead.begin(), dead.end(), peer) != dead.end() ||
           Engine::peer_has_let_go(joined.geometry, joined.maps[peer], joined.rank);
  });
  return remains.peers.empty();
}

// Looks from a loop, now and then, while there is something to look at. Deletes itself when its handle is closed.
struct Watch {
  uv_timer_t timer;
  uint64_t after = kFirstLookMs;  // ms
  napi_async_cleanup_hook_handle hook = nullptr;

  void look_later() {
    uv_timer_start(&timer, [](uv_timer_t* timer) { static_cast<Watch*>(timer->data)->look(); }, after, 0);
  }

  void look() {
    remains_release();
    if (kept().count == 0) return end();
    after = std::min(after * 2, kLastLookMs);
    look_later();
  }

  void end() {
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), [](uv_handle_t* handle) {
      auto* watch = static_cast<Watch*>(handle->data);
      napi_async_cleanup_hook_handle hook = watch->hook;
      delete watch;
      if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
    });
  }
};

void on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* watch = static_cast<Watch*>(argument);
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&watch->timer)) == 0) watch->end();
}

void watch_from(napi_env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto* watch = new Watch;
  uv_timer_init(loop, &watch->timer);
  watch->timer.data = watch;
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->timer));
  napi_add_async_cleanup_hook(env, on_teardown, watch, &watch->hook);
  watch->look_later();
}

}  // namespace

void remains_keep(napi_env env, Remains remains) {
  remains.joined->leave();
  {
    std::lock_guard lock(kept().mutex);
    kept().all.push_back(std::move(remains));
    kept().count = kept().all.size();
  }
  if (env != nullptr) watch_from(env);
}

void remains_release() {
  if (kept().count == 0) return;
  std::lock_guard lock(kept().mutex);
  std::erase_if(kept().all, untouched);
  kept().count = kept().all.size();
}

}  // namespace uintr
