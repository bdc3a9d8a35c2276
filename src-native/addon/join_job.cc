#include "addon/join_job.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "addon/instance.h"
#include "addon/js.h"
#include "addon/signal_guard.h"
#include "addon/world.h"
#include "bootstrap/thread.h"

namespace uintr {
namespace {

// Deletes itself when the loop has closed its handle.
struct JoinJob {
  napi_env env;
  JoinRequest request;
  WorldOptions options;
  std::unique_ptr<Driver> driver;
  Fd cancel;
  js::Callback done;
  napi_ref on_batch = nullptr;
  std::shared_ptr<JoinJob*> self;  // what cancel() looks at; null after the end

  ThreadHandle thread = 0;
  bool running = false;
  uv_async_t finished;
  napi_async_cleanup_hook_handle hook = nullptr;

  // Written by the helper thread before it ends, read after it was joined.
  bool ok = false;
  std::unique_ptr<Joined> joined;
  JoinError error;
};

// Nobody listens where the helper thread has ended.
void ring(const JoinJob& job) {
  if (!job.running) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(job.cancel.get(), &one, sizeof one);
}

void body(void* argument) {
  auto* job = static_cast<JoinJob*>(argument);
  job->ok = join(job->request, &job->joined, &job->error);
  uv_async_send(&job->finished);
}

void stop_thread(JoinJob* job) {
  if (!job->running) return;
  thread_join(&job->thread);
  job->running = false;
}

// What the attempt holds and no world has taken over.
void give_back(JoinJob* job) {
  job->cancel.reset();
  // The driver goes before what it stands on.
  job->driver.reset();
  job->joined.reset();
  end_unused_guards(job->env);
}

void dispose(JoinJob* job) {
  give_back(job);
  *job->self = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&job->finished), [](uv_handle_t* handle) {
    auto* job = static_cast<JoinJob*>(handle->data);
    job->done.clear();
    if (job->on_batch != nullptr) napi_delete_reference(job->env, job->on_batch);
    napi_async_cleanup_hook_handle hook = job->hook;
    delete job;
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
}

// On the loop: the helper thread has its answer.
void finish(uv_async_t* handle) {
  auto* job = static_cast<JoinJob*>(handle->data);
  if (*job->self == nullptr) return;  // being disposed of
  stop_thread(job);
  js::Scope scope(job->env);
  if (scope.open()) {
    napi_value values[2] = {js::undefined(job->env), js::undefined(job->env)};
    std::shared_ptr<World> world;
    if (job->ok) {
      world = World::open(job->env, std::move(job->joined), std::move(job->driver), job->options, &job->error);
    }
    // Before anybody is told, and not when the handle has closed: a world can be closed in the turn of the loop in
    // which it was joined, and its close() be over before that.
    give_back(job);
    napi_value on_batch = nullptr;
    napi_get_reference_value(job->env, job->on_batch, &on_batch);
    if (world != nullptr && on_batch != nullptr) {
      values[1] = world->object(on_batch);
    } else {
      values[0] = failure_object(job->env, job->error);
    }
    job->done.call(2, values);
  }
  dispose(job);
}

// The environment ends while the helper thread is still at it.
void on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* job = static_cast<JoinJob*>(argument);
  if (*job->self == nullptr) return;
  ring(*job);
  stop_thread(job);
  dispose(job);
}

// cancel(): ends the attempt with ERR_UINTR_CLOSED; nothing after its end.
napi_value cancel(napi_env env, napi_callback_info info) {
  auto* self = static_cast<std::shared_ptr<JoinJob*>*>(js::arguments(env, info, 0, nullptr));
  if (**self != nullptr) ring(***self);
  return js::undefined(env);
}

DriverOptions::Choice choice_of(const std::string& name) {
  if (name == "uintr") return DriverOptions::Choice::Uintr;
  if (name == "signal") return DriverOptions::Choice::Signal;
  if (name == "poll") return DriverOptions::Choice::Poll;
  return DriverOptions::Choice::Auto;
}

bool read_options(napi_env env, napi_value from, JoinJob* job, JoinError* error) {
  auto number = [&](const char* key, double fallback) { return js::get_number(env, from, key, fallback); };
  JoinRequest& request = job->request;
  request.hub_fd = static_cast<int>(number("hubFd", -1));
  request.hub_inode = static_cast<uint64_t>(number("hubInode", 0));
  request.name = js::get_string(env, from, "name");
  double rank = number("rank", -1);
  request.wanted_rank = rank < 0 ? kNone : static_cast<uint32_t>(rank);
  Geometry& geometry = request.geometry;
  geometry.size = static_cast<uint32_t>(number("size", 1));
  geometry.max_requests = static_cast<uint32_t>(number("maxRequests", 0));
  geometry.ring_bytes = static_cast<uint32_t>(number("ringBytes", 0));
  geometry.eager_limit = static_cast<uint32_t>(number("eagerLimit", 0));
  geometry.credit_blocks = static_cast<uint32_t>(number("unexpectedBytes", 0) / kBlockBytes);
  geometry.heap_bytes = static_cast<uint64_t>(number("heapBytes", 0));
  geometry.elastic = number("rejoin", 0) != 0 ? 1 : 0;
  request.copy_kinds = static_cast<uint32_t>(number("copyKinds", kAllCopyKinds)) | kCopyPipeline;
  request.timeout_ms = static_cast<int>(number("joinTimeout", 30000));
  job->options.slice_bytes = static_cast<uint32_t>(number("sliceBytes", 0));
  job->options.spin_microseconds = number("spinMicroseconds", 0);
  request.tid = static_cast<int32_t>(syscall(SYS_gettid));
  fill_directories(&request);
  end_unused_guards(env);
  const char* what = nullptr;
  if (!Engine::valid(geometry, &what)) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                std::string("the option '") + (what != nullptr ? what : "?") + "' has a value that no world may have");
  }
  job->driver =
      Driver::prepare({choice_of(js::get_string(env, from, "driver")), js::get_string(env, from, "signal")}, error);
  if (job->driver == nullptr) return false;
  request.driver = job->driver->identity();
  request.vector_fd = job->driver->vector_fd();
  return true;
}

napi_value join_call(napi_env env, napi_callback_info info) {
  napi_value values[3] = {};
  js::arguments(env, info, 3, values);
  JoinError error;
  auto job = std::make_unique<JoinJob>();
  job->env = env;
  // Not make_shared: without RTTI it needs a newer libstdc++ than the oldest that is supported.
  job->self = std::shared_ptr<JoinJob*>(new JoinJob*(job.get()));
  if (!read_options(env, values[0], job.get(), &error)) return failure_object(env, error);
  job->cancel = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!job->cancel) {
    fail_syscall(&error, "eventfd", errno, "no descriptor for the attempt to join");
    return failure_object(env, error);
  }
  job->request.cancel_fd = job->cancel.get();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (napi_create_reference(env, values[1], 1, &job->on_batch) != napi_ok ||
      !job->done.set(env, values[2], "uintr:join") || uv_async_init(loop, &job->finished, finish) != 0) {
    fail(&error, "ERR_UINTR_NO_MEMORY", "no memory for the attempt to join");
    return failure_object(env, error);
  }
  // From here on the handle owns the job.
  JoinJob* started = job.release();
  started->finished.data = started;
  napi_add_async_cleanup_hook(env, on_teardown, started, &started->hook);
  if (!thread_start(&started->thread, body, started)) {
    fail(&error, "ERR_UINTR_NO_MEMORY", "no thread for the attempt to join: too little memory, or too many processes (`ulimit -v`, `ulimit -u`)");
    dispose(started);
    return failure_object(env, error);
  }
  started->running = true;
  auto* self = new std::shared_ptr<JoinJob*>(started->self);
  napi_value function = js::function(env, "cancel", cancel, self);
  napi_add_finalizer(
      env, function, self, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<JoinJob*>*>(data); },
      nullptr, nullptr);
  return function;
}

}  // namespace

napi_value failure_object(napi_env env, const JoinError& error) {
  napi_value result = js::object(env);
  js::set(env, result, "code", std::string(error.code));
  js::set(env, result, "message", error.message);
  if (error.error_number != 0) js::set(env, result, "errno", error.error_number);
  if (error.syscall != nullptr) js::set(env, result, "syscall", std::string(error.syscall));
  return result;
}

void export_join(napi_env env, napi_value exports) {
  js::set(env, exports, "join", js::function(env, "join", join_call, nullptr));
}

}  // namespace uintr
