// A receiver of doorbells in JavaScript's event loop: it looks before it sleeps, sleeps on the receiver's eventfd, and
// calls back with what came. Everything here belongs to the JavaScript thread that opened it.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>

#include "addon/js.h"
#include "drivers/doorbell_receiver.h"

namespace uintr {

class Receiver {
 public:
  // `on_event(vectors, lost)` is called from the loop: with vectors that nobody has taken yet, or once with `lost` when
  // the program has taken the signal over. Null with *error.
  static Receiver* open(napi_env env, DoorbellReceiver::Choice choice, const std::string& signal, napi_value on_event,
                        JoinError* error);

  // After close() these do nothing.
  int create_fd(uint32_t vector, JoinError* error);
  uint64_t count(uint32_t vector) const { return bell_ == nullptr ? 0 : bell_->count(vector); }
  // Blocks up to `ms`, at most 50; returns the vectors taken. `first`: spins before it sleeps.
  uint64_t wait_slice(double ms, bool first);
  void ref();
  void unref();
  void check_signal();
  const char* driver() const { return bell_->driver(); }

  // Both have to happen before it is deleted: the end of the receiver, and that of its JavaScript object.
  void close();
  void forgotten();

 private:
  Receiver() = default;
  bool start_loop(JoinError* error);
  void deliver();
  void ring_self();
  void look_later();
  void see_changes();
  void delete_if_over();
  static void on_prepare(uv_prepare_t* handle);
  static void on_check(uv_check_t* handle);
  static void on_poll(uv_poll_t* handle, int status, int events);
  static void on_look(uv_timer_t* handle);
  static void on_close(uv_handle_t* handle);
  static void on_teardown(napi_async_cleanup_hook_handle handle, void* self);

  napi_env env_ = nullptr;
  uv_loop_t* uv_ = nullptr;
  std::unique_ptr<DoorbellReceiver> bell_;  // null once closed
  js::Callback on_event_;
  uv_poll_t poll_;
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_timer_t look_;
  Fd watched_;  // bell_'s eventfd, for as long as the loop has it
  int open_handles_ = 0;
  uint64_t look_after_ = 0;       // ms
  uint64_t wait_sleep_ = 0;       // ms
  uint32_t signal_changes_ = 0;   // of disposition_changes()
  bool lost_told_ = false, forgotten_ = false, tearing_down_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

// In a doorbell's terms, what lower layers tell in those of joining a world.
JoinError doorbell_error(JoinError error);

}  // namespace uintr
