#include "bootstrap/client.h"

#include <cerrno>

namespace uintr {
namespace {
constexpr int kAnswerWithinMs = 250;  // beyond the timeout, for the hub to say who is missing
constexpr int kRetryMs = 2;
}  // namespace

Step HubClient::send(const void* message, size_t bytes, const int* fds, uint32_t fd_count, JoinError* error) {
  for (;;) {
    const int failed = wire::send(socket_.get(), message, bytes, fds, fd_count);
    if (failed == 0) return Step::Done;
    // The hub may have closed after an answer that is still to be read: expect() will find it.
    if (failed == EPIPE || failed == ECONNRESET) return Step::Done;
    // The socket is full, or this user has too many descriptors in flight: either passes as others read theirs.
    if (failed != EAGAIN && failed != ETOOMANYREFS && failed != ENOBUFS) {
      fail_syscall(error, "sendmsg", failed, "cannot reach the process that collects the ranks");
      return Step::Failed;
    }
    const Deadline pause = Deadline::in(kRetryMs);
    switch (wait_readable(-1, cancel_fd_, pause.at_ms < deadline_.at_ms ? pause : deadline_)) {
      case Wait::Cancelled:
        return cancelled(error);
      default:
        if (deadline_.left_ms() == 0) return timed_out(error);
    }
  }
}

Step HubClient::expect(wire::Type type, wire::Received* out, JoinError* error) {
  for (;;) {
    switch (wait_readable(socket_.get(), cancel_fd_, deadline_)) {
      case Wait::Cancelled:
        return cancelled(error);
      case Wait::Timeout:
        return timed_out(error);
      case Wait::Ready:
        break;
    }
    wire::receive(socket_.get(), out);
    switch (out->what) {
      case wire::Received::What::Nothing:
        continue;
      case wire::Received::What::Closed:
        return lost(error);
      case wire::Received::What::Garbage:
        // The kernel has closed what found no room, and does not say whether it was the process's or the system's.
        if (out->out_of_descriptors)
          fail_syscall(error, "recvmsg", EMFILE, "cannot take the descriptors of the other ranks");
        else
          fail(error, "ERR_UINTR_PROTOCOL", "the process that collects the ranks sent a malformed message");
        return Step::Failed;
      case wire::Received::What::Message:
        break;
    }
    const wire::Head& head = out->message.head;
    if (head.version != wire::kVersion) {
      fail(error, "ERR_UINTR_JOIN",
           "the process that collects the ranks speaks bootstrap version " + std::to_string(head.version) +
               ", this rank " + std::to_string(wire::kVersion) + ": use one version of uintr");
      return Step::Failed;
    }
    if (head.type == wire::Type::Refused) {
      const wire::Text& text = out->message.text;
      const size_t code = text.code < std::size(wire::kCodes) ? text.code : 0;
      fail(error, wire::kCodes[code], wire::text_of(text));
      return text.retry != 0 ? Step::Retry : Step::Failed;
    }
    if (head.type == type) return Step::Done;
    fail(error, "ERR_UINTR_PROTOCOL", "the process that collects the ranks sent a message out of turn");
    return Step::Failed;
  }
}

Step HubClient::lost(JoinError* error) {
  fail(error, "ERR_UINTR_JOIN", "the process that collects the ranks ended before all had joined");
  return Step::Retry;
}

Step HubClient::timed_out(JoinError* error) {
  std::string who = "not all ranks have joined";
  const wire::Plain ask{.head = {.type = wire::Type::AskMissing}};
  const Deadline answer = Deadline::in(kAnswerWithinMs);
  if (wire::send(socket_.get(), &ask, sizeof ask) == 0) {
    while (wait_readable(socket_.get(), cancel_fd_, answer) == Wait::Ready) {
      wire::Received received;
      wire::receive(socket_.get(), &received);
      if (received.what == wire::Received::What::Nothing) continue;
      if (received.what != wire::Received::What::Message) break;
      // Anything else is what came too late; it is not acted on.
      if (received.message.head.type != wire::Type::Missing) continue;
      who = wire::text_of(received.message.text);
      break;
    }
  }
  fail(error, "ERR_UINTR_TIMEOUT", "joinTimeout is over: " + who);
  return Step::Failed;
}

Step cancelled(JoinError* error) {
  fail(error, "ERR_UINTR_CLOSED", "joining was cancelled");
  return Step::Failed;
}

}  // namespace uintr
