// Waiting with an end: every wait of the bootstrap goes through here.
#pragma once

#include <poll.h>
#include <time.h>

#include <cerrno>
#include <cstdint>

namespace uintr {

inline int64_t now_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

struct Deadline {
  int64_t at_ms;
  static Deadline in(int64_t ms) { return {now_ms() + ms}; }
  int left_ms() const {
    const int64_t left = at_ms - now_ms();
    return left < 0 ? 0 : left > 1 << 30 ? 1 << 30 : static_cast<int>(left);
  }
};

enum class Wait { Ready, Timeout, Cancelled };

// Until `fd` has input or hung up (fd -1: only the time counts), `cancel_fd` becomes readable, or the time is over.
inline Wait wait_readable(int fd, int cancel_fd, Deadline deadline) {
  for (;;) {
    pollfd fds[2] = {{fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    const int ready = poll(fds, 2, deadline.left_ms());
    if (ready > 0 && fds[1].revents != 0) return Wait::Cancelled;
    if (ready > 0 && fds[0].revents != 0) return Wait::Ready;
    if (ready == 0) return Wait::Timeout;
    if (ready < 0 && errno != EINTR) return Wait::Timeout;
  }
}

}  // namespace uintr
