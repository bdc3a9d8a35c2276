// A descriptor that is kept for when there are none left: a connection cannot even be refused without one, and whoever
// waits at the other end would not hear why before its time is over.
#pragma once

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "bootstrap/wire.h"

namespace uintr {

class Spare {
 public:
  bool keep(JoinError* error) {
    fd_.reset(eventfd(0, EFD_CLOEXEC));
    return fd_ || fail_syscall(error, "eventfd", errno, "no descriptor to refuse connections with");
  }
  // Tells the next one that waits at `listener`, and hangs up. False: nobody waits, or another thread was faster.
  bool turn_away(int listener, const std::string& text) {
    fd_.reset();
    Fd socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      const wire::Text answer = wire::make_text(wire::Type::Refused, text, wire::kJoin);
      wire::send(socket.get(), &answer, sizeof answer);
    }
    const bool told = static_cast<bool>(socket);
    socket.reset();
    // Where that fails another thread has taken it, and the next call tries without.
    fd_.reset(eventfd(0, EFD_CLOEXEC));
    return told;
  }

 private:
  Fd fd_;
};

}  // namespace uintr
