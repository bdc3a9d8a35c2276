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
    // The caller will not come for it: what the last attempt has returned.
    virtual void undo(int outcome) = 0;
  };

  // `done(outcome | undefined)` is called once, from the loop; without an outcome where that was taken, or the wait ended.
  // Returns a function `take(end)`: before `done` was called it returns what had been waited for, where that has come
  // already, and is the caller's now; else undefined, and with `end` the wait ends. Undefined instead of the function:
  // there is no thread to be had.
  static napi_value start(napi_env env, std::unique_ptr<Subject> subject, napi_value done);

 private:
  enum State : int { Waiting, Over, Ended };
  AsyncWait() = default;
  void run();
  int take(bool end);
  void take_back();
  static napi_value take_call(napi_env env, napi_callback_info info);
  static void on_over(uv_async_t* handle);
  static void on_teardown(napi_async_cleanup_hook_handle hook, void* self);

  napi_env env_ = nullptr;
  std::unique_ptr<Subject> subject_;  // gone, with what it keeps, when nothing is to be undone any more
  std::shared_ptr<AsyncWait*> self_;  // what take() looks at; null from when `done` is called
  js::Callback done_;
  uv_async_t over_;
  ThreadHandle thread_ = 0;
  // SYNC POINT: outcome. The helper writes the outcome, then exchanges the state for Over; who exchanges that for Ended has
  // the outcome. Whoever ends the wait also exchanges Waiting for Ended: one of the two finds what the other has written,
  // and so exactly one keeps what was waited for.
  std::atomic<int> state_{Waiting};
  int outcome_ = -1;
  bool tearing_down_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace uintr
