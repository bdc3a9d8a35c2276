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

// Edges: who cannot be accepted for want of descriptors must not keep the loop awake.
bool watch(int epoll, int operation, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

bool Door::open(Fd listener, uint32_t ranks, JoinError* error) {
  listener_ = std::move(listener);
  most_visitors_ = ranks + kSpareVisitors;
  if (!spare_.keep(error)) return false;
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return fail_syscall(error, "epoll_create1", errno, "cannot watch for ranks that come back");
  return watch(epoll_.get(), EPOLL_CTL_ADD, listener_.get()) ||
         fail_syscall(error, "epoll_ctl", errno, "cannot watch for ranks that come back");
}

// Somebody of this user who only connects, as fast as he can, uses up neither the descriptors, nor the places, nor this
// thread's time; and each is listened to before its place is another's.
void Door::look() {
  epoll_event edges[64];
  epoll_wait(epoll_.get(), edges, 64, 0);
  for (size_t n = 0; n < most_visitors_ && (visitors_.size() < most_visitors_ || drop_silent()); ++n) {
    Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (is_shortage(errno) && spare_.turn_away(listener_.get(), kTooManyOpenFiles)) continue;
      return;
    }
    if (!wire::want_credentials(socket.get()) || !watch(epoll_.get(), EPOLL_CTL_ADD, socket.get())) continue;
    visitors_.push_back(std::make_unique<Visitor>());
    visitors_.back()->socket = std::move(socket);
  }
  more_wait_ = true;
}

bool Door::is_silent(const std::unique_ptr<Visitor>& visitor) { return visitor->listened_to && !visitor->greeted; }

bool Door::drop_silent() {
  const auto silent = std::find_if(visitors_.begin(), visitors_.end(), is_silent);
  if (silent == visitors_.end()) return false;
  visitors_.erase(silent);
  return true;
}

void Door::sweep() {
  std::erase_if(visitors_, [](auto& visitor) { return visitor->gone; });
  const bool place = visitors_.size() < most_visitors_ || std::any_of(visitors_.begin(), visitors_.end(), is_silent);
  if (!more_wait_ || !place) return;
  more_wait_ = false;
  watch(epoll_.get(), EPOLL_CTL_MOD, listener_.get());
}

void Door::come_back_to(const Visitor* visitor) { watch(epoll_.get(), EPOLL_CTL_MOD, visitor->socket.get()); }

bool Door::hear(Visitor* visitor, wire::Received* received) {
  wire::receive(visitor->socket.get(), received);
  visitor->listened_to = true;
  switch (received->what) {
    case wire::Received::What::Nothing:
      return false;
    case wire::Received::What::Closed:
      // One that others may have let in already lives here as well, if only to die: so all count the same lives.
      visitor->gone = !visitor->ready || visitor->let_in;
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
