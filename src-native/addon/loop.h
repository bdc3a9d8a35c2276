// The event loop's part in a world: it looks before it sleeps, sleeps on the world's descriptor, and looks when it
// wakes.
#pragma once

#include <uv.h>

namespace uintr {

class World;

// After how long without an answer a peer is interrupted again; the time doubles from the first to the last.
constexpr uint64_t kFirstKickMs = 1, kLastKickMs = 1000;

class Loop {
 public:
  // `fd` becomes readable when a peer rings or dies. Keeps nothing alive until ref().
  bool start(uv_loop_t* uv, int fd, World* world);
  void ref();
  void unref();
  // `done` runs when the last callback has run; `world` must live until then.
  void close(void (*done)(World*));
  bool closing() const { return closing_; }
  void stop_watching();

 private:
  // Has the loop turn once more after `ms`, if it is alive that long.
  void come_back(uint64_t ms);
  // Kicks peers that do not answer, while the loop sleeps: later and later, until they do.
  void watch_for_answers();
  void set_timers();
  void let_go_if_unwanted();
  static void on_prepare(uv_prepare_t* handle);
  static void on_check(uv_check_t* handle);
  static void on_poll(uv_poll_t* handle, int status, int events);
  static void on_unanswered(uv_timer_t* handle);
  static void on_close(uv_handle_t* handle);

  World* world_ = nullptr;
  void (*done_)(World*) = nullptr;
  uv_poll_t poll_;
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_timer_t timer_;
  uv_timer_t kick_;
  uint64_t kick_after_ = 0;  // ms; 0: nothing to kick for
  int open_ = 0;
  bool closing_ = false;
};

}  // namespace uintr
