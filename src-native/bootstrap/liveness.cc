#include "bootstrap/liveness.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace uintr {
namespace {
constexpr uint64_t kOwnEvent = ~0ull, kDoor = ~1ull;

bool add(int epoll, int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}
}  // namespace

bool Liveness::open(uint32_t size, int event_fd, JoinError* error) {
  watches_.resize(size);
  event_fd_ = event_fd;
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return fail_syscall(error, "epoll_create1", errno, "cannot watch the other ranks");
  if (!add(epoll_.get(), event_fd, EPOLLIN, kOwnEvent)) {
    return fail_syscall(error, "epoll_ctl", errno, "cannot watch the own eventfd");
  }
  return true;
}

bool Liveness::watch(uint32_t rank, Fd pidfd, Fd lifeline, JoinError* error) {
  const std::string what = "cannot watch rank " + std::to_string(rank);
  bury(rank);
  // No event is asked of the lifeline: a hang-up is told anyway, and what a peer may write into it means nothing.
  if (!add(epoll_.get(), lifeline.get(), 0, rank)) return fail_syscall(error, "epoll_ctl", errno, what);
  if (pidfd && !add(epoll_.get(), pidfd.get(), EPOLLIN, rank)) return fail_syscall(error, "epoll_ctl", errno, what);
  watches_[rank].pidfd = std::move(pidfd);
  watches_[rank].lifeline = std::move(lifeline);
  return true;
}

bool Liveness::watch_door(int fd, JoinError* error) {
  return add(epoll_.get(), fd, EPOLLIN, kDoor) ||
         fail_syscall(error, "epoll_ctl", errno, "cannot watch for ranks that come back");
}

void Liveness::bury(uint32_t rank) {
  // Explicitly: a duplicate of the descriptor (a fork under way) would keep it in the epoll set after close().
  Watch& watch = watches_[rank];
  if (watch.pidfd) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.pidfd.get(), nullptr);
  if (watch.lifeline) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.lifeline.get(), nullptr);
  watch.pidfd.reset();
  watch.lifeline.reset();
}

Liveness::Events Liveness::drain(int timeout_ms) {
  Events result;
  epoll_event ready[64];
  int count;
  do {
    count = epoll_wait(epoll_.get(), ready, 64, timeout_ms);
    timeout_ms = 0;  // the wait is for the first event only
    for (int i = 0; i < count; ++i) {
      if (ready[i].data.u64 == kOwnEvent) {
        uint64_t rings;
        if (read(event_fd_, &rings, sizeof rings) == sizeof rings) result.rung = true;
        continue;
      }
      if (ready[i].data.u64 == kDoor) {
        result.knocked = true;
        continue;
      }
      const auto rank = static_cast<uint32_t>(ready[i].data.u64);
      if (!watches_[rank].lifeline) continue;  // pidfd and lifeline in one batch
      bury(rank);
      result.dead.push_back(rank);
    }
  } while (count == 64);
  return result;
}

void Liveness::close() {
  epoll_.reset();
  watches_.clear();
}

}  // namespace uintr
