#include "bootstrap/joined.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bootstrap/namespace.h"
#include "bootstrap/probe.h"
#include "bootstrap/random.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

// Handlers write to it, so a descriptor on which a write can wait must not pass for one.
bool is_eventfd(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  char target[64];
  const ssize_t n = readlink(link.c_str(), target, sizeof target);
  const bool right_kind = n < 0 || std::string(target, static_cast<size_t>(n)) == "anon_inode:[eventfd]";
  const int flags = fcntl(fd, F_GETFL);
  return right_kind && flags >= 0 && (flags & O_NONBLOCK) != 0;
}

bool hung_up(int fd) {
  pollfd p{fd, 0, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace

bool JoinedRank::make_own(const JoinRequest& request, JoinError* error) {
  geometry = request.geometry;
  tid_ = request.tid;
  driver_ = request.driver;
  vector_fd_ = request.vector_fd;
  copy_kinds_ = request.copy_kinds;
  const Layout layout{geometry};
  if (!Segment::create(Segment::Kind::Control, layout.control_bytes(), &control, error)) return false;
  announced_.announce(control.fd());
  // What handlers and peers touch without asking: header, heads and tails, reply rings. The rest is the engine's to
  // commit as it needs it.
  int failed = control.commit(0, layout.slot(0));
  if (failed == 0) failed = control.commit(layout.reply_ring(0), layout.data_ring(0) - layout.reply_ring(0));
  if (failed != 0) return fail_syscall(error, "fallocate", failed, "no memory for the control segment");
  Segment arena;
  if (!Segment::create(Segment::Kind::Heap, geometry.heap_bytes, &arena, error)) return false;
  heap = HeapMapping::create(std::move(arena));
  if (heap == nullptr) return fail_syscall(error, "malloc", ENOMEM, "no memory for the heap");
  event_fd.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd) return fail_syscall(error, "eventfd", errno, "cannot join");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_syscall(error, "pipe2", errno, "cannot join");
  lifeline_read_.reset(ends[0]);
  lifeline_write_.reset(ends[1]);
  UINTR_FAILPOINT("join.own_made");
  nonce_ = random_word();
  write_control_header(control.base(), geometry, kNone, nonce_, request.tid);
  reinterpret_cast<ControlHeader*>(control.base())->scratch_address = reinterpret_cast<uint64_t>(probe_scratch);
  return true;
}

bool JoinedRank::be_alone(JoinError* error) {
  const Layout layout{geometry};
  if (!Segment::create(Segment::Kind::World, layout.world_bytes(), &world, error)) return false;
  const int failed = world.commit(0, layout.match_word(0, 0));
  if (failed != 0) return fail_syscall(error, "fallocate", failed, "no memory for the doorbells");
  announced_.enter(world.fd());
  rank = 0;
  return begin(error);
}

bool JoinedRank::begin(JoinError* error) {
  write_control_header(control.base(), geometry, rank, nonce_, tid_);
  peers.resize(geometry.size);
  mapped_.resize(geometry.size);
  incarnations.assign(geometry.size, 0);
  maps.assign(geometry.size, PeerMap{});
  if (!liveness.open(geometry.size, event_fd.get(), error)) return false;
  Peer& self = peers[rank];
  self.pid = getpid();
  self.tid = tid_;
  self.driver = driver_;
  self.same_process = self.signalable = true;
  self.copy_kinds = kCopyPipeline | (copy_kinds_ & (kCopyDirect | kCopyHeap));
  self.event_fd.reset(fcntl(event_fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!self.event_fd) return fail_syscall(error, "fcntl(F_DUPFD_CLOEXEC)", errno, "cannot join");
  maps[rank] = PeerMap{control.base(), heap->base(), self.pid, self.copy_kinds};
  return true;
}

Step JoinedRank::converse(HubClient* client, const JoinRequest& request, JoinError* error) {
  wire::Hello hello{};
  hello.wanted_rank = request.wanted_rank;
  hello.geometry = geometry;
  hello.identity = identity();
  Step step = client->send(&hello, sizeof hello, descriptors().data(), wire::kFdsPerRank, error);
  UINTR_FAILPOINT("join.hello_sent");
  if (step != Step::Done) return step;

  {
    wire::Received received;
    step = client->expect(wire::Type::Welcome, &received, error);
    if (step != Step::Done) return step;
    const wire::Welcome& welcome = received.message.welcome;
    if (received.fd_count != 1 || welcome.rank >= geometry.size) {
      fail(error, "ERR_UINTR_PROTOCOL", "the process that collects the ranks sent a malformed welcome");
      return Step::Failed;
    }
    rank = welcome.rank;
    UINTR_FAILPOINT("join.welcomed");
    hub_namespace_ = welcome.pid_namespace;
    if (!adopt_world(std::move(received.fds[0]), error) || !begin(error)) return Step::Failed;
  }
  for (uint32_t first = 0; first < geometry.size; first += wire::kPeersPerMessage) {
    const wire::Fetch fetch{.first = first};
    step = client->send(&fetch, sizeof fetch, nullptr, 0, error);
    UINTR_FAILPOINT("join.fetch_sent");
    if (step != Step::Done) return step;
    wire::Received received;
    step = client->expect(wire::Type::Peers, &received, error);
    if (step != Step::Done) return step;
    UINTR_FAILPOINT("join.peers_heard");
    const uint32_t left = geometry.size - first;
    const uint32_t count = left < wire::kPeersPerMessage ? left : wire::kPeersPerMessage;
    if (received.message.peers.first != first || received.message.peers.count != count ||
        received.fd_count != count * wire::kFdsPerRank) {
      fail(error, "ERR_UINTR_PROTOCOL", "the process that collects the ranks sent a malformed list of ranks");
      return Step::Failed;
    }
    for (uint32_t i = 0; i < count; ++i) {
      Fd* of_peer = &received.fds[size_t{i} * wire::kFdsPerRank];
      if (first + i != rank && !adopt_peer(first + i, of_peer, received.message.peers.identity[i], error)) {
        return Step::Failed;
      }
    }
  }
  // From the moment at which it may be a member, whoever comes back must find it.
  if (geometry.elastic != 0 && !open_door(error)) return Step::Failed;
  const wire::Plain mapped{.head = {.type = wire::Type::Mapped}};
  UINTR_FAILPOINT("join.all_mapped");
  step = client->send(&mapped, sizeof mapped, nullptr, 0, error);
  UINTR_FAILPOINT("join.mapped_sent");
  if (step != Step::Done) return step;
  wire::Received received;
  step = client->expect(wire::Type::Go, &received, error);
  UINTR_FAILPOINT("join.go_heard");
  // SYNC POINT: formed. Read after the hub has hung up, so it cannot be written any more: all ranks begin, or none.
  const bool formed = reinterpret_cast<Formed*>(world.base() + Layout{geometry}.formed())->word.acquire() != 0;
  return step == Step::Retry && formed ? Step::Done : step;
}

wire::Identity JoinedRank::identity() const {
  wire::Identity own{};
  own.tid = tid_;
  own.pid_namespace = pid_namespace();
  own.nonce = nonce_;
  own.nonce_address = reinterpret_cast<uint64_t>(control.base()) + __builtin_offsetof(ControlHeader, nonce);
  own.driver = driver_;
  return own;
}

std::vector<int> JoinedRank::descriptors() const {
  const bool has_vector = driver_.kind == DriverIdentity::Kind::Uintr;
  return {control.fd(), heap->segment().fd(), event_fd.get(), lifeline_read_.get(),
          has_vector ? vector_fd_ : event_fd.get()};
}

bool JoinedRank::adopt_world(Fd fd, JoinError* error) {
  const uint64_t bytes = Layout{geometry}.world_bytes();
  if (!Segment::adopt(Segment::Kind::World, std::move(fd), bytes, "the world segment", &world, error)) return false;
  announced_.enter(world.fd());
  return true;
}

bool JoinedRank::adopt_peer(uint32_t peer, Fd* fds, const wire::Identity& identity, JoinError* error) {
  const Layout layout{geometry};
  const std::string name = "rank " + std::to_string(peer);
  Segment peer_control, peer_heap;
  if (!Segment::adopt(Segment::Kind::Control, std::move(fds[0]), layout.control_bytes(),
                      (name + "'s control segment").c_str(), &peer_control, error) ||
      !check_control_header(peer_control.base(), geometry, peer, identity.nonce, error) ||
      !Segment::adopt(Segment::Kind::Heap, std::move(fds[1]), geometry.heap_bytes, (name + "'s heap").c_str(),
                      &peer_heap, error)) {
    return false;
  }
  const DriverIdentity& driver = identity.driver;
  if (!is_eventfd(fds[2].get()) || driver.vector > 63 || driver.signal_number < 0 || driver.signal_number > 64 ||
      driver.kind > DriverIdentity::Kind::Uintr) {
    return fail(error, "ERR_UINTR_PROTOCOL", name + " joined with an eventfd or a driver that is none");
  }
  Peer& p = peers[peer];
  p = Peer{};
  p.event_fd = std::move(fds[2]);
  if (driver.kind == DriverIdentity::Kind::Uintr) p.vector_fd = std::move(fds[4]);
  p.nonce = identity.nonce;
  const OwnControl::Made made = OwnControl::made(peer_control.fd(), world.fd());
  if (made == OwnControl::Made::InAnotherWorld) {
    return fail(error, "ERR_UINTR_PROTOCOL", name + " joined with a control segment of this process in another world");
  }
  p.same_process = made == OwnControl::Made::Here;
  probe_peer(identity, peer_control, hub_namespace_, rank, copy_kinds_, &p);
  peer_control.close_fd();
  peer_heap.close_fd();
  maps[peer] = PeerMap{peer_control.base(), peer_heap.base(), p.pid, p.copy_kinds};
  // Where it was found to hold (probe.h).
  if ((p.copy_kinds & kCopyCma) != 0) maps[peer].nonce = identity.nonce, maps[peer].nonce_address = identity.nonce_address;
  std::unique_ptr<HeapMapping, ReleaseHeap> arena(HeapMapping::create(std::move(peer_heap)));
  if (arena == nullptr) return fail_syscall(error, "malloc", ENOMEM, "no memory for " + name + "'s heap");
  maps[peer].let_go = times_let_go(geometry, peer_control.base(), rank);
  mapped_[peer] = Mapped{std::move(peer_control), std::move(arena)};
  UINTR_FAILPOINT("join.peer_mapped");
  return watch_peer(peer, std::move(fds[3]), error);
}

bool JoinedRank::watch_peer(uint32_t peer, Fd lifeline, JoinError* error) {
  const Peer& p = peers[peer];
  Fd pidfd;
  if (p.pid != 0 && !p.same_process) {
    // Where the kernel has no pidfd or forbids it, the lifeline alone tells.
    pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, p.pid, 0)));
    if (!pidfd && is_shortage(errno)) return fail_syscall(error, "pidfd_open", errno, "cannot watch the other ranks");
    // The peer holds the other end of the lifeline: if that is so after the pidfd was opened, the pid was its own then,
    // and not already somebody else's.
    if (hung_up(lifeline.get())) pidfd.reset();
  }
  return liveness.watch(peer, std::move(pidfd), std::move(lifeline), error);
}

bool JoinedRank::copied_by_others() const {
  if (geometry.elastic != 0) return true;
  return !std::all_of(peers.begin(), peers.end(), [](const Peer& peer) { return peer.same_process; });
}

void JoinedRank::forget_peers() {
  door_.reset();
  liveness.close();
  peers.clear();
  maps.clear();
  mapped_.clear();
  world.unmap();
}

// The engine says how a rank ends; one that never had an engine, because its thread ended first, did not vanish either.
// SYNC POINT: life. Said before the lifeline hangs up; read after that.
void JoinedRank::publish_exit() {
  if (!lifeline_write_) return;  // and perhaps no memory to say it in
  auto& life = reinterpret_cast<ControlHeader*>(control.base())->life;
  if (life.acquire() == static_cast<uint32_t>(Life::Joining)) life.release(static_cast<uint32_t>(Life::Exited));
}

JoinedRank::~JoinedRank() {
  forget_peers();
  publish_exit();
  UINTR_FAILPOINT("leave.exit_published");
  control.unmap();
  if (heap != nullptr) {
    heap->close_fd();
    heap->release();
  }
  leave();
}

void JoinedRank::leave() {
  door_.reset();
  hub.reset();
  hold.reset();
  place.reset();
  UINTR_FAILPOINT("leave.hanging_up");
  // Last: its hang-up tells the peers that this rank touches nothing any more.
  lifeline_write_.reset();
  UINTR_FAILPOINT("leave.hung_up");
}

bool Joined::commit(void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes) {
  auto* joined = static_cast<Joined*>(self);
  switch (segment) {
    case Ports::Segment::Control:
      return joined->control.commit(offset, bytes) == 0;
    case Ports::Segment::World:
      return joined->world.commit(offset, bytes) == 0;
    case Ports::Segment::Heap:
      return joined->heap->segment().commit(offset, bytes) == 0;
  }
  return false;
}

}  // namespace uintr
