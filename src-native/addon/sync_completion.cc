#include "addon/async_wait.h"
#include "addon/boxed.h"
#include "addon/join_job.h"
#include "addon/sync.h"
#include "sync/completion.h"
#include "sync/futex.h"

namespace uintr {
namespace {

using sync::Completion;

struct CompletionBox {
  SharedOpenRegion open;
  Completion completion;
};

bool is_closed(const CompletionBox& box) { return box.open->region == nullptr; }

// The functions return undefined where the region is closed.
napi_value complete(napi_env env, napi_callback_info info) {
  auto& box = box_of<CompletionBox>(env, info);
  if (is_closed(box)) return js::undefined(env);
  box.completion.complete();
  return js::boolean(env, true);
}

napi_value complete_all(napi_env env, napi_callback_info info) {
  auto& box = box_of<CompletionBox>(env, info);
  if (is_closed(box)) return js::undefined(env);
  box.completion.complete_all();
  return js::boolean(env, true);
}

napi_value reinit(napi_env env, napi_callback_info info) {
  auto& box = box_of<CompletionBox>(env, info);
  if (is_closed(box)) return js::undefined(env);
  box.completion.reinit();
  return js::boolean(env, true);
}

// done(): how many waits would end at once; 2^32 - 1: all
napi_value done(napi_env env, napi_callback_info info) {
  auto& box = box_of<CompletionBox>(env, info);
  return is_closed(box) ? js::undefined(env) : js::number(env, box.completion.done());
}

napi_value try_wait(napi_env env, napi_callback_info info) {
  auto& box = box_of<CompletionBox>(env, info);
  return is_closed(box) ? js::undefined(env) : js::boolean(env, box.completion.try_wait());
}

// wait(ms): false: not within a slice
napi_value wait(napi_env env, napi_callback_info info) {
  napi_value ms = nullptr;
  auto& box = box_of<CompletionBox>(env, info, 1, &ms);
  if (is_closed(box)) return js::undefined(env);
  const double ns = js::to_number(env, ms) * 1e6;
  const uint64_t limit = ns < static_cast<double>(sync::kSliceNs) ? static_cast<uint64_t>(ns) : sync::kSliceNs;
  return js::boolean(env, box.completion.wait(limit));
}

// What a wait has come to.
enum : int { kTookOne = 0, kAllDone = 1 };

class Waiting final : public AsyncWait::Subject {
 public:
  Waiting(const CompletionBox& box) : region_(box.open->region), completion_(box.completion) {}
  int attempt(bool) override {
    bool took = false;
    if (!completion_.wait(sync::kSliceNs, &took)) return -1;
    return took ? kTookOne : kAllDone;
  }
  // What was taken for a waiter that has gone is the next one's.
  void undo(int outcome) override {
    if (outcome == kTookOne) completion_.complete();
  }

 private:
  std::shared_ptr<sync::Region> region_;
  Completion completion_;
};

// waitAsync(done): take(end), or why not. One at a time.
napi_value wait_async(napi_env env, napi_callback_info info) {
  napi_value done = nullptr;
  auto& box = box_of<CompletionBox>(env, info, 1, &done);
  JoinError error;
  if (is_closed(box)) {
    fail(&error, "ERR_UINTR_CLOSED", "the region is closed");
    return failure_object(env, error);
  }
  napi_value cancel = AsyncWait::start(env, std::make_unique<Waiting>(box), done);
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, cancel, &type) == napi_ok && type == napi_function) return cancel;
  fail(&error, "ERR_UINTR_NO_MEMORY", "no thread is to be had that would wait");
  return failure_object(env, error);
}

}  // namespace

napi_value completion_object(napi_env env, const SharedOpenRegion& open, sync::ObjectHeader* object) {
  constexpr Method kCalls[] = {{"complete", complete}, {"completeAll", complete_all}, {"reinit", reinit}, {"done", done},
                               {"tryWait", try_wait},  {"wait", wait},                {"waitAsync", wait_async}};
  const Completion completion(&sync::words_of<sync::CompletionWords>(object));
  return boxed_object(env, std::make_unique<CompletionBox>(CompletionBox{open, completion}), kCalls);
}

}  // namespace uintr
