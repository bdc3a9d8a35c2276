// The driver's signal by a timer, to the calling thread, while it lives: where two ranks have less than two processors,
// the peer's interrupts come between two turns on the processor, and these come amid one.
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../bootstrap/tools.h"

namespace canary {

class Ticks {
 public:
  Ticks(int signal_number, long nanoseconds) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal_number;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
    const itimerspec period = {{0, nanoseconds}, {0, nanoseconds}};
    CHECK(timer_settime(timer_, 0, &period, nullptr) == 0);
  }
  ~Ticks() { timer_delete(timer_); }

 private:
  timer_t timer_;
};

}  // namespace canary
