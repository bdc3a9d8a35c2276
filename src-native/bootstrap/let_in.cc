// How a member of an elastic world lets a rank in that comes back. All of it on the member's JavaScript thread, and
// none of it waits.
#include "bootstrap/admission.h"
#include "bootstrap/joined.h"
#include "bootstrap/namespace.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

// More than one that comes back has to say. One that does not stop must not hold the thread here.
constexpr int kHeardInOneLook = 8;

}  // namespace

bool JoinedRank::open_door(JoinError* error) {
  Fd listener;
  door_ = std::make_unique<Door>();
  return place->listen(&listener, error) && door_->open(std::move(listener), geometry.size, error) &&
         liveness.watch_door(door_->fd(), error);
}

void JoinedRank::take_hello(Visitor* visitor, wire::Received* received) {
  const wire::Hello& hello = received->message.hello;
  const uint32_t wanted = hello.wanted_rank;
  if (received->fd_count != wire::kFdsPerRank || received->credentials.uid != geteuid() || wanted == kNone) {
    return Door::refuse(visitor, "the returning rank's hello is malformed", wire::kProtocol);
  }
  std::string why = difference(hello.geometry, geometry, "the world");
  if (why.empty() && (wanted >= geometry.size || wanted == rank)) why = "rank " + std::to_string(wanted) + " is taken";
  if (!why.empty()) return Door::refuse(visitor, why, wire::kInvalidArgument);
  visitor->greeted = true;
  visitor->rank = wanted;
  visitor->identity = hello.identity;
  visitor->identity.pid = received->credentials.pid;
  for (uint32_t i = 0; i < wire::kFdsPerRank; ++i) visitor->fds[i] = std::move(received->fds[i]);
}

void JoinedRank::hear(Visitor* visitor) {
  wire::Received received;
  for (int heard = 0; !visitor->gone && Door::hear(visitor, &received); ++heard) {
    const wire::Head& head = received.message.head;
    if (head.version != wire::kVersion) {
      Door::refuse(visitor,
                   "this rank speaks bootstrap version " + std::to_string(head.version) + ", the world " +
                       std::to_string(wire::kVersion) + ": use one version of uintr",
                   wire::kJoin);
    } else if (head.type == wire::Type::Hello && !visitor->greeted) {
      take_hello(visitor, &received);
    } else if (head.type == wire::Type::Return && visitor->answered &&
               received.message.returning.incarnation > incarnations[visitor->rank] &&
               received.message.returning.incarnation <= doorbell_of(visitor->rank).life.acquire()) {
      visitor->incarnation = received.message.returning.incarnation;
      visitor->ready = true;
    } else if (head.type != wire::Type::AskMissing) {  // who is late says itself whom it waits for
      Door::refuse(visitor, "the returning rank sent a message out of turn", wire::kProtocol);
    }
    received.fd_count = 0;
    if (heard + 1 == kHeardInOneLook) return door_->come_back_to(visitor);
  }
  // SYNC POINT: incarnation. It published its life before it told anybody, and has hung up since. If it died when
  // others had been told and this rank had not, it lived here, too. The next life is answered only after this.
  if (visitor->left && visitor->answered && !visitor->ready) {
    visitor->incarnation = doorbell_of(visitor->rank).life.acquire();
    visitor->ready = visitor->incarnation > incarnations[visitor->rank];
    visitor->gone = !visitor->ready;
  }
}

void JoinedRank::present(Visitor* visitor) {
  wire::Present answer{};
  answer.rank = rank;
  answer.identity = identity();
  for (uint32_t i = 0; i < geometry.size; ++i) answer.incarnations[i] = incarnations[i];
  std::vector<int> fds = descriptors();
  fds.push_back(world.fd());
  if (wire::send(visitor->socket.get(), &answer, sizeof answer, fds.data(), static_cast<uint32_t>(fds.size())) != 0) {
    visitor->gone = true;  // it tries again
  }
  visitor->answered = true;
  UINTR_FAILPOINT("door.answered");
}

// Is another life of the rank about to be let in? Then that comes first, and its end.
bool JoinedRank::is_returning(uint32_t peer) const {
  for (const auto& visitor : door_->visitors()) {
    if (visitor->answered && !visitor->let_in && visitor->rank == peer && !visitor->gone) return true;
  }
  return false;
}

std::vector<uint32_t> JoinedRank::answer_door(bool (*is_gone)(void*, uint32_t), void* self) {
  std::vector<uint32_t> ready;
  if (door_ == nullptr) return ready;
  door_->look();
  for (const auto& held : door_->visitors()) {
    Visitor* visitor = held.get();
    hear(visitor);
    // It holds the rank's place, so the old life has ended; here that is known a moment later.
    const bool waits = visitor->greeted && !visitor->answered && !visitor->gone;
    if (waits && is_gone(self, visitor->rank) && !is_returning(visitor->rank)) {
      present(visitor);
      hear(visitor);
    }
    if (!visitor->ready || visitor->told || visitor->gone) continue;
    visitor->told = true;
    ready.push_back(visitor->rank);
  }
  door_->sweep();
  return ready;
}

bool JoinedRank::let_in(uint32_t peer, Returning* who) {
  if (door_ == nullptr) return false;
  for (const auto& held : door_->visitors()) {
    Visitor* visitor = held.get();
    if (!visitor->ready || visitor->let_in || visitor->rank != peer || visitor->gone) continue;
    JoinError error;
    hub_namespace_ = pid_namespace();  // it has told its pid to this process
    const PeerMap map = maps[peer];
    Peer before = std::move(peers[peer]);
    replaced_ = std::move(mapped_[peer]);
    // A life also if it cannot be let in: others may have done so, and all have to count the same lives.
    incarnations[peer] = visitor->incarnation;
    visitor->let_in = true;
    UINTR_FAILPOINT("door.life_counted");
    const bool adopted = adopt_peer(peer, visitor->fds, visitor->identity, &error);
    if (!adopted) {
      maps[peer] = map;
      peers[peer] = std::move(before);
      mapped_[peer] = std::move(replaced_);
      Door::refuse(visitor, error.message, wire::kJoin);
    }
    *who = {peer, adopted ? peers[peer].pid : 0, visitor->incarnation, !adopted};
    return true;
  }
  return false;
}

void JoinedRank::admitted(uint32_t peer) {
  replaced_ = Mapped{};
  for (const auto& visitor : door_->visitors()) {
    if (!visitor->let_in || visitor->rank != peer || visitor->gone) continue;
    const wire::Plain mapped{.head = {.type = wire::Type::Mapped}};
    UINTR_FAILPOINT("door.admitting");
    wire::send(visitor->socket.get(), &mapped, sizeof mapped);
    UINTR_FAILPOINT("door.admitted");
    visitor->gone = true;
  }
  door_->sweep();
}

}  // namespace uintr
