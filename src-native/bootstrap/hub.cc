#include "bootstrap/hub.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

#include "bootstrap/rendezvous.h"
#include "bootstrap/spare.h"
#include "bootstrap/thread.h"

namespace uintr {
namespace {

class HubThread final : public Hub {
 public:
  HubThread(std::string name, uint32_t size) : rendezvous_(std::move(name), size) {}
  ~HubThread() override {
    if (!running_) return;
    const uint64_t one = 1;
    while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) continue;
    thread_join(&thread_);
  }

  Rendezvous& rendezvous() { return rendezvous_; }  // before start() only

  bool start(Fd listener, JoinError* error) {
    const char* what = "cannot start the thread that collects the ranks";
    listener_ = std::move(listener);
    stop_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop_) return fail_syscall(error, "eventfd", errno, what);
    if (listener_ && !spare_.keep(error)) return false;
    running_ = thread_start(&thread_, [](void* self) { static_cast<HubThread*>(self)->run(); }, this);
    return running_ || fail_syscall(error, "thread_start", EAGAIN, what);
  }

 private:
  void run() {
    std::vector<pollfd> fds;
    for (;;) {
      const int timeout = rendezvous_.sweep();
      if (rendezvous_.finished()) return;
      const size_t connections = rendezvous_.connections();
      fds.clear();
      fds.push_back({stop_.get(), POLLIN, 0});
      // Somebody of this user who only connects must not use up the descriptors.
      fds.push_back({connections < kMaxRanks + 64 ? listener_.get() : -1, POLLIN, 0});
      for (size_t i = 0; i < connections; ++i) fds.push_back({rendezvous_.socket(i), POLLIN, 0});
      if (poll(fds.data(), fds.size(), timeout) <= 0) continue;
      if (fds[0].revents != 0) return;
      for (size_t i = 0; i < connections; ++i) {
        if (fds[i + 2].revents != 0) rendezvous_.readable(i);
      }
      if (fds[1].revents != 0) accept_one();
    }
  }

  void accept_one() {
    Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (!is_shortage(errno)) return;
      rendezvous_.ran_short();
      if (spare_.turn_away(listener_.get(), Rendezvous::kTooManyOpenFiles)) return;
      // The connection stays in the queue, and poll would report it at once again.
      poll(nullptr, 0, 20);
      return;
    }
    if (wire::want_credentials(socket.get())) rendezvous_.add(std::move(socket), kNone);
  }

  Rendezvous rendezvous_;
  Fd listener_, stop_;
  Spare spare_;
  ThreadHandle thread_{};
  bool running_ = false;
};

}  // namespace

std::unique_ptr<Hub> Hub::for_children(uint32_t size, std::vector<Fd>* sockets, JoinError* error) {
  if (size < 1 || size > kMaxRanks) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT",
         "size " + std::to_string(size) + ": a world has 1 to " + std::to_string(kMaxRanks) + " ranks");
    return nullptr;
  }
  auto hub = std::make_unique<HubThread>("", size);
  sockets->clear();
  for (uint32_t rank = 0; rank < size; ++rank) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      fail_syscall(error, "socketpair", errno, "cannot make a socket for rank " + std::to_string(rank));
      return nullptr;
    }
    Fd own(ends[0]);
    sockets->emplace_back(ends[1]);
    // Before the child exists: credentials are attached when a packet is sent.
    if (!wire::want_credentials(own.get())) {
      fail_syscall(error, "setsockopt(SO_PASSCRED)", errno, "cannot make a socket for rank " + std::to_string(rank));
      return nullptr;
    }
    hub->rendezvous().add(std::move(own), rank);
  }
  if (!hub->start(Fd(), error)) return nullptr;
  return hub;
}

std::unique_ptr<Hub> Hub::for_name(const std::string& name, Fd listener, JoinError* error) {
  auto hub = std::make_unique<HubThread>(name, 0);
  if (!hub->start(std::move(listener), error)) return nullptr;
  return hub;
}

}  // namespace uintr
