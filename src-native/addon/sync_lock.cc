// Locks: one set of functions for all four kinds.
#include "addon/async_wait.h"
#include "addon/boxed.h"
#include "addon/join_job.h"
#include "addon/sync.h"
#include "sync/futex.h"
#include "sync/mutex.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

namespace uintr {
namespace {

using sync::Attempt;
using sync::Kind;
using sync::Owner;
using sync::Region;

class AnyLock {
 public:
  virtual ~AnyLock() = default;
  virtual Attempt try_lock(Owner me) = 0;
  virtual Attempt lock(Owner me, uint64_t ns, bool first) = 0;
  virtual void give_up(Owner me) = 0;
  virtual bool unlock(Owner me) = 0;
  virtual void make_consistent() = 0;
  virtual Owner owner() const = 0;
  virtual sync::Holder holder() const = 0;
  virtual sync::Holder dead() const = 0;
};

template <class Lock>
class LockOf final : public AnyLock {
 public:
  explicit LockOf(Lock lock) : lock_(lock) {}
  Attempt try_lock(Owner me) override { return lock_.try_lock(me); }
  Attempt lock(Owner me, uint64_t ns, bool first) override { return lock_.lock(me, ns, first); }
  void give_up(Owner me) override { lock_.give_up(me); }
  bool unlock(Owner me) override { return lock_.unlock(me); }
  void make_consistent() override { lock_.make_consistent(); }
  Owner owner() const override { return lock_.owner(); }
  sync::Holder holder() const override { return lock_.holder(); }
  sync::Holder dead() const override { return lock_.dead(); }

 private:
  Lock lock_;
};

template <class Lock>
std::unique_ptr<AnyLock> any(Lock lock) {
  return std::make_unique<LockOf<Lock>>(lock);
}

std::unique_ptr<AnyLock> make_lock(Region* region, Kind kind, sync::ObjectHeader* object) {
  switch (kind) {
    case Kind::SpinLock:
      return any(sync::SpinLock(region, &sync::words_of<sync::SpinLockWords>(object)));
    case Kind::TicketLock:
      return any(sync::TicketLock(region, &sync::words_of<sync::TicketLockWords>(object)));
    default:
      return any(sync::Mutex(region, &sync::words_of<sync::MutexWords>(object), kind == Kind::AdaptiveMutex));
  }
}

struct LockBox {
  SharedOpenRegion open;
  Kind kind;
  sync::ObjectHeader* object;
  std::unique_ptr<AnyLock> lock;  // to be used as long as `open` has the region
  Owner blocking = sync::kNobody, async = sync::kNobody;
};

// What the functions return beside an Attempt.
enum : int32_t { kClosed = -1, kNoSeat = -2 };

bool is_closed(const LockBox& box) { return box.open->region == nullptr; }

// The thread's seat for calls that block; taken with the first of them.
bool sit(LockBox* box) {
  if (box->blocking == sync::kNobody) box->blocking = box->open->region->seat(Region::Use::Blocking, nullptr);
  return box->blocking != sync::kNobody;
}

napi_value number(napi_env env, Attempt attempt) { return js::number(env, static_cast<int32_t>(attempt)); }

// tryAcquire(): an Attempt
napi_value try_acquire(napi_env env, napi_callback_info info) {
  auto& box = box_of<LockBox>(env, info);
  if (is_closed(box)) return js::number(env, kClosed);
  if (!sit(&box)) return js::number(env, kNoSeat);
  return number(env, box.lock->try_lock(box.blocking));
}

// acquire(ms, first): an Attempt, within a slice
napi_value acquire(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  auto& box = box_of<LockBox>(env, info, 2, values);
  if (is_closed(box)) return js::number(env, kClosed);
  if (!sit(&box)) return js::number(env, kNoSeat);
  bool first = false;
  napi_get_value_bool(env, values[1], &first);
  const double ns = js::to_number(env, values[0]) * 1e6;
  const uint64_t limit = ns < static_cast<double>(sync::kSliceNs) ? static_cast<uint64_t>(ns) : sync::kSliceNs;
  return number(env, box.lock->lock(box.blocking, limit, first));
}

// giveUp(): after acquire() has said Waiting, instead of calling it again
napi_value give_up(napi_env env, napi_callback_info info) {
  auto& box = box_of<LockBox>(env, info);
  if (!is_closed(box) && box.blocking != sync::kNobody) box.lock->give_up(box.blocking);
  return js::undefined(env);
}

// release(async): false: this thread does not own it, in calls of that kind
napi_value release(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto& box = box_of<LockBox>(env, info, 1, &value);
  bool async = false;
  napi_get_value_bool(env, value, &async);
  const Owner me = async ? box.async : box.blocking;
  return js::boolean(env, !is_closed(box) && me != sync::kNobody && box.lock->unlock(me));
}

// consistent(): by the owner
napi_value consistent(napi_env env, napi_callback_info info) {
  auto& box = box_of<LockBox>(env, info);
  if (!is_closed(box)) box.lock->make_consistent();
  return js::undefined(env);
}

napi_value told(napi_env env, const sync::Holder& holder) {
  napi_value result = js::object(env);
  js::set(env, result, "pid", holder.pid);
  js::set(env, result, "tid", holder.tid);
  return result;
}

// holder(): { pid, tid } of whoever has the lock; undefined: nobody
napi_value holder(napi_env env, napi_callback_info info) {
  auto& box = box_of<LockBox>(env, info);
  if (is_closed(box) || box.lock->owner() == sync::kNobody) return js::undefined(env);
  return told(env, box.lock->holder());
}

// dead(): { pid, tid }
napi_value dead(napi_env env, napi_callback_info info) {
  auto& box = box_of<LockBox>(env, info);
  return is_closed(box) ? js::undefined(env) : told(env, box.lock->dead());
}

// On a helper thread, for the seat of calls that do not block.
class Acquisition final : public AsyncWait::Subject {
 public:
  Acquisition(const LockBox& box)
      : region_(box.open->region),
        lock_(make_lock(region_.get(), box.kind, box.object)),
        me_(box.async),
        tid_(sync::this_holder().tid) {}
  int attempt(bool first) override {
    if (first) sync::hold_for(tid_);
    const Attempt attempt = lock_->lock(me_, sync::kSliceNs, first);
    return attempt == Attempt::Waiting ? -1 : static_cast<int>(attempt);
  }
  void undo(int outcome) override {
    if (outcome < 0)
      lock_->give_up(me_);
    else
      lock_->unlock(me_);
  }

 private:
  std::shared_ptr<Region> region_;
  std::unique_ptr<AnyLock> lock_;
  Owner me_;
  int32_t tid_;  // of whom it waits for
};

// acquireAsync(done): take(end), or why not. One at a time.
napi_value acquire_async(napi_env env, napi_callback_info info) {
  napi_value done = nullptr;
  auto& box = box_of<LockBox>(env, info, 1, &done);
  JoinError error;
  if (is_closed(box)) {
    fail(&error, "ERR_UINTR_CLOSED", "the region is closed");
    return failure_object(env, error);
  }
  if (box.async == sync::kNobody) box.async = box.open->region->seat(Region::Use::Async, &error);
  if (box.async == sync::kNobody) return failure_object(env, error);
  napi_value cancel = AsyncWait::start(env, std::make_unique<Acquisition>(box), done);
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, cancel, &type) == napi_ok && type == napi_function) return cancel;
  fail(&error, "ERR_UINTR_NO_MEMORY", "no thread is to be had that would wait");
  return failure_object(env, error);
}

}  // namespace

napi_value lock_object(napi_env env, const SharedOpenRegion& open, Kind kind, sync::ObjectHeader* object) {
  constexpr Method kCalls[] = {
      {"tryAcquire", try_acquire}, {"acquire", acquire}, {"giveUp", give_up},
      {"release", release},        {"holder", holder},   {"consistent", consistent}, {"dead", dead},
      {"acquireAsync", acquire_async}};
  auto box = std::make_unique<LockBox>(LockBox{open, kind, object, make_lock(open->region.get(), kind, object)});
  return boxed_object(env, std::move(box), kCalls);
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the finalizer of the JavaScript object deletes it

}  // namespace uintr
