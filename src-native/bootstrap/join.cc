#include "bootstrap/join.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>

#include "bootstrap/hub_socket.h"
#include "bootstrap/joined.h"
#include "bootstrap/probe.h"

namespace uintr {
namespace {

constexpr int kTryAgainMs = 10;

bool check(const JoinRequest& request, JoinError* error) {
  const char* invalid = nullptr;
  if (!Engine::valid(request.geometry, &invalid)) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                std::string("a value that no world may have: ") + (invalid != nullptr ? invalid : "geometry"));
  }
  if (request.timeout_ms <= 0) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                "joinTimeout " + std::to_string(request.timeout_ms) + ": must be above 0 (milliseconds)");
  }
  if (request.wanted_rank != kNone && request.wanted_rank >= request.geometry.size) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                "rank " + std::to_string(request.wanted_rank) + ": must be below size, which is " +
                    std::to_string(request.geometry.size));
  }
  if (request.hub_fd < 0 && request.name.empty() && request.geometry.size != 1) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                "size " + std::to_string(request.geometry.size) +
                    ": a world of more than 1 rank needs a name, or a launcher (uintr run, World.spawn)");
  }
  return request.name.empty() || valid_name(request.name, error);
}

bool wants_cma(const JoinRequest& request) { return (request.copy_kinds & kCopyCma) != 0; }

Step join_launched(const JoinRequest& request, Fd socket, Deadline deadline, JoinedRank* joined, JoinError* error) {
  ucred launcher{};
  socklen_t length = sizeof launcher;
  // Of a socket pair the kernel tells who made it: the common ancestor of all ranks.
  if (wants_cma(request) && getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &launcher, &length) == 0 &&
      launcher.pid > 0) {
    allow_copies(launcher.pid);
  }
  HubClient client(std::move(socket), deadline, request.cancel_fd);
  const Step step = joined->converse(&client, request, error);
  return step == Step::Retry ? Step::Failed : step;  // a launched world forms once
}

Step join_named(const JoinRequest& request, Deadline deadline, JoinedRank* joined, JoinError* error) {
  Fd directory;
  std::string path;
  if (!open_directory(request.runtime_dir, request.home, &directory, &path, error)) return Step::Failed;
  if (wants_cma(request)) allow_copies(0);
  bool answered = false;
  for (;;) {
    if (!joined->hold) {
      auto hold = std::make_unique<NameHold>();
      switch (hold->take(directory, request.name, error)) {
        case NameHold::Outcome::Failed:
          return Step::Failed;
        case NameHold::Outcome::Busy:
          break;
        case NameHold::Outcome::Held: {
          Fd listener;
          if (!hold->listen(&listener, error)) return Step::Failed;
          joined->hub = Hub::for_name(request.name, std::move(listener), error);
          joined->hold = std::move(hold);
          if (!joined->hub) return Step::Failed;
        }
      }
    }
    Fd socket;
    switch (connect_to_name(directory, request.name, &socket, error)) {
      case Connect::Failed:
        return Step::Failed;
      case Connect::Nobody:
        break;  // its host is starting, or has just ended
      case Connect::Connected: {
        answered = true;
        HubClient client(std::move(socket), deadline, request.cancel_fd);
        const Step step = joined->converse(&client, request, error);
        if (step != Step::Retry) return step;
        joined->forget_peers();
      }
    }
    const Deadline pause = Deadline::in(kTryAgainMs);
    if (wait_readable(-1, request.cancel_fd, pause.at_ms < deadline.at_ms ? pause : deadline) == Wait::Cancelled) {
      return cancelled(error);
    }
    if (deadline.left_ms() > 0) continue;
    const std::string last = answered && error != nullptr ? error->message : "";
    fail(error, "ERR_UINTR_TIMEOUT",
         answered ? "joinTimeout is over: world '" + request.name + "' fell apart while it was set up (" + last + ")"
                  : "joinTimeout is over: the process that holds the name '" + request.name + "' in " + path +
                        " does not answer");
    return Step::Failed;
  }
}

}  // namespace

void fill_directories(JoinRequest* request) {
  const char* runtime = getenv("XDG_RUNTIME_DIR");
  const char* home = getenv("HOME");
  request->runtime_dir = runtime != nullptr ? runtime : "";
  request->home = home != nullptr ? home : "";
}

bool join(const JoinRequest& request, std::unique_ptr<Joined>* out, JoinError* error) {
  Fd socket;
  if (request.hub_fd >= 0) {
    // Not owned before it is known to be what it should be: it may be anything of this process.
    socket = claim_hub_socket(request.hub_fd, request.hub_inode);
    if (!socket) {
      fail(error, "ERR_UINTR_JOIN",
           "descriptor " + std::to_string(request.hub_fd) +
               " is not the launcher's socket (was it closed, or used before?)");
      return false;
    }
  }
  const Deadline deadline = Deadline::in(request.timeout_ms);
  auto joined = std::make_unique<JoinedRank>();
  if (!check(request, error) || !joined->make_own(request, error)) return false;
  bool done;
  if (socket)
    done = join_launched(request, std::move(socket), deadline, joined.get(), error) == Step::Done;
  else if (!request.name.empty())
    done = join_named(request, deadline, joined.get(), error) == Step::Done;
  else
    done = joined->be_alone(request, error);
  if (!done) return false;
  if (joined->hold) joined->hosted_name = request.name;
  *out = std::move(joined);
  return true;
}

}  // namespace uintr
