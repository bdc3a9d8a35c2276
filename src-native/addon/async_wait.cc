#include "addon/async_wait.h"

#include "addon/exit.h"

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
  napi_value take = js::function(env, "take", take_call, self);
  const auto forget = [](napi_env, void* data, void*) { delete static_cast<Self*>(data); };
  if (take == nullptr || napi_add_finalizer(env, take, self, forget, nullptr, nullptr) != napi_ok) {
    delete self;
    take = nullptr;
  }
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (take == nullptr || !wait->done_.set(env, done, "uintr:sync") || uv_async_init(loop, &wait->over_, on_over) != 0) {
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
  exit_watch(wait, [](void* self) { static_cast<AsyncWait*>(self)->take_back(); });
  return take;
}

napi_value AsyncWait::take_call(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  AsyncWait* wait = **static_cast<Self*>(js::arguments(env, info, 1, &value));
  bool end = false;
  napi_get_value_bool(env, value, &end);
  const int outcome = wait == nullptr ? -1 : wait->take(end);
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
  if (outcome < 0 || !state_.compare_exchange_strong(expected, Over)) {
    subject_->undo(outcome);
    // At once, for it keeps the region open, and the loop may not turn for long.
    subject_.reset();
  }
  uv_async_send(&over_);  // the last thing that is touched
}

// On the environment's thread.
int AsyncWait::take(bool end) {
  int expected = Over;
  // SYNC POINT: outcome.
  if (state_.compare_exchange_strong(expected, Ended)) return outcome_;
  // Over by now: then the helper was faster.
  if (end && !state_.compare_exchange_strong(expected = Waiting, Ended) && expected == Over) return take(true);
  return -1;
}

// Nobody is told: the environment, or the process, ends. A process that exits in the very moment in which the helper has
// got something, and not said so, takes it with it, as one that is killed there.
void AsyncWait::take_back() {
  if (take(true) >= 0) subject_->undo(outcome_);
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
  exit_forget(self);
  if (self->tearing_down_) return;
  if (js::has_ended(self->env_)) return self->take_back();
  // From here on it is JavaScript's, which is told; an end of the environment, even within the call, takes nothing back.
  const int outcome_told = self->take(true);
  self->subject_.reset();
  js::Scope scope(self->env_);
  napi_value outcome = outcome_told >= 0 ? js::number(self->env_, outcome_told) : js::undefined(self->env_);
  self->done_.call(1, &outcome);
}

// The thread ends within a slice.
void AsyncWait::on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* self = static_cast<AsyncWait*>(argument);
  self->tearing_down_ = true;
  self->take_back();
}

}  // namespace uintr
