#include "bootstrap/door.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace uintr {
namespace {

// More connections than ranks, for some may have been given up.
constexpr size_t kSpareVisitors = 16;
constexpr const char* kTooManyOpenFiles = "a member of the world has too many open files (raise `ulimit -n`)";

bool watch(int epoll, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

bool Door::open(Fd listener, uint32_t ranks, JoinError* error) {
  listener_ = std::move(listener);
  most_visitors_ = ranks + kSpareVisitors;
  if (!spare_.keep(error)) return false;
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return fail_syscall(error, "epoll_create1", errno, "cannot watch for ranks that come back");
  // Edges: who cannot be accepted for want of descriptors must not keep the loop awake.
  return watch(epoll_.get(), listener_.get(), EPOLLIN | EPOLLET) ||
         fail_syscall(error, "epoll_ctl", errno, "cannot watch for ranks that come back");
}

void Door::look() {
  epoll_event edges[8];
  while (epoll_wait(epoll_.get(), edges, 8, 0) == 8) continue;
  // Somebody of this user who only connects uses up neither the descriptors nor the places.
  while (visitors_.size() < most_visitors_ || drop_silent()) {
    Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (is_shortage(errno) && spare_.turn_away(listener_.get(), kTooManyOpenFiles)) continue;
      return;
    }
    if (!wire::want_credentials(socket.get()) || !watch(epoll_.get(), socket.get(), EPOLLIN | EPOLLET)) continue;
    visitors_.push_back(std::make_unique<Visitor>());
    visitors_.back()->socket = std::move(socket);
  }
}

bool Door::drop_silent() {
  const auto silent = std::find_if(visitors_.begin(), visitors_.end(), [](auto& visitor) { return !visitor->greeted; });
  if (silent == visitors_.end()) return false;
  visitors_.erase(silent);
  return true;
}

void Door::sweep() {
  std::erase_if(visitors_, [](auto& visitor) { return visitor->gone; });
}

bool Door::hear(Visitor* visitor, wire::Received* received) {
  wire::receive(visitor->socket.get(), received);
  switch (received->what) {
    case wire::Received::What::Nothing:
      return false;
    case wire::Received::What::Closed:
      // One that others may have let in already lives here as well, if only to die: so all count the same lives.
      visitor->gone = !visitor->ready;
      visitor->left = true;
      return false;
    case wire::Received::What::Garbage:
      refuse(visitor,
             received->out_of_descriptors ? kTooManyOpenFiles : "a message of the returning rank is malformed",
             received->out_of_descriptors ? wire::kJoin : wire::kProtocol);
      return false;
    case wire::Received::What::Message:
      return true;
  }
  return false;
}

void Door::refuse(Visitor* visitor, const std::string& text, uint32_t code) {
  const wire::Text answer = wire::make_text(wire::Type::Refused, text, code);
  wire::send(visitor->socket.get(), &answer, sizeof answer);
  visitor->gone = true;
}

}  // namespace uintr
