#include "addon/receiver.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "addon/instance.h"
#include "addon/signal_guard.h"
#include "drivers/disposition.h"

namespace uintr {
namespace {

// How long the loop sleeps at most. Where an interrupt does not wake a sleeper, it returns from the kernel for what may
// have come: soon after the last one, then later and later. Where one does, it looks for those whose sender was killed
// before it could signal, and whether the signal is still ours.
constexpr uint64_t kFirstLookMs = 1, kLastLookMs = 20, kRareLookMs = 1000;
// The same for wait(), which nobody would call if it expected to wait for long.
constexpr uint64_t kFirstSleepMs = 1, kLastSleepMs = 10;
constexpr double kSliceMs = 50;
constexpr uint64_t kSpinNs = 50'000, kMs = 1'000'000;
constexpr int kTriesPerLook = 16;  // a clock costs as much as a few looks at memory
// Calls back before the loop gets its turn again: a callback that answers may be answered.
constexpr int kRounds = 8;

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

JoinError doorbell_error(JoinError error) {
  if (strcmp(error.code, "ERR_UINTR_JOIN") == 0) {
    const bool descriptors = error.error_number == EMFILE || error.error_number == ENFILE;
    error.code = descriptors ? "ERR_UINTR_NO_MEMORY" : "ERR_UINTR_UNSUPPORTED";
  }
  return error;
}

Receiver* Receiver::open(napi_env env, DoorbellReceiver::Choice choice, const std::string& signal, napi_value on_event,
                         JoinError* error) {
  std::unique_ptr<Receiver> receiver(new Receiver);
  receiver->env_ = env;
  receiver->bell_ = DoorbellReceiver::open(choice, signal, error);
  if (receiver->bell_ == nullptr) return nullptr;
  napi_get_uv_event_loop(env, &receiver->uv_);
  if (!receiver->on_event_.set(env, on_event, "uintr:doorbell") || !receiver->start_loop(error)) {
    receiver->on_event_.clear();
    return nullptr;
  }
  napi_add_async_cleanup_hook(env, on_teardown, receiver.get(), &receiver->hook_);
  instance_of(env)->receivers.push_back(receiver.get());
  return receiver.release();
}

bool Receiver::start_loop(JoinError* error) {
  const char* what = "the receiver's part of the event loop";
  // A duplicate, since the loop lets go of it later than close() does of the receiver.
  watched_.reset(fcntl(bell_->event_fd(), F_DUPFD_CLOEXEC, 0));
  if (!watched_) return fail_syscall(error, "fcntl(F_DUPFD_CLOEXEC)", errno, what);
  // First, so that a failure leaves no handle to close.
  if (const int failed = uv_poll_init(uv_, &poll_, watched_.get())) return fail_syscall(error, "uv_poll_init", -failed, what);
  uv_prepare_init(uv_, &prepare_);
  uv_check_init(uv_, &check_);
  uv_timer_init(uv_, &look_);
  poll_.data = prepare_.data = check_.data = look_.data = this;
  uv_poll_start(&poll_, UV_READABLE, on_poll);
  uv_prepare_start(&prepare_, on_prepare);
  uv_check_start(&check_, on_check);
  // The descriptor alone keeps the process alive (ref, unref).
  for (uv_handle_t* handle : {as_handle(&prepare_), as_handle(&check_), as_handle(&look_)}) uv_unref(handle);
  open_handles_ = 4;
  look_after_ = bell_->interrupt_wakes() ? kRareLookMs : kFirstLookMs;
  wait_sleep_ = kFirstSleepMs;
  signal_changes_ = disposition_changes();
  return true;
}

int Receiver::create_fd(uint32_t vector, JoinError* error) {
  if (bell_ != nullptr) return bell_->create_fd(vector, error);
  fail(error, "ERR_UINTR_CLOSED", "the receiver is closed");
  return -1;
}

void Receiver::ref() {
  if (bell_ != nullptr) uv_ref(as_handle(&poll_));
}

void Receiver::unref() {
  if (bell_ != nullptr) uv_unref(as_handle(&poll_));
}

void Receiver::close() {
  if (bell_ == nullptr) return;
  std::erase(instance_of(env_)->receivers, this);
  bell_.reset();
  end_unused_guards(env_);
  for (uv_handle_t* handle : {as_handle(&poll_), as_handle(&prepare_), as_handle(&check_), as_handle(&look_)}) {
    uv_close(handle, on_close);
  }
}

void Receiver::on_close(uv_handle_t* handle) {
  auto* self = static_cast<Receiver*>(handle->data);
  if (--self->open_handles_ > 0) return;
  self->watched_.reset();
  napi_async_cleanup_hook_handle hook = self->hook_;
  {
    js::Scope scope(self->env_);
    self->on_event_.clear();
  }
  self->delete_if_over();
  // Last, because in a teardown the environment may go as soon as its hooks are gone.
  if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
}

void Receiver::forgotten() {
  forgotten_ = true;
  delete_if_over();
}

void Receiver::delete_if_over() {
  if (forgotten_ && open_handles_ == 0) delete this;
}

// The environment ends: a worker that was terminated, or a process whose work is done.
void Receiver::on_teardown(napi_async_cleanup_hook_handle, void* argument) {
  auto* self = static_cast<Receiver*>(argument);
  self->tearing_down_ = true;
  self->close();  // if one is under way, it removes the hook itself
}

void Receiver::check_signal() {
  if (bell_ == nullptr || bell_->lost()) return;
  bell_->check_signal();
  if (bell_->lost()) look_after_ = kFirstLookMs;
}

// Hands to JavaScript what has come; that may close the receiver, and take from it.
void Receiver::deliver() {
  if (bell_ == nullptr || tearing_down_) return;
  const bool tells_lost = bell_->lost() && !lost_told_;
  if (!bell_->pending() && !tells_lost) return;
  js::Scope scope(env_);
  if (!scope.open()) return;
  lost_told_ = bell_->lost();
  if (!bell_->interrupt_wakes()) look_after_ = kFirstLookMs;
  napi_value values[2] = {nullptr, js::boolean(env_, tells_lost)};
  napi_create_bigint_uint64(env_, bell_->take(), &values[0]);
  if (values[0] != nullptr && values[1] != nullptr) on_event_.call(2, values);
}

void Receiver::ring_self() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(watched_.get(), &one, sizeof one);
}

void Receiver::look_later() {
  // One that is seldom due need not be set again at every turn.
  if (look_after_ == kRareLookMs && uv_is_active(as_handle(&look_)) != 0) return;
  uv_update_time(uv_);  // what JavaScript has taken does not count
  uv_timer_start(&look_, on_look, look_after_, 0);
}

void Receiver::see_changes() {
  if (disposition_changes() != signal_changes_) {
    signal_changes_ = disposition_changes();
    check_signal();
  }
}

// The loop is about to sleep. Whatever came is delivered first; arm() then looks once more (SYNC POINT: doorbell).
void Receiver::on_prepare(uv_prepare_t* handle) {
  auto* self = static_cast<Receiver*>(handle->data);
  self->see_changes();
  for (int round = 0; round < kRounds; ++round) {
    self->deliver();
    if (self->bell_ == nullptr) return;
    if (self->bell_->arm()) return self->look_later();
  }
  self->ring_self();
}

void Receiver::on_check(uv_check_t* handle) {
  auto* self = static_cast<Receiver*>(handle->data);
  if (self->bell_ == nullptr) return;
  self->bell_->disarm();
  self->deliver();
}

// Between prepare and check; what makes it readable is drained in check.
void Receiver::on_poll(uv_poll_t* handle, int, int) { static_cast<Receiver*>(handle->data)->deliver(); }

void Receiver::on_look(uv_timer_t* handle) {
  auto* self = static_cast<Receiver*>(handle->data);
  if (self->bell_ == nullptr) return;
  self->check_signal();
  self->bell_->look();
  if (!self->bell_->interrupt_wakes()) self->look_after_ = std::min(self->look_after_ * 2, kLastLookMs);
  self->deliver();
}

uint64_t Receiver::wait_slice(double ms, bool first) {
  if (bell_ == nullptr) return 0;
  check_signal();
  uint64_t now = uv_hrtime();
  const uint64_t end = now + static_cast<uint64_t>(std::clamp(ms, 0.0, kSliceMs) * kMs);
  const uint64_t spin_until = first ? std::min(end, now + kSpinNs) : 0;
  if (first) wait_sleep_ = kFirstSleepMs;
  bell_->look();
  while (!bell_->pending()) {
    for (int i = 0; i < kTriesPerLook && !bell_->pending(); ++i) arch::relax();
    if (bell_->pending()) break;
    now = uv_hrtime();
    if (now >= end) break;
    if (now < spin_until || !bell_->arm()) continue;
    uint64_t sleep = (end - now + kMs - 1) / kMs;
    if (!bell_->interrupt_wakes()) {
      sleep = std::min(sleep, wait_sleep_);
      wait_sleep_ = std::min(wait_sleep_ * 2, kLastSleepMs);
    }
    pollfd rung{bell_->event_fd(), POLLIN, 0};
    poll(&rung, 1, static_cast<int>(sleep));
    bell_->disarm();
  }
  return bell_->take();
}

}  // namespace uintr
