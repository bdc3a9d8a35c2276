// Who is still there, and has somebody rung: one epoll descriptor that holds the own eventfd, a pidfd per peer process
// and a lifeline per peer. The addon watches it with uv_poll; wait() sleeps on it.
//
// A lifeline is the read end of a close-on-exec pipe whose write end only the peer holds. It hangs up when the peer's
// process ends *or executes another program* (which keeps pid and pidfd), and when a worker thread that is a rank ends.
// Both pidfd and lifeline become ready only after the last instruction of the old program, on every thread of it.
#pragma once

#include <cstdint>
#include <vector>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

class Liveness {
 public:
  // `event_fd` is the rank's own; not owned.
  bool open(uint32_t size, int event_fd, JoinError* error);
  // pidfd may be empty (same process, or a pid that means nothing here).
  // In place of what was watched of that rank before.
  bool watch(uint32_t rank, Fd pidfd, Fd lifeline, JoinError* error);
  // Events::knocked tells that `fd` is readable; not owned.
  bool watch_door(int fd, JoinError* error);

  // Readable whenever drain() has something to tell (level-triggered).
  int fd() const { return epoll_.get(); }

  struct Events {
    bool rung = false;           // the own eventfd was written; drained
    bool knocked = false;
    std::vector<uint32_t> dead;  // ranks that ended; each is told once
  };
  // Waits up to timeout_ms (0: not at all, -1: without end) and takes what is ready. A signal ends the wait early.
  Events drain(int timeout_ms = 0);

  void close();

 private:
  void bury(uint32_t rank);

  struct Watch {
    Fd pidfd, lifeline;
  };
  std::vector<Watch> watches_;
  Fd epoll_;
  int event_fd_ = -1;
};

}  // namespace uintr
