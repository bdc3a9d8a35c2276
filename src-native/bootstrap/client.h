// A rank's side of the conversation with the hub: one message expected at a time, and every wait ends.
#pragma once

#include <string>

#include "bootstrap/deadline.h"
#include "bootstrap/wire.h"

namespace uintr {

enum class Step { Done, Retry, Failed };  // Retry: the hub or another rank went away before the world was complete

class HubClient {
 public:
  HubClient(Fd socket, Deadline deadline, int cancel_fd)
      : socket_(std::move(socket)), deadline_(deadline), cancel_fd_(cancel_fd) {}

  Step send(const void* message, size_t bytes, const int* fds, uint32_t fd_count, JoinError* error);
  // Waits for a message of this type. On a timeout the error says who is missing.
  Step expect(wire::Type type, wire::Received* out, JoinError* error);

 private:
  Step lost(JoinError* error);
  Step timed_out(JoinError* error);

  Fd socket_;
  Deadline deadline_;
  int cancel_fd_;
};

Step cancelled(JoinError* error);

}  // namespace uintr
