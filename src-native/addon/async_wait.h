// A wait that leaves the event loop free: a helper thread waits, and its outcome is told from the loop, which stays alive
// for it. One thread per wait, which ends with it: lib/ has one wait at most under way for each primitive, however many
// calls wait there.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <atomic>
#include <memory>

#include "addon/js.h"
#include "bootstrap/thread.h"

namespace uintr {

class AsyncWait {
 public:
  // What is waited for. Everything but the destructor runs on the helper thread or when that has ended.
  class Subject {
   public:
    virtual ~Subject() = default;
    // Waits for a slice of time, no longer. Negative: not yet; else what is told.
    virtual int attempt(bool first) = 0;
    // The caller will not come for it: after an attempt that has succeeded, or the last one that has not.
    virtual void undo(bool succeeded) = 0;
  };

  // `done(outcome | undefined)` is called once, from the loop; without an outcome where the wait was cancelled. Returns a
  // function `cancel()`, which ends the wait: before `done` was called it returns what it had waited for, where that has
  // come already, and is the caller's now; else undefined. Undefined instead of it: there is no thread to be had.
  static napi_value start(napi_env env, std::unique_ptr<Subject> subject, napi_value done);

 private:
  enum State : int { Waiting, Over, Cancelled };
  AsyncWait() = default;
  void run();
  int cancel();
  static napi_value cancel_call(napi_env env, napi_callback_info info);
  static void on_over(uv_async_t* handle);
  static void on_teardown(napi_async_cleanup_hook_handle hook, void* self);

  napi_env env_ = nullptr;
  std::unique_ptr<Subject> subject_;
  std::shared_ptr<AsyncWait*> self_;  // what cancel() looks at; null from when `done` is called
  js::Callback done_;
  uv_async_t over_;
  ThreadHandle thread_ = 0;
  // SYNC POINT: outcome. The helper writes the outcome, then exchanges the state for Over; who finds that has the outcome.
  // Whoever cancels exchanges it for Cancelled: one of the two finds what the other has written, and so exactly one keeps
  // what was waited for.
  std::atomic<int> state_{Waiting};
  int outcome_ = -1;
  bool tearing_down_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace uintr
