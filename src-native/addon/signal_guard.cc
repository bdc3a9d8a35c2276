#include "addon/signal_guard.h"

#include <signal.h>
#include <uv.h>

#include "addon/instance.h"
#include "addon/js.h"
#include "addon/receiver.h"
#include "addon/world.h"
#include "drivers/disposition.h"

namespace uintr {

// Deletes itself when the loop has closed its handle.
struct SignalGuard {
  uv_signal_t handle;
  int signal_number;
  Instance* instance;
  napi_async_cleanup_hook_handle hook;
};

namespace {

// libuv may restore the default action here. No interrupt can be meant for this thread by now but a late one, which is
// held off until the signal is ignored.
void end(SignalGuard* guard) {
  std::erase(guard->instance->guards, guard);
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, guard->signal_number);
  sigprocmask(SIG_BLOCK, &one, &before);
  uv_close(reinterpret_cast<uv_handle_t*>(&guard->handle), [](uv_handle_t* handle) {
    auto* guard = static_cast<SignalGuard*>(handle->data);
    napi_async_cleanup_hook_handle hook = guard->hook;
    delete guard;
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
  disposition_spare(guard->signal_number);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

void on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* guard = static_cast<SignalGuard*>(argument);
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&guard->handle)) == 0) end(guard);
}

void begin(napi_env env, Instance* instance, int signal_number) {
  for (const SignalGuard* guard : instance->guards) {
    if (guard->signal_number == signal_number) return;
  }
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto* guard = new SignalGuard{{}, signal_number, instance, nullptr};
  if (uv_signal_init(loop, &guard->handle) != 0) {
    delete guard;
    return;
  }
  guard->handle.data = guard;
  instance->guards.push_back(guard);
  napi_add_async_cleanup_hook(env, on_teardown, guard, &guard->hook);
  uv_unref(reinterpret_cast<uv_handle_t*>(&guard->handle));
  uv_signal_start(&guard->handle, [](uv_signal_t*, int) {}, signal_number);
}

napi_value check_signal(napi_env env, napi_callback_info info) {
  napi_value number = nullptr;
  js::arguments(env, info, 1, &number);
  const auto signal_number = static_cast<int>(js::to_number(env, number));
  if (signal_number < 1 || signal_number > 64 || !disposition_in_use(signal_number)) return js::undefined(env);
  Instance* instance = instance_of(env);
  begin(env, instance, signal_number);
  disposition_changed();
  for (const auto& world : instance->worlds) {
    if (world->engine() != nullptr) world->check_driver();
  }
  for (Receiver* receiver : instance->receivers) receiver->check_signal();
  return js::undefined(env);
}

}  // namespace

void end_unused_guards(napi_env env) {
  // A copy: end() takes each out of the list.
  for (SignalGuard* guard : std::vector<SignalGuard*>(instance_of(env)->guards)) {
    if (!disposition_in_use(guard->signal_number)) end(guard);
  }
}

void export_signal_guard(napi_env env, napi_value exports) {
  js::set(env, exports, "checkSignal", js::function(env, "checkSignal", check_signal, nullptr));
}

}  // namespace uintr
