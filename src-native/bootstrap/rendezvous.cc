#include "bootstrap/rendezvous.h"

#include <unistd.h>

#include <algorithm>

#include "bootstrap/deadline.h"
#include "bootstrap/namespace.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

constexpr int kHelloWithinMs = 5000;
constexpr int kRetryMs = 2;

}  // namespace

void Rendezvous::add(Fd socket, uint32_t reserved) {
  auto member = std::make_unique<Member>();
  member->socket = std::move(socket);
  member->reserved = member->rank = reserved;
  member->silent_until = now_ms() + kHelloWithinMs;
  ucred peer{};
  socklen_t length = sizeof peer;
  const bool known = getsockopt(member->socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;
  Member* m = member.get();
  members_.push_back(std::move(member));
  if (!known || peer.uid != geteuid()) {
    refuse(m, title() + " belongs to user " + std::to_string(geteuid()) + ", not to user " + std::to_string(peer.uid));
  } else if (phase_ == Phase::Complete) {
    refuse_late(m);
  }
}

void Rendezvous::readable(size_t i) {
  Member* m = members_[i].get();
  if (m->gone) return;
  wire::Received received;
  wire::receive(m->socket.get(), &received);
  switch (received.what) {
    case wire::Received::What::Nothing:
      return;
    case wire::Received::What::Message:
      return take(m, &received);
    case wire::Received::What::Closed:
      return left(m);
    case wire::Received::What::Garbage:
      ran_short_ = ran_short_ || received.out_of_descriptors;
      return turn_away(m,
                       received.out_of_descriptors
                           ? kTooManyOpenFiles
                           : "a message of the joining rank is malformed",
                       received.out_of_descriptors ? wire::kJoin : wire::kProtocol);
  }
}

void Rendezvous::take(Member* m, wire::Received* received) {
  const wire::Head& head = received->message.head;
  if (head.version != wire::kVersion) {
    return turn_away(m, "this rank speaks bootstrap version " + std::to_string(head.version) + ", " + title() + " " +
                            std::to_string(wire::kVersion) + ": use one version of uintr");
  }
  switch (head.type) {
    case wire::Type::Hello:
      return hello(m, received);
    case wire::Type::AskMissing: {
      const std::string why = ran_short_ ? std::string("; ") + kTooManyOpenFiles : "";
      const wire::Text answer = wire::make_text(wire::Type::Missing, missing() + why);
      if (wire::send(m->socket.get(), &answer, sizeof answer) != 0) left(m);
      return;
    }
    case wire::Type::Fetch:
      if (phase_ != Phase::Forming || !m->arrived || received->message.fetch.first >= size_) break;
      m->fetching = m->placed = true;
      m->fetch_first = received->message.fetch.first;
      return answer_fetches();
    case wire::Type::Mapped:
      if (phase_ != Phase::Forming || !m->placed) break;
      m->mapped = true;
      return open_barrier();
    default:
      break;
  }
  turn_away(m, "the joining rank sent a message out of turn", wire::kProtocol);
}

void Rendezvous::hello(Member* m, wire::Received* received) {
  const wire::Hello& hello = received->message.hello;
  std::string why = "the joining rank's hello is malformed";
  uint32_t code = wire::kProtocol;
  if (phase_ != Phase::Gathering || m->arrived || received->fd_count != wire::kFdsPerRank) {
    return turn_away(m, why, code);
  }
  if (received->credentials.uid != geteuid()) {
    return turn_away(m, "the joining rank runs as user " + std::to_string(received->credentials.uid) + ", " + title() +
                            " belongs to user " + std::to_string(geteuid()));
  }
  if (!admissible(m, hello, &why, &code)) {
    return turn_away(m, why, code);
  }
  if (!have_geometry_) {
    geometry_ = hello.geometry;
    size_ = geometry_.size;
    have_geometry_ = true;
  }
  if (m->reserved == kNone) m->rank = hello.wanted_rank;
  m->identity = hello.identity;
  m->identity.pid = received->credentials.pid;
  for (uint32_t i = 0; i < wire::kFdsPerRank; ++i) m->fds[i] = std::move(received->fds[i]);
  m->arrived = true;
  m->arrival = ++arrivals_;
  UINTR_FAILPOINT("hub.hello_taken");
  if (arrived() == size_) form();
}

void Rendezvous::form() {
  const Layout layout{geometry_};
  JoinError error;
  int failed = 0;
  if (!Segment::create(Segment::Kind::World, layout.world_bytes(), &world_, &error)) {
    return fail_all(error.message, wire::kNoMemory);
  }
  // Doorbells are rung by handlers, which cannot deal with a lack of memory; match words are their owners' to commit.
  if ((failed = world_.commit(0, layout.match_word(0, 0))) != 0) {
    return fail_all("no memory for the doorbells: fallocate failed with " + errno_name(failed), wire::kNoMemory);
  }
  ranks_.assign(size_, nullptr);
  std::vector<Member*> by_arrival;
  for (auto& m : members_) {
    if (!m->arrived || m->gone) continue;
    if (m->rank != kNone)
      ranks_[m->rank] = m.get();
    else
      by_arrival.push_back(m.get());
  }
  std::sort(by_arrival.begin(), by_arrival.end(), [](Member* a, Member* b) { return a->arrival < b->arrival; });
  for (uint32_t rank = 0, next = 0; rank < size_; ++rank) {
    if (ranks_[rank] != nullptr) continue;
    ranks_[rank] = by_arrival[next++];
    ranks_[rank]->rank = rank;
  }
  phase_ = Phase::Forming;
  UINTR_FAILPOINT("hub.forming");
  const int fd = world_.fd();
  wire::Welcome welcome{};
  welcome.pid_namespace = pid_namespace();
  for (uint32_t rank = 0; rank < size_ && phase_ == Phase::Forming; ++rank) {
    welcome.rank = rank;
    if (wire::send(ranks_[rank]->socket.get(), &welcome, sizeof welcome, &fd, 1) != 0) left(ranks_[rank]);
    UINTR_FAILPOINT("hub.welcomed_one");
  }
}

void Rendezvous::answer_fetches() {
  answers_waiting_ = false;
  if (phase_ != Phase::Forming) return;
  // A peer may look at a rank's control header as soon as it holds its descriptors, so all headers come first.
  for (Member* m : ranks_) {
    if (!m->placed) return;
  }
  for (size_t i = 0; i < ranks_.size() && phase_ == Phase::Forming; ++i) {
    Member* m = ranks_[i];
    if (m->fetching && !send_peers(m)) answers_waiting_ = true;
  }
}

bool Rendezvous::send_peers(Member* m) {
  wire::Peers peers{};
  int fds[wire::kMaxFds];
  uint32_t fd_count = 0;
  peers.first = m->fetch_first;
  peers.count = std::min(size_ - m->fetch_first, wire::kPeersPerMessage);
  for (uint32_t i = 0; i < peers.count; ++i) {
    const Member* peer = ranks_[peers.first + i];
    peers.identity[i] = peer->identity;
    for (const Fd& fd : peer->fds) fds[fd_count++] = fd.get();
  }
  // ETOOMANYREFS: too many descriptors of this user are in flight; the others are about to take theirs.
  const int failed = wire::send(m->socket.get(), &peers, sizeof peers, fds, fd_count);
  if (failed == EAGAIN || failed == ETOOMANYREFS || failed == ENOBUFS) return false;
  m->fetching = false;
  UINTR_FAILPOINT("hub.peers_sent");
  if (failed != 0) left(m);
  return true;
}

void Rendezvous::open_barrier() {
  for (Member* m : ranks_) {
    if (!m->mapped) return;
  }
  phase_ = Phase::Complete;
  // SYNC POINT: formed. Written before the first rank is told, because that one may end this process before the last is.
  UINTR_FAILPOINT("hub.opening");
  reinterpret_cast<Formed*>(world_.base() + Layout{geometry_}.formed())->word.release(1);
  UINTR_FAILPOINT("hub.opened");
  const wire::Plain go{.head = {.type = wire::Type::Go}};
  for (auto& m : members_) {
    if (m->arrived && !m->gone) {
      wire::send(m->socket.get(), &go, sizeof go);
      UINTR_FAILPOINT("hub.go_sent");
      m->gone = true;
    } else {
      refuse_late(m.get());
    }
  }
  ranks_.clear();
  world_ = Segment();
}

void Rendezvous::left(Member* m, const std::string& how) {
  if (m->gone) return;
  m->gone = true;
  if (phase_ == Phase::Forming && m->arrived) {
    return fail_all("rank " + std::to_string(m->rank) + ' ' + how, wire::kJoin);
  }
  if (phase_ == Phase::Gathering && m->reserved != kNone) {
    return fail_all("rank " + std::to_string(m->reserved) + ' ' + how, wire::kJoin);
  }
  // In a named world the place is free again; and with the last one go the values it had to agree with.
  if (phase_ == Phase::Gathering && arrived() == 0) {
    have_geometry_ = false;
    if (!name_.empty()) size_ = 0;
  }
}

void Rendezvous::turn_away(Member* m, const std::string& text, uint32_t code) {
  refuse(m, text, code);
  left(m, "could not join: " + text);
}

void Rendezvous::refuse(Member* m, const std::string& text, uint32_t code, bool retry) {
  if (m->gone) return;
  const wire::Text answer = wire::make_text(wire::Type::Refused, text, code, retry);
  wire::send(m->socket.get(), &answer, sizeof answer);
  // Whoever is refused before its hello or instead of it has no place that would become free.
  if (!m->arrived && m->reserved == kNone) m->gone = true;
}

// In an elastic world it may find that there is a rank to come back as.
void Rendezvous::refuse_late(Member* m) { refuse(m, complete_text(), wire::kComplete, geometry_.elastic != 0); }

void Rendezvous::fail_all(const std::string& text, uint32_t code) {
  const bool named = !name_.empty();
  phase_ = Phase::Failed;  // left() has nothing to add
  for (auto& m : members_) {
    if (m->gone || (named && !m->arrived)) continue;
    refuse(m.get(), text, code, named && code == wire::kJoin);
    m->gone = true;
  }
  ranks_.clear();
  world_ = Segment();
  if (!named) return;
  // The name stays, and a world may form under it again.
  phase_ = Phase::Gathering;
  have_geometry_ = false;
  size_ = 0;
}

int Rendezvous::sweep() {
  if (answers_waiting_) answer_fetches();
  int64_t next = answers_waiting_ ? kRetryMs : -1;
  const int64_t now = now_ms();
  for (auto& m : members_) {
    if (m->gone || m->arrived || m->reserved != kNone) continue;
    if (phase_ == Phase::Forming) m->silent_until = now + kHelloWithinMs;  // it is not listened to now
    const int64_t left_ms = m->silent_until - now;
    if (left_ms <= 0)
      m->gone = true;
    else if (next < 0 || left_ms < next)
      next = left_ms;
  }
  std::erase_if(members_, [](auto& m) { return m->gone; });
  return static_cast<int>(next);
}

uint32_t Rendezvous::arrived() const {
  uint32_t count = 0;
  for (auto& m : members_) count += m->arrived && !m->gone;
  return count;
}

}  // namespace uintr
