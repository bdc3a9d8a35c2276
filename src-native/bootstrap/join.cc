#include "bootstrap/join.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "bootstrap/hub_socket.h"
#include "bootstrap/joined.h"
#include "bootstrap/probe.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

constexpr int kTryAgainMs = 10;
// A place whose process has just been killed is about to be free.
constexpr int kTakenForMs = 1000;

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
  if (request.geometry.elastic != 0 && (request.name.empty() || request.wanted_rank == kNone)) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                "rejoin: a world whose ranks can come back needs a name and a rank");
  }
  if (request.hub_fd < 0 && request.name.empty() && request.geometry.size != 1) {
    return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
                "size " + std::to_string(request.geometry.size) +
                    ": a world of more than 1 rank needs a name, or a launcher (uintr run, World.spawn)");
  }
  return request.name.empty() || valid_name(request.name, error);
}

bool wants_cma(const JoinRequest& request) {
  return (request.copy_kinds & kCopyCma) != 0 && request.geometry.size > 1;
}

Step join_launched(const JoinRequest& request, Fd socket, Deadline deadline, JoinedRank* joined, JoinError* error) {
  ucred launcher{};
  socklen_t length = sizeof launcher;
  // Of a socket pair the kernel tells who made it: the common ancestor of all ranks.
  if (wants_cma(request) && getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &launcher, &length) == 0 &&
      launcher.pid > 0) {
    joined->permission = CopyPermission::to_family_of(launcher.pid);
  }
  HubClient client(std::move(socket), deadline, request.cancel_fd);
  const Step step = joined->converse(&client, request, error);
  return step == Step::Retry ? Step::Failed : step;  // a launched world forms once
}

// Takes the place of the wanted rank in an elastic world, which its process holds as long as it lives. Retry: somebody
// holds it, and may be about to end.
Step take_place(const JoinRequest& request, const Fd& directory, Deadline patience, JoinedRank* joined,
                JoinError* error) {
  const std::string name = place_of(request.name, request.wanted_rank);
  auto place = std::make_unique<NameHold>();
  switch (place->take(directory, name, error)) {
    case NameHold::Outcome::Failed:
      return Step::Failed;
    case NameHold::Outcome::Held:
      joined->place = std::move(place);
      UINTR_FAILPOINT("place.held");
      return Step::Done;
    case NameHold::Outcome::Busy:
      break;
  }
  if (patience.left_ms() > 0) return Step::Retry;
  const std::string rank = std::to_string(request.wanted_rank);
  Fd socket;
  int32_t pid = 0;
  const bool lives = connect_to_name(directory, name, &socket, nullptr, &pid) == Connect::Connected;
  fail(error, "ERR_UINTR_JOIN",
       "rank " + rank + " of world '" + request.name + "' is taken: " +
           (lives ? "process " + std::to_string(pid) + " is that rank, and lives"
                  : "a process is joining as it, or does not answer"));
  return Step::Failed;
}

// The members of the elastic world of this name, none if there is no such world. Retry: one does not answer now.
Step find_members(const JoinRequest& request, const Fd& directory, std::vector<JoinedRank::Member>* members,
                  JoinError* error) {
  for (const uint32_t rank : places_of(directory, request.name)) {
    if (request.geometry.elastic != 0 && rank == request.wanted_rank) continue;
    JoinedRank::Member member{rank, 0, Fd()};
    switch (connect_to_name(directory, place_of(request.name, rank), &member.socket, error, &member.pid)) {
      case Connect::Failed:
        return Step::Failed;
      case Connect::Busy:
        // Without it this rank would begin another world, or come back to a part of this one.
        fail(error, "ERR_UINTR_JOIN",
             "rank " + std::to_string(rank) + " of world '" + request.name + "' does not answer: too many wait for it");
        return Step::Retry;
      case Connect::Nobody:
        break;
      case Connect::Connected:
        members->push_back(std::move(member));
    }
  }
  return Step::Done;
}

// This process has the name. Done: the rank has come back to a world that is there; Retry: that world is changing, or
// (with a hub in *joined) there is none yet. *begun: somebody may have seen this rank.
Step use_name(const JoinRequest& request, const Fd& directory, std::unique_ptr<NameHold> hold, Deadline deadline,
              JoinedRank* joined, bool* begun, JoinError* error) {
  std::vector<JoinedRank::Member> members;
  const Step found = find_members(request, directory, &members, error);
  if (found != Step::Done) return found;
  if (!members.empty() && request.geometry.elastic == 0) {
    fail(error, "ERR_UINTR_JOIN",
         "rank " + std::to_string(members[0].rank) + " (process " + std::to_string(members[0].pid) +
             ") is in world '" + request.name + "', which was started with rejoin: true");
    return Step::Failed;
  }
  // The name is held until the rank is a member: one at a time comes back.
  *begun = !members.empty();
  if (*begun) return joined->come_back(std::move(members), request, deadline, error);
  Fd listener;
  if (!hold->listen(&listener, error)) return Step::Failed;
  joined->hub = Hub::for_name(request.name, std::move(listener), error);
  joined->hold = std::move(hold);
  UINTR_FAILPOINT("hub.hosted");
  return joined->hub ? Step::Retry : Step::Failed;
}

// What another try after `before` begins with. In an elastic world another try is another life: somebody may have taken
// the last one for begun.
std::unique_ptr<JoinedRank> again(std::unique_ptr<JoinedRank> before, const JoinRequest& request, JoinError* error) {
  if (request.geometry.elastic == 0) {
    before->forget_peers();
    return before;
  }
  auto next = std::make_unique<JoinedRank>();
  next->hub = std::move(before->hub);
  next->hold = std::move(before->hold);
  next->place = std::move(before->place);
  next->permission = std::move(before->permission);
  before.reset();
  return next->make_own(request, error) ? std::move(next) : nullptr;
}

Step join_named(const JoinRequest& request, Deadline deadline, std::unique_ptr<JoinedRank>* joined, JoinError* error) {
  Fd directory;
  std::string path;
  if (!open_directory(request.runtime_dir, request.home, &directory, &path, error)) return Step::Failed;
  if (wants_cma(request)) (*joined)->permission = CopyPermission::to_all_of_this_user();
  const bool elastic = request.geometry.elastic != 0;
  const Deadline patience = Deadline::in(std::min(kTakenForMs, request.timeout_ms / 2));
  bool answered = false, crowded = false;
  for (;;) {
    Step step = Step::Done;
    bool begun = false;  // something that somebody may have seen
    if (elastic && !(*joined)->place) step = take_place(request, directory, patience, joined->get(), error);
    if (step == Step::Done && !(*joined)->hold) {
      auto hold = std::make_unique<NameHold>();
      switch (hold->take(directory, request.name, error)) {
        case NameHold::Outcome::Failed:
          return Step::Failed;
        case NameHold::Outcome::Busy:
          break;
        case NameHold::Outcome::Held:
          step = use_name(request, directory, std::move(hold), deadline, joined->get(), &begun, error);
          if (step != Step::Retry) return step;
          if ((*joined)->hold) step = Step::Done;
          crowded = step == Step::Retry && !begun;
      }
    }
    if (step == Step::Failed) return step;
    Fd socket;
    switch (step == Step::Done ? connect_to_name(directory, request.name, &socket, error) : Connect::Nobody) {
      case Connect::Failed:
        return Step::Failed;
      case Connect::Busy:
      case Connect::Nobody:
        break;  // its host is starting, or has just ended; or another rank comes back
      case Connect::Connected: {
        begun = true;
        HubClient client(std::move(socket), deadline, request.cancel_fd);
        step = (*joined)->converse(&client, request, error);
        if (step == Step::Done && elastic) {
          // Who comes back finds the members, and asks them.
          (*joined)->hub.reset();
          (*joined)->hold.reset();
        }
        if (step != Step::Retry) return step;
      }
    }
    if (begun && (*joined = again(std::move(*joined), request, error)) == nullptr) return Step::Failed;
    answered = answered || begun;
    const Deadline pause = Deadline::in(kTryAgainMs);
    if (wait_readable(-1, request.cancel_fd, pause.at_ms < deadline.at_ms ? pause : deadline) == Wait::Cancelled) {
      return cancelled(error);
    }
    if (deadline.left_ms() > 0) continue;
    const std::string last = error != nullptr ? error->message : "";
    fail(error, "ERR_UINTR_TIMEOUT",
         "joinTimeout is over: " +
             (answered  ? "world '" + request.name + "' fell apart while it was set up (" + last + ")"
              : crowded ? last
                        : "the process that holds the name '" + request.name + "' in " + path + " does not answer"));
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
    socket = claim_hub_socket(request.hub_fd, request.hub_inode, error);
    if (!socket) return false;
  }
  const Deadline deadline = Deadline::in(request.timeout_ms);
  auto joined = std::make_unique<JoinedRank>();
  if (!check(request, error) || !joined->make_own(request, error)) return false;
  bool done;
  if (socket)
    done = join_launched(request, std::move(socket), deadline, joined.get(), error) == Step::Done;
  else if (!request.name.empty())
    done = join_named(request, deadline, &joined, error) == Step::Done;
  else
    done = joined->be_alone(error);
  if (!done) return false;
  if (joined->hold) joined->hosted_name = request.name;
  if (!joined->copied_by_others()) joined->permission = CopyPermission();
  *out = std::move(joined);
  return true;
}

}  // namespace uintr
