#include "addon/sync_count.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "addon/join_job.h"
#include "addon/js.h"
#include "sync/counter.h"
#include "sync/futex.h"
#include "sync/mutex.h"
#include "sync/per_cpu.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

namespace uintr {
namespace {

using namespace sync;

// Additions between two looks at the clock, which costs as much as a few of them.
constexpr uint64_t kAdditionsPerLook = 1024;
constexpr uint64_t kLockedPerLook = 64;
// Instead of a number of operations.
constexpr double kOwnerDied = -1;

// A region of its own, and so seats that are not those of the thread's other locks.
struct Counting {
  std::shared_ptr<Region> region;
  Kind kind{};
  ObjectHeader* object = nullptr;
  Shared<uint64_t>* guarded = nullptr;  // where `kind` is a lock's
  Owner me = kNobody;
  bool waits = false;  // the last call ended within a wait
};

struct Task {
  uint64_t n, times, ns;
};

// Until the operations are done or the time is over. `add(operations)`: how many of them it has done; fewer: stop.
template <class Add>
double in_slice(const Task& task, uint64_t per_look, Add add) {
  const uint64_t end = now_ns() + task.ns;
  uint64_t done = 0;
  while (done < task.times) {
    const uint64_t wanted = std::min(per_look, task.times - done), some = add(wanted);
    done += some;
    if (some < wanted || now_ns() >= end) break;
  }
  return static_cast<double>(done);
}

template <class Lock>
double count_locked(Counting* counting, Lock lock, const Task& task) {
  bool died = false;
  const double done = in_slice(task, kLockedPerLook, [&](uint64_t wanted) {
    for (uint64_t i = 0; i < wanted; ++i) {
      const Attempt attempt = lock.lock(counting->me, task.ns, !counting->waits);
      counting->waits = attempt == Attempt::Waiting;
      if (counting->waits) return i;
      counting->guarded->set_relaxed(counting->guarded->relaxed() + task.n);
      lock.unlock(counting->me);
      died |= attempt != Attempt::Acquired;
    }
    return wanted;
  });
  return died ? kOwnerDied : done;
}

double count(Counting* counting, const Task& task) {
  Region* region = counting->region.get();
  ObjectHeader* object = counting->object;
  switch (counting->kind) {
    case Kind::Mutex:
    case Kind::AdaptiveMutex:
      return count_locked(counting, Mutex(region, &words_of<MutexWords>(object), counting->kind == Kind::AdaptiveMutex),
                          task);
    case Kind::SpinLock:
      return count_locked(counting, SpinLock(region, &words_of<SpinLockWords>(object)), task);
    case Kind::TicketLock:
      return count_locked(counting, TicketLock(region, &words_of<TicketLockWords>(object)), task);
    case Kind::AtomicCounter: {
      auto& value = words_of<AtomicCounterWords>(object).value;
      return in_slice(task, kAdditionsPerLook, [&](uint64_t wanted) {
        for (uint64_t i = 0; i < wanted; ++i) value.add_sc(task.n);
        return wanted;
      });
    }
    case Kind::PerCpuCounter: {
      PerCpuCounter counter(&words_of<PerCpuSlot>(object), region->lines_at(object));
      return in_slice(task, kAdditionsPerLook, [&](uint64_t wanted) {
        for (uint64_t i = 0; i < wanted; ++i) counter.add(task.n);
        return wanted;
      });
    }
    case Kind::Completion:
      break;
  }
  return 0;
}

bool is_lock(Kind kind) { return kind < Kind::AtomicCounter; }

// run(n, times, ms): adds n so often, or as often as it can in that time; how often it has, or kOwnerDied
napi_value run(napi_env env, napi_callback_info info) {
  napi_value values[3] = {};
  auto* counting = static_cast<Counting*>(js::arguments(env, info, 3, values));
  const double ms = std::min(js::to_number(env, values[2]), kSliceNs / 1e6);
  return js::number(env, count(counting, {static_cast<uint64_t>(static_cast<int64_t>(js::to_number(env, values[0]))),
                                          static_cast<uint64_t>(js::to_number(env, values[1])),
                                          static_cast<uint64_t>(std::max(ms, 0.0) * 1e6)}));
}

// The word that the lock guards, for a loop in JavaScript. It keeps its region mapped.
napi_value buffer_of(napi_env env, const Counting& counting) {
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<Region>*>(hint); };
  auto* region = new std::shared_ptr<Region>(counting.region);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, counting.guarded, sizeof *counting.guarded, finalize, region, &buffer) !=
      napi_ok) {
    return js::undefined(env);
  }
  return buffer;
}

bool open(const std::string& text, const std::string& name, Counting* counting, JoinError* error) {
  Handle handle{};
  if (!Handle::parse(text, &handle))
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT", "'region' is no region's handle: '" + text + "'");
  counting->region = Region::open(handle, error);
  if (counting->region == nullptr) return false;
  counting->object = counting->region->find_or_make(counting->kind, name, error);
  if (counting->object == nullptr) return false;
  if (!is_lock(counting->kind)) return true;
  ObjectHeader* guarded = counting->region->find_or_make(Kind::AtomicCounter, name + ".guarded", error);
  if (guarded == nullptr) return false;
  counting->guarded = &words_of<AtomicCounterWords>(guarded).value;
  counting->me = counting->region->seat(Region::Use::Blocking, error);
  return counting->me != kNobody;
}

napi_value open_counting(napi_env env, napi_callback_info info) {
  napi_value options = nullptr;
  js::arguments(env, info, 1, &options);
  JoinError error;
  auto counting = std::make_unique<Counting>();
  counting->kind = static_cast<Kind>(js::get_number(env, options, "kind", 0));
  if (!open(js::get_string(env, options, "region"), js::get_string(env, options, "name"), counting.get(), &error)) {
    return failure_object(env, error);
  }
  napi_value object = js::object(env);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Counting*>(data); };
  if (object == nullptr || napi_add_finalizer(env, object, counting.get(), finalize, nullptr, nullptr) != napi_ok) {
    return js::undefined(env);
  }
  js::set(env, object, "run", js::function(env, "run", run, counting.get()));
  if (counting->guarded != nullptr) js::set(env, object, "guarded", buffer_of(env, *counting));
  static_cast<void>(counting.release());  // the finalizer's now
  return object;
}

napi_value thread_usage(napi_env env, napi_callback_info) {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  napi_value result = js::object(env);
  js::set(env, result, "cpuMicros", micros(usage.ru_utime) + micros(usage.ru_stime));
  js::set(env, result, "voluntary", static_cast<double>(usage.ru_nvcsw));
  js::set(env, result, "involuntary", static_cast<double>(usage.ru_nivcsw));
  return result;
}

}  // namespace

void export_sync_count(napi_env env, napi_value exports) {
  js::set(env, exports, "openCounting", js::function(env, "openCounting", open_counting, nullptr));
  js::set(env, exports, "threadUsage", js::function(env, "threadUsage", thread_usage, nullptr));
}

}  // namespace uintr
