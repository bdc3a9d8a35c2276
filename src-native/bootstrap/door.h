// Where a member of an elastic world hears of ranks that want to come back: it listens at its place (named.h), and
// looks from its own thread, for what it holds of a rank is that thread's.
#pragma once

#include <memory>
#include <vector>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "bootstrap/spare.h"
#include "bootstrap/wire.h"

namespace uintr {

struct Visitor {
  Fd socket;
  bool listened_to = false;
  bool greeted = false;   // its Hello was taken
  bool answered = false;  // with Present
  bool ready = false;     // it has said Return: to be let in
  bool told = false;      // and the layers above know
  bool let_in = false;    // is a peer: waits to be admitted, or has ended before that
  bool gone = false;      // to be swept
  bool left = false;      // its end of the socket is closed
  uint32_t rank = 0, incarnation = 0;
  wire::Identity identity{};
  Fd fds[wire::kFdsPerRank];
};

class Door {
 public:
  // `ranks`: of the world, as many as may come back.
  bool open(Fd listener, uint32_t ranks, JoinError* error);
  // Readable when somebody has come, gone, or said something.
  int fd() const { return epoll_.get(); }
  // Accepts who has come, as many as there are places.
  void look();
  // Closes those that are marked as gone. If more wait for a place, and there is one, fd() is readable.
  void sweep();
  const std::vector<std::unique_ptr<Visitor>>& visitors() const { return visitors_; }

  // Takes what the visitor says. False: there is nothing; one that has gone or talks nonsense is marked.
  static bool hear(Visitor* visitor, wire::Received* received);
  // What the visitor has said beyond that makes fd() readable once more.
  void come_back_to(const Visitor* visitor);
  static void refuse(Visitor* visitor, const std::string& text, uint32_t code);

 private:
  static bool is_silent(const std::unique_ptr<Visitor>& visitor);
  // Closes the connection that has said nothing for longest. False: all have, or there was no time to.
  bool drop_silent();

  Fd listener_, epoll_;
  size_t most_visitors_ = 0;
  bool more_wait_ = false;  // perhaps
  Spare spare_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
};

}  // namespace uintr
