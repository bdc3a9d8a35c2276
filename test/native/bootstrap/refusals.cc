// Joining that does not succeed: each failure ends in time, says what or who is to blame, and leaves nothing behind.
//
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/come_back.cc src-native/bootstrap/door.cc src-native/bootstrap/let_in.cc
// sources: src-native/bootstrap/admission.cc src-native/bootstrap/client.cc src-native/bootstrap/error.cc
// sources: src-native/bootstrap/hub_socket.cc
// sources: src-native/bootstrap/hub.cc src-native/bootstrap/join.cc src-native/bootstrap/joined.cc
// sources: src-native/bootstrap/copy_permission.cc
// sources: src-native/bootstrap/liveness.cc src-native/bootstrap/named.cc src-native/bootstrap/probe.cc
// sources: src-native/bootstrap/rendezvous.cc src-native/bootstrap/same_process.cc src-native/bootstrap/segments.cc
// sources: src-native/bootstrap/wire.cc
// sources: test/native/bootstrap/thread_pthread.cc test/native/bootstrap/engine_stub.cc
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <barrier>
#include <thread>

#include "bootstrap/hub_socket.h"
#include "bootstrap/namespace.h"
#include "bootstrap/wire.h"
#include "tools.h"

using namespace uintr;

namespace {

struct World {
  std::vector<Fd> sockets;
  std::unique_ptr<Hub> hub;
  explicit World(uint32_t size) {
    JoinError error;
    hub = Hub::for_children(size, &sockets, &error);
    CHECK_OK(hub != nullptr, error);
  }
  // A process of that rank which holds no other rank's socket.
  template <class Body>
  pid_t rank(uint32_t r, Body body) {
    return test::child([&] {
      const int own = sockets[r].release();
      sockets.clear();
      body(own);
    });
  }
};

void fails(const JoinRequest& request, const char* code, const char* text) {
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK(!join(request, &joined, &error));
  CHECK_ERROR(error, code, text);
}

void a_timeout_names_the_missing() {
  World w(4);
  JoinRequest first = test::request(4, w.sockets[0].release()), second = test::request(4, w.sockets[2].release());
  first.timeout_ms = second.timeout_ms = 300;
  const pid_t other = test::child([&] {
    close(first.hub_fd);
    // Longer than the other, so that it is there when the other asks.
    second.timeout_ms = 2000;
    std::unique_ptr<Joined> joined;
    JoinError error;
    CHECK(!join(second, &joined, &error));
    // By then rank 0 has given up, and that is what ended it.
    CHECK_ERROR(error, "ERR_UINTR_JOIN", "rank 0 ended before all ranks had joined");
  });
  close(second.hub_fd);
  usleep(100000);
  fails(first, "ERR_UINTR_TIMEOUT", "ranks 1 and 3 of 4 have not joined");
  test::ended_well(other);
}

void a_rank_that_ends_ends_the_waiting() {
  World w(2);
  const pid_t silent = w.rank(1, [](int) { usleep(50000); });
  const pid_t waiting = w.rank(
      0, [](int fd) { fails(test::request(2, fd), "ERR_UINTR_JOIN", "rank 1 ended before all ranks had joined"); });
  w.sockets.clear();
  test::ended_well(silent);
  test::ended_well(waiting);
}

void a_launcher_that_ends_ends_the_waiting() {
  // Forked before the hub exists, because a fork would inherit the hub's ends (an exec would not).
  int pass[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pass) == 0);
  const pid_t waiting = test::child([&] {
    close(pass[1]);
    wire::Received received;
    while (received.what == wire::Received::What::Nothing) wire::receive(pass[0], &received);
    CHECK(received.fd_count == 1);
    fails(test::request(2, received.fds[0].release()), "ERR_UINTR_JOIN", "ended before all had joined");
  });
  World w(2);
  const wire::Plain any{.head = {.type = wire::Type::Go}};
  const int socket = w.sockets[0].get();
  CHECK(wire::send(pass[1], &any, sizeof any, &socket, 1) == 0);
  close(pass[0]);
  close(pass[1]);
  usleep(100000);
  w.hub.reset();
  w.sockets.clear();
  test::ended_well(waiting);
}

size_t bytes_of(wire::Type type) {
  switch (type) {
    case wire::Type::Hello:
      return sizeof(wire::Hello);
    case wire::Type::Welcome:
      return sizeof(wire::Welcome);
    case wire::Type::Fetch:
      return sizeof(wire::Fetch);
    case wire::Type::Peers:
      return sizeof(wire::Peers);
    case wire::Type::Refused:
      return sizeof(wire::Text);
    default:
      return sizeof(wire::Plain);
  }
}

// Between a rank and its hub; passes everything on until the hub or the rank says `last`, and then hangs up on both.
void pass_until(wire::Type last, int hub, int rank) {
  pollfd ends[2] = {{hub, POLLIN, 0}, {rank, POLLIN, 0}};
  while (poll(ends, 2, -1) > 0) {
    for (int from = 0; from < 2; ++from) {
      if (ends[from].revents == 0) continue;
      wire::Received r;
      wire::receive(ends[from].fd, &r);
      if (r.what != wire::Received::What::Message || r.message.head.type == last) return;
      int fds[wire::kMaxFds];
      for (uint32_t i = 0; i < r.fd_count; ++i) fds[i] = r.fds[i].get();
      CHECK(wire::send(ends[1 - from].fd, &r.message, bytes_of(r.message.head.type), fds, r.fd_count) == 0);
    }
  }
}

// Two ranks, of which one loses the process that collects the ranks just before that says, or is told, `last`.
template <class Other, class Cut>
void lose_the_hub(wire::Type last, Other other, Cut cut) {
  World w(2);
  const pid_t whole = w.rank(0, other);
  const pid_t between = w.rank(1, [&](int hub) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    CHECK(wire::want_credentials(pair[0]));
    const pid_t rank = test::child([&] {
      close(hub);
      close(pair[0]);
      cut(pair[1]);
    });
    close(pair[1]);
    pass_until(last, hub, pair[0]);
    close(hub);
    close(pair[0]);
    test::ended_well(rank);
  });
  w.sockets.clear();
  test::ended_well(whole);
  test::ended_well(between);
}

void joins(int fd) {
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK_OK(join(test::request(2, fd), &joined, &error), error);
}

// The hub's process may be ended by the first rank that it has told to go.
void a_hub_that_ends_while_it_says_go_has_said_so() { lose_the_hub(wire::Type::Go, joins, joins); }

void a_hub_that_ends_before_all_have_mapped_has_not() {
  lose_the_hub(
      wire::Type::Mapped,
      [](int fd) { fails(test::request(2, fd), "ERR_UINTR_JOIN", "rank 1 ended before all ranks had joined"); },
      [](int fd) { fails(test::request(2, fd), "ERR_UINTR_JOIN", "ended before all had joined"); });
}

void values_must_agree() {
  World w(2);
  const pid_t right = w.rank(
      0, [](int fd) { fails(test::request(2, fd), "ERR_UINTR_JOIN", "rank 1 could not join: ringBytes 131072"); });
  usleep(100000);
  const pid_t wrong = w.rank(1, [](int fd) {
    JoinRequest r = test::request(2, fd);
    r.geometry.ring_bytes *= 2;
    fails(r, "ERR_UINTR_INVALID_ARGUMENT", "ringBytes 131072: the world was started with ringBytes 65536");
  });
  test::ended_well(right);
  test::ended_well(wrong);
  World three(3);
  fails(test::request(2, three.sockets[0].release()), "ERR_UINTR_INVALID_ARGUMENT",
        "size 2: the world was started with size 3");
}

void arguments_are_named() {
  JoinRequest r = test::request(2, -1);
  fails(r, "ERR_UINTR_INVALID_ARGUMENT", "size 2");
  // A descriptor that is something else stays as it was, and whose it was.
  const Fd other(open("/dev/null", O_RDWR | O_CLOEXEC));
  fails(test::request(2, other.get()), "ERR_UINTR_JOIN", "is not the launcher's socket");
  CHECK(fcntl(other.get(), F_GETFD) >= 0);
  r = test::request(1, -1);
  r.timeout_ms = 0;
  fails(r, "ERR_UINTR_INVALID_ARGUMENT", "joinTimeout 0");
  r.timeout_ms = 100;
  r.wanted_rank = 5;
  fails(r, "ERR_UINTR_INVALID_ARGUMENT", "rank 5: must be below size, which is 1");
  r.geometry.size = 5000;
  fails(r, "ERR_UINTR_INVALID_ARGUMENT", "size");
  JoinError error;
  std::vector<Fd> sockets;
  CHECK(Hub::for_children(1025, &sockets, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", "size 1025");
}

void waiting_can_be_cancelled() {
  World w(2);
  const int cancel = eventfd(0, EFD_CLOEXEC);
  JoinRequest r = test::request(2, w.sockets[0].release());
  r.cancel_fd = cancel;
  const pid_t canceller = test::child([&] {
    usleep(50000);
    const uint64_t one = 1;
    CHECK(write(cancel, &one, sizeof one) == sizeof one);
  });
  fails(r, "ERR_UINTR_CLOSED", "cancelled");
  close(cancel);
  test::ended_well(canceller);
}

// What a hub makes of packets that no rank sends.
void garbage_is_refused() {
  wire::Hello hello{};
  hello.geometry = test::geometry(2);
  const wire::Plain mapped{.head = {.type = wire::Type::Mapped}};
  wire::Plain old{.head = {.version = 9, .type = wire::Type::Hello}};
  wire::Fetch fetch{.first = 0};
  const struct {
    const void* bytes;
    size_t size;
    const char* answer;
  } cases[] = {
      {"nonsense", 8, "malformed"},          {&hello, sizeof hello - 1, "malformed"},
      {&hello, sizeof hello, "malformed"},   {&mapped, sizeof mapped, "out of turn"},
      {&fetch, sizeof fetch, "out of turn"}, {&old, sizeof old, "version 9"},
  };
  for (const auto& c : cases) {
    World w(2);
    CHECK(send(w.sockets[0].get(), c.bytes, c.size, 0) == static_cast<ssize_t>(c.size));
    char buffer[2048] = {};
    CHECK(recv(w.sockets[0].get(), buffer, sizeof buffer - 1, 0) > 0);
    const auto* text = reinterpret_cast<const wire::Text*>(buffer);
    CHECK(text->head.type == wire::Type::Refused);
    CHECK(wire::text_of(*text).find(c.answer) != std::string::npos);
  }
}

// A hello must bring a rank's four descriptors, and those must be what they ought to.
void a_forged_hello_harms_nobody() {
  World w(2);
  const pid_t forger = w.rank(1, [](int fd) {
    wire::Hello hello{};
    hello.wanted_rank = kNone;
    hello.geometry = test::geometry(2);
    const int null = open("/dev/null", O_RDWR);
    const int fds[wire::kFdsPerRank] = {null, null, null, null, null};
    CHECK(wire::send(fd, &hello, sizeof hello, fds, wire::kFdsPerRank) == 0);
    char buffer[8192];
    CHECK(recv(fd, buffer, sizeof buffer, 0) > 0);  // welcome
    const wire::Fetch fetch{.first = 0};
    CHECK(wire::send(fd, &fetch, sizeof fetch) == 0);
    CHECK(recv(fd, buffer, sizeof buffer, 0) > 0);
  });
  fails(test::request(2, w.sockets[0].release()), "ERR_UINTR_PROTOCOL", "rank 1's control segment is not a memfd");
  test::ended_well(forger);
}

// What a rank brings along, made by hand.
struct Rogue {
  uint64_t nonce = 77;
  Segment control, heap;
  Fd event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int lifeline[2];
  ~Rogue() { close(lifeline[0]), close(lifeline[1]); }
  explicit Rogue(uint32_t rank) {
    const Geometry g = test::geometry(2);
    JoinError error;
    CHECK_OK(Segment::create(Segment::Kind::Control, Layout{g}.control_bytes(), &control, &error), error);
    CHECK_OK(Segment::create(Segment::Kind::Heap, g.heap_bytes, &heap, &error), error);
    CHECK(pipe(lifeline) == 0);
    write_control_header(control.base(), g, rank, nonce, getpid());
  }

  // Where others are to write when they try whether they can.
  void point_at(const void* scratch) {
    reinterpret_cast<ControlHeader*>(control.base())->scratch_address = reinterpret_cast<uint64_t>(scratch);
  }
  std::vector<int> descriptors() const {
    return {control.fd(), heap.fd(), event.get(), lifeline[0], event.get()};
  }

  void say_hello(int hub, uint64_t own_nonce, int own_control) {
    wire::Hello hello{};
    hello.wanted_rank = kNone;
    hello.geometry = test::geometry(2);
    hello.identity.nonce = own_nonce;
    const int fds[] = {own_control, heap.fd(), event.get(), lifeline[0], event.get()};
    CHECK(wire::send(hub, &hello, sizeof hello, fds, wire::kFdsPerRank) == 0);
  }
  void hear(int hub, wire::Type type, wire::Received* received) {
    pollfd p{hub, POLLIN, 0};
    CHECK(poll(&p, 1, -1) == 1);
    wire::receive(hub, received);
    CHECK(received->what == wire::Received::What::Message && received->message.head.type == type);
  }
  void say(int hub, wire::Type type) {
    const wire::Plain plain{.head = {.type = type}};
    CHECK(wire::send(hub, &plain, sizeof plain) == 0);
  }
  void fetch(int hub, wire::Received* peers) {
    wire::Received welcome;
    hear(hub, wire::Type::Welcome, &welcome);
    const wire::Fetch fetch{.first = 0};
    CHECK(wire::send(hub, &fetch, sizeof fetch) == 0);
    hear(hub, wire::Type::Peers, peers);
  }
};

// Else its sender's addresses would be taken for this process's own.
void a_control_segment_of_another_world_is_no_thread_of_this_process() {
  World first(2), second(2);
  const pid_t rogue = test::child([&] {
    Rogue self(0);
    wire::Received peers;
    const int hub = first.sockets[0].get();
    self.say_hello(hub, self.nonce, self.control.fd());
    self.fetch(hub, &peers);
    self.say(hub, wire::Type::Mapped);
    wire::Received go;
    self.hear(hub, wire::Type::Go, &go);
    // The honest rank 1 of the first world is to appear as rank 1 of the second, too.
    const int again = second.sockets[1].get();
    self.say_hello(again, peers.message.peers.identity[1].nonce, peers.fds[wire::kFdsPerRank].get());
    wire::Received nothing;
    self.fetch(again, &nothing);
  });
  const pid_t honest = test::child([&] {
    std::unique_ptr<Joined> joined;
    JoinError error;
    CHECK_OK(join(test::request(2, first.sockets[1].release()), &joined, &error), error);
    fails(test::request(2, second.sockets[0].release()), "ERR_UINTR_PROTOCOL",
          "rank 1 joined with a control segment of this process in another world");
  });
  test::ended_well(honest);
  test::ended_well(rogue);
}

// Whoever collects the ranks tells what their pids are. If it names a third process, that one is not written to.
void a_hub_cannot_have_a_rank_write_into_a_third_process() {
  struct Victim {
    uint64_t nonce, words[2];
  };
  auto* victim = static_cast<Victim*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  CHECK(victim != MAP_FAILED);
  victim->nonce = 77;
  const pid_t third = test::child([] { pause(); });
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  const pid_t honest = test::child([&] {
    close(pair[0]);
    std::unique_ptr<Joined> joined;
    JoinError error;
    CHECK_OK(join(test::request(2, pair[1]), &joined, &error), error);
    CHECK((joined->peers[1].copy_kinds & kCopyCma) == 0 && joined->peers[1].cma_error == ESRCH);
  });
  close(pair[1]);
  Rogue self(1);
  self.point_at(victim->words);
  Segment world;
  JoinError error;
  CHECK_OK(Segment::create(Segment::Kind::World, Layout{test::geometry(2)}.world_bytes(), &world, &error), error);
  wire::Welcome welcome{};
  welcome.pid_namespace = pid_namespace();
  const int of_world = world.fd();
  CHECK(wire::send(pair[0], &welcome, sizeof welcome, &of_world, 1) == 0);
  wire::Peers peers{};
  peers.count = 2;
  peers.identity[1].pid = peers.identity[1].tid = third;
  peers.identity[1].pid_namespace = welcome.pid_namespace;
  peers.identity[1].nonce = victim->nonce;
  peers.identity[1].nonce_address = reinterpret_cast<uint64_t>(&victim->nonce);
  std::vector<int> fds = self.descriptors();
  const std::vector<int> again = self.descriptors();
  fds.insert(fds.end(), again.begin(), again.end());
  CHECK(wire::send(pair[0], &peers, sizeof peers, fds.data(), static_cast<uint32_t>(fds.size())) == 0);
  self.say(pair[0], wire::Type::Go);
  test::ended_well(honest);
  CHECK(victim->words[0] == 0 && victim->words[1] == 0);
  kill(third, SIGKILL);
  test::was_killed(third, SIGKILL);
  close(pair[0]);
  munmap(victim, 4096);
}

// Several threads of a process may know the number of the same socket.
void a_socket_is_taken_once() {
  for (int round = 0; round < 200; ++round) {
    World w(1);
    const int fd = w.sockets[0].release();
    const uint64_t inode = inode_of(fd);
    CHECK(!claim_hub_socket(fd, inode + 1));
    Fd claims[4];
    std::barrier start(4);
    std::vector<std::thread> threads;
    for (Fd& claim : claims) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        claim = claim_hub_socket(fd, inode);
      });
    }
    for (std::thread& thread : threads) thread.join();
    int taken = 0;
    for (const Fd& claim : claims) {
      if (!claim) continue;
      ++taken;
      CHECK(inode_of(claim.get()) == inode);
      CHECK((fcntl(claim.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(taken == 1);
  }
}

}  // namespace

int main() {
  alarm(90);
  const int before = test::open_descriptors();
  arguments_are_named();
  a_timeout_names_the_missing();
  a_rank_that_ends_ends_the_waiting();
  a_launcher_that_ends_ends_the_waiting();
  a_hub_that_ends_while_it_says_go_has_said_so();
  a_hub_that_ends_before_all_have_mapped_has_not();
  values_must_agree();
  waiting_can_be_cancelled();
  garbage_is_refused();
  a_forged_hello_harms_nobody();
  a_control_segment_of_another_world_is_no_thread_of_this_process();
  a_hub_cannot_have_a_rank_write_into_a_third_process();
  a_socket_is_taken_once();
  CHECK(test::open_descriptors() == before);
  CHECK(test::threads() == 1 + 2);
  return test::report("refusals");
}
