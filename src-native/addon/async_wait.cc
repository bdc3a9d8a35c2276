#include "addon/async_wait.h"

namespace uintr {

namespace {
using Self = std::shared_ptr<AsyncWait*>;
}

napi_value AsyncWait::start(napi_env env, std::unique_ptr<Subject> subject, napi_value done) {
  auto* wait = new AsyncWait;
  wait->env_ = env;
  wait->subject_ = std::move(subject);
  wait->self_ = Self(new AsyncWait*(wait));
  wait->over_.data = wait;
  auto* self = new Self(wait->self_);
  napi_value cancel = js::function(env, "cancel", cancel_call, self);
  const auto forget = [](napi_env, void* data, void*) { delete static_cast<Self*>(data); };
  if (cancel == nullptr || napi_add_finalizer(env, cancel, self, forget, nullptr, nullptr) != napi_ok) {
    delete self;
    cancel = nullptr;
  }
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (cancel == nullptr || !wait->done_.set(env, done, "uintr:sync") || uv_async_init(loop, &wait->over_, on_over) != 0) {
    wait->done_.clear();
    *wait->self_ = nullptr;
    delete wait;
    return js::undefined(env);
  }
  if (!thread_start(&wait->thread_, [](void* self) { static_cast<AsyncWait*>(self)->run(); }, wait)) {
    wait->done_.clear();
    *wait->self_ = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&wait->over_),
             [](uv_handle_t* handle) { delete static_cast<AsyncWait*>(handle->data); });
    return js::undefined(env);
  }
  napi_add_async_cleanup_hook(env, on_teardown, wait, &wait->hook_);
  return cancel;
}

napi_value AsyncWait::cancel_call(napi_env env, napi_callback_info info) {
  AsyncWait* wait = **static_cast<Self*>(js::arguments(env, info, 0, nullptr));
  const int outcome = wait == nullptr ? -1 : wait->cancel();
  return outcome < 0 ? js::undefined(env) : js::number(env, outcome);
}

void AsyncWait::run() {
  int outcome = -1;
  for (bool first = true; outcome < 0 && state_.load(std::memory_order_acquire) == Waiting; first = false) {
    outcome = subject_->attempt(first);
  }
  outcome_ = outcome;
  int expected = Waiting;
  // SYNC POINT: outcome.
  if (outcome < 0 || !state_.compare_exchange_strong(expected, Over)) subject_->undo(outcome >= 0);
  uv_async_send(&over_);  // the last thing that is touched
}

int AsyncWait::cancel() {
  // SYNC POINT: outcome.
  return state_.exchange(Cancelled) == Over ? outcome_ : -1;
}

void AsyncWait::on_over(uv_async_t* handle) {
  auto* self = static_cast<AsyncWait*>(handle->data);
  thread_join(&self->thread_);
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* handle) {
    auto* self = static_cast<AsyncWait*>(handle->data);
    napi_async_cleanup_hook_handle hook = self->hook_;
    {
      js::Scope scope(self->env_);
      self->done_.clear();
    }
    delete self;
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
  *self->self_ = nullptr;
  if (self->tearing_down_) return;
  // From here on it is JavaScript's, which is told; an end of the environment, even within the call, takes nothing back.
  const int outcome_told = self->cancel();
  if (js::has_ended(self->env_)) {
    if (outcome_told >= 0) self->subject_->undo(true);
    return;
  }
  js::Scope scope(self->env_);
  napi_value outcome = outcome_told >= 0 ? js::number(self->env_, outcome_told) : js::undefined(self->env_);
  self->done_.call(1, &outcome);
}

// The environment ends: the thread within a slice, and nobody is told.
void AsyncWait::on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* self = static_cast<AsyncWait*>(argument);
  self->tearing_down_ = true;
  if (self->cancel() >= 0) self->subject_->undo(true);
}

}  // namespace uintr
