#include "addon/inspect_signal.h"

#include <uv.h>

#include <memory>

#include "addon/instance.h"
#include "addon/js.h"
#include "bootstrap/thread.h"

namespace uintr {
namespace {

// A loop of its own on a helper thread, since the environment's may stand still. Deletes itself when the environment's
// loop has closed its handle.
struct InspectSignal {
  napi_env env;
  Instance* instance;
  js::Callback on_asked;
  uv_async_t asked;  // of the environment's loop; all else is the helper thread's
  uv_loop_t loop;
  uv_signal_t signal;
  uv_async_t stop;
  ThreadHandle thread = 0;
  std::shared_ptr<InspectSignal*> self;  // what stop() looks at; null after the end
  napi_async_cleanup_hook_handle hook = nullptr;
};

void close_helper(InspectSignal* it) {
  uv_close(reinterpret_cast<uv_handle_t*>(&it->signal), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&it->stop), nullptr);
}

void on_signal(uv_signal_t* handle, int) {
  auto* it = static_cast<InspectSignal*>(handle->data);
  it->instance->asked.fetch_add(1, std::memory_order_relaxed);
  uv_async_send(&it->asked);
}

void on_asked(uv_async_t* handle) {
  auto* it = static_cast<InspectSignal*>(handle->data);
  if (*it->self == nullptr) return;
  js::Scope scope(it->env);
  if (!scope.open()) return;
  napi_value times = js::number(it->env, it->instance->asked.load(std::memory_order_relaxed));
  if (times != nullptr) it->on_asked.call(1, &times);
}

void end(InspectSignal* it) {
  *it->self = nullptr;
  uv_async_send(&it->stop);
  thread_join(&it->thread);
  uv_loop_close(&it->loop);
  uv_close(reinterpret_cast<uv_handle_t*>(&it->asked), [](uv_handle_t* handle) {
    auto* it = static_cast<InspectSignal*>(handle->data);
    {
      js::Scope scope(it->env);
      it->on_asked.clear();
    }
    napi_async_cleanup_hook_handle hook = it->hook;
    delete it;
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
}

void on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* it = static_cast<InspectSignal*>(argument);
  if (*it->self != nullptr) end(it);
}

// False: nothing is left of it but its memory.
bool start_helper(InspectSignal* it, int number) {
  if (uv_loop_init(&it->loop) != 0) return false;
  bool started = false;
  if (uv_async_init(&it->loop, &it->stop, [](uv_async_t* handle) {
        close_helper(static_cast<InspectSignal*>(handle->data));
      }) == 0) {
    uv_signal_init(&it->loop, &it->signal);
    it->signal.data = it->stop.data = it;
    auto* body = +[](void* it) { static_cast<void>(uv_run(&static_cast<InspectSignal*>(it)->loop, UV_RUN_DEFAULT)); };
    started = uv_signal_start(&it->signal, on_signal, number) == 0 && thread_start(&it->thread, body, it);
    if (!started) close_helper(it);
  }
  if (started) return true;
  uv_run(&it->loop, UV_RUN_DEFAULT);
  uv_loop_close(&it->loop);
  return false;
}

napi_value stop(napi_env env, napi_callback_info info) {
  auto* self = static_cast<std::shared_ptr<InspectSignal*>*>(js::arguments(env, info, 0, nullptr));
  if (**self != nullptr) end(**self);
  return js::undefined(env);
}

// watchInspect(signal, onAsked): calls onAsked(times so far) when the signal has come. Returns a function that ends it;
// undefined: it could not begin.
napi_value watch(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  js::arguments(env, info, 2, values);
  auto it = std::make_unique<InspectSignal>();
  it->env = env;
  it->instance = instance_of(env);
  // Not make_shared: without RTTI it needs a newer libstdc++ than the oldest that is supported.
  it->self = std::shared_ptr<InspectSignal*>(new InspectSignal*(it.get()));
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (!it->on_asked.set(env, values[1], "uintr:inspect")) return js::undefined(env);
  if (uv_async_init(loop, &it->asked, on_asked) != 0) {
    it->on_asked.clear();
    return js::undefined(env);
  }
  it->asked.data = it.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&it->asked));
  if (!start_helper(it.get(), static_cast<int>(js::to_number(env, values[0])))) {
    it->on_asked.clear();
    uv_close(reinterpret_cast<uv_handle_t*>(&it.release()->asked),
             [](uv_handle_t* handle) { delete static_cast<InspectSignal*>(handle->data); });
    return js::undefined(env);
  }
  InspectSignal* started = it.release();
  napi_add_async_cleanup_hook(env, on_teardown, started, &started->hook);
  auto* self = new std::shared_ptr<InspectSignal*>(started->self);
  napi_value function = js::function(env, "stop", stop, self);
  const auto forget = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<InspectSignal*>*>(data); };
  napi_add_finalizer(env, function, self, forget, nullptr, nullptr);
  return function;
}

}  // namespace

void export_inspect_signal(napi_env env, napi_value exports) {
  js::set(env, exports, "watchInspect", js::function(env, "watchInspect", watch, nullptr));
}

}  // namespace uintr
