// A rank that comes back to an elastic world, in a new life: with memory, descriptors and an incarnation of its own. It
// talks to each member by itself; who is not at his place is gone for it as well, and may come back later.
#include <algorithm>

#include "bootstrap/hub_socket.h"
#include "bootstrap/joined.h"
#include "bootstrap/namespace.h"
#include "engine/failpoint.h"

namespace uintr {

Step JoinedRank::come_back(std::vector<Member> members, const JoinRequest& request, Deadline deadline,
                           JoinError* error) {
  rank = request.wanted_rank;
  hub_namespace_ = pid_namespace();  // each tells us by itself who it is
  if (!begin(error)) return Step::Failed;
  // A member that computes answers late. The error has to say which one that is.
  auto judge = [&](Step step, const Member& member) {
    if (step == Step::Failed && error != nullptr && std::string(error->code) == "ERR_UINTR_TIMEOUT") {
      fail(error, "ERR_UINTR_TIMEOUT",
           "joinTimeout is over: rank " + std::to_string(member.rank) + " (process " + std::to_string(member.pid) +
               ") has not let this rank in; it does so from its event loop and its calls");
    } else if (step == Step::Retry) {
      fail(error, "ERR_UINTR_JOIN", "rank " + std::to_string(member.rank) + " ended while this rank came back");
    }
    return step;
  };
  std::vector<HubClient> clients;
  clients.reserve(members.size());
  wire::Hello hello{};
  hello.wanted_rank = rank;
  hello.geometry = geometry;
  hello.identity = identity();
  for (Member& member : members) {
    wire::want_credentials(member.socket.get());
    clients.emplace_back(std::move(member.socket), deadline, request.cancel_fd);
    const Step step = clients.back().send(&hello, sizeof hello, descriptors().data(), wire::kFdsPerRank, error);
    if (step != Step::Done) return judge(step, member);
    UINTR_FAILPOINT("back.hello_sent");
  }
  for (size_t i = 0; i < members.size(); ++i) {
    wire::Received received;
    const Step step = clients[i].expect(wire::Type::Present, &received, error);
    if (step != Step::Done) return judge(step, members[i]);
    wire::Present& present = received.message.present;
    const uint32_t peer = present.rank;
    if (received.fd_count != wire::kFdsPerRank + 1 || peer >= geometry.size || peer == rank || mapped_[peer].control) {
      fail(error, "ERR_UINTR_PROTOCOL", "a member of the world sent a malformed answer");
      return Step::Failed;
    }
    Fd& of_world = received.fds[wire::kFdsPerRank];
    UINTR_FAILPOINT("back.member_heard");
    if (!world) {
      if (!adopt_world(std::move(of_world), error)) return Step::Failed;
    } else if (inode_of(of_world.get()) != inode_of(world.fd())) {
      fail(error, "ERR_UINTR_PROTOCOL", "the members of the world do not share one memory");
      return Step::Failed;
    }
    present.identity.pid = received.credentials.pid;
    if (!adopt_peer(peer, received.fds, present.identity, error)) return Step::Failed;
    for (uint32_t other = 0; other < geometry.size; ++other) {
      incarnations[other] = std::max(incarnations[other], present.incarnations[other]);
    }
  }
  // SYNC POINT: incarnation. Some member may not have heard yet of one that has died since.
  for (uint32_t other = 0; other < geometry.size; ++other) {
    incarnations[other] = std::max(incarnations[other], doorbell_of(other).life.acquire());
  }
  if (incarnations[rank] == UINT32_MAX) {
    fail(error, "ERR_UINTR_PROTOCOL", "somebody has written to the world that this rank can never come back");
    return Step::Failed;
  }
  ++incarnations[rank];
  for (uint32_t peer = 0; peer < geometry.size; ++peer) {
    if (peer == rank || mapped_[peer].control) continue;
    maps[peer] = PeerMap{control.base(), heap->base(), 0, 0};
    maps[peer].absent = true;
  }
  // The old life may have said that nobody is to interrupt it any more; all members know that it is over.
  Doorbell& own = doorbell_of(rank);
  own.upid.status.and_sc(~kUpidSn);
  // Before anybody may write to it: whoever comes back after this one must find it.
  if (!open_door(error)) return Step::Failed;
  // SYNC POINT: incarnation. Published before any member is told; one that is not told any more, because this rank dies
  // in between, reads it when the connection has hung up (let_in.cc).
  own.life.exchange_sc(incarnations[rank]);
  UINTR_FAILPOINT("back.life_published");
  wire::Return returning{};
  returning.incarnation = incarnations[rank];
  for (size_t i = 0; i < members.size(); ++i) {
    const Step step = clients[i].send(&returning, sizeof returning, nullptr, 0, error);
    UINTR_FAILPOINT("back.told_one");
    if (step != Step::Done) return judge(step, members[i]);
  }
  for (size_t i = 0; i < members.size(); ++i) {
    wire::Received received;
    const Step step = clients[i].expect(wire::Type::Mapped, &received, error);
    UINTR_FAILPOINT("back.let_in_by_one");
    if (step != Step::Done) return judge(step, members[i]);
  }
  return Step::Done;
}

}  // namespace uintr
