// Ranks that a launcher starts: they find each other, see each other's memory, and notice each other's end.
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
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>

#include "bootstrap/same_process.h"
#include "bootstrap/wire.h"
#include "tools.h"

using namespace uintr;

namespace {

// What a rank does to itself before it joins.
void (*before_join)(uint32_t rank) = nullptr;

// Starts `size` processes that join and then run `body`. `killed`: the one that does not end by itself.
template <class Body>
void world_of(uint32_t size, Body body, uint32_t killed = kNone) {
  std::vector<Fd> sockets;
  std::vector<pid_t> pids;
  JoinError error;
  auto hub = Hub::for_children(size, &sockets, &error);
  CHECK_OK(hub != nullptr, error);
  for (uint32_t i = 0; i < size; ++i) {
    pids.push_back(test::child([&] {
      const int own = sockets[i].release();
      sockets.clear();
      if (before_join != nullptr) before_join(i);
      const int before = test::open_descriptors() - 1;  // join() takes the socket
      {
        std::unique_ptr<Joined> joined;
        JoinError why;
        CHECK_OK(join(test::request(size, own), &joined, &why), why);
        CHECK(joined->rank == i);
        CHECK(test::threads() == 1 + 2);  // and "." and ".."
        body(joined.get());
      }
      CHECK(test::open_descriptors() == before);
    }));
  }
  sockets.clear();
  for (uint32_t i = 0; i < size; ++i) {
    if (i == killed)
      test::was_killed(pids[i], SIGKILL);
    else
      test::ended_well(pids[i]);
  }
}

// Until `count` ranks are dead; the test's alarm ends what never ends.
std::vector<uint32_t> wait_for_dead(Joined* joined, size_t count) {
  std::vector<uint32_t> dead;
  while (dead.size() < count) {
    const Liveness::Events events = joined->liveness.drain(1000);
    dead.insert(dead.end(), events.dead.begin(), events.dead.end());
  }
  return dead;
}

void each_sees_the_others_memory() {
  world_of(3, [](Joined* j) {
    const Layout layout{j->geometry};
    CHECK(j->geometry == test::geometry(3));
    CHECK(j->peers.size() == 3 && j->maps.size() == 3);
    CHECK(Joined::commit(j, Ports::Segment::Control, layout.slot(0), 4096));
    CHECK(Joined::commit(j, Ports::Segment::Heap, 4096, 4096));
    CHECK(Joined::commit(j, Ports::Segment::World, layout.match_word(j->rank, 0), 64));
    CHECK(!Joined::commit(j, Ports::Segment::Control, layout.control_bytes(), 1));
    j->control.base()[layout.reply_ring(0)] = static_cast<unsigned char>(10 + j->rank);
    j->heap->base()[4096] = static_cast<unsigned char>(20 + j->rank);
    auto* bell = reinterpret_cast<Doorbell*>(j->world.base() + layout.doorbell(j->rank));
    bell->pending[0].or_sc(uint64_t{1} << j->rank);
    // A barrier made of what is being tested: everyone rings everyone, and waits for two rings.
    const uint64_t one = 1;
    for (uint32_t i = 0; i < 3; ++i) {
      if (i != j->rank) CHECK(write(j->peers[i].event_fd.get(), &one, sizeof one) == sizeof one);
    }
    uint64_t rings = 0, n;
    while (rings < 2) {
      pollfd p{j->event_fd.get(), POLLIN, 0};
      CHECK(poll(&p, 1, 10000) == 1);
      if (read(j->event_fd.get(), &n, sizeof n) == sizeof n) rings += n;
    }
    for (uint32_t i = 0; i < 3; ++i) {
      CHECK(j->maps[i].control[layout.reply_ring(0)] == 10 + i);
      CHECK(j->maps[i].heap[4096] == 20 + i);
      auto* theirs = reinterpret_cast<Doorbell*>(j->world.base() + layout.doorbell(i));
      CHECK(theirs->pending[0].acquire() == uint64_t{1} << i);
      CHECK(j->maps[i].pid == j->peers[i].pid && j->maps[i].copy_kinds == j->peers[i].copy_kinds);
      if (i == j->rank) continue;
      CHECK(mprotect(const_cast<unsigned char*>(j->maps[i].control), 4096, PROT_READ | PROT_WRITE) != 0);
    }
  });
}

void what_the_kernel_allows_is_found_out() {
  test::Gate done;
  world_of(2, [&](Joined* j) {
    const Peer& peer = j->peers[1 - j->rank];
    CHECK(peer.pid > 0 && peer.pid != getpid() && peer.tid == peer.pid);
    CHECK(!peer.same_process && peer.signalable);
    CHECK((peer.copy_kinds & kCopyDirect) == 0);
    CHECK((peer.copy_kinds & (kCopyHeap | kCopyPipeline)) == (kCopyHeap | kCopyPipeline));
    // Either it works or the kernel's reason is known.
    CHECK(((peer.copy_kinds & kCopyCma) != 0) == (peer.cma_error == 0));
    CHECK((j->peers[j->rank].copy_kinds & kCopyDirect) != 0);
    done.open(j->rank == 0);
    if (j->rank == 1) done.pass();
  });
}

// A pid means nothing in another namespace: no copy by it, no signal to it, and all else works.
void a_pid_namespace_is_noticed() {
  if (geteuid() != 0) return;
  before_join = [](uint32_t rank) {
    if (rank != 1) return;
    if (unshare(CLONE_NEWPID) != 0) _exit(0);
    const pid_t inner = fork();  // the first of the new namespace goes on as the rank
    if (inner == 0) return;
    test::ended_well(inner);
    _exit(0);
  };
  world_of(2, [](Joined* j) {
    const Peer& peer = j->peers[1 - j->rank];
    CHECK(peer.pid == 0 && !peer.signalable && !peer.same_process && j->maps[1 - j->rank].pid == 0);
    CHECK(peer.copy_kinds == (kCopyHeap | kCopyPipeline));
    if (j->rank == 0) CHECK(wait_for_dead(j, 1)[0] == 1);  // by the lifeline alone
  });
  before_join = nullptr;
}

// Without the right to copy, a pid that holds still serves for signals.
void a_forbidden_copy_is_noticed() {
  if (geteuid() != 0) return;
  test::ended_well(test::child([] {
    CHECK(setgid(12345) == 0 && setuid(12345) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    before_join = [](uint32_t) { CHECK(prctl(PR_SET_DUMPABLE, 0) == 0); };
    world_of(2, [](Joined* j) {
      const Peer& peer = j->peers[1 - j->rank];
      CHECK(peer.pid > 0 && peer.signalable);
      CHECK((peer.copy_kinds & kCopyCma) == 0 && peer.cma_error == EPERM);
      if (j->rank == 0) wait_for_dead(j, 1);
    });
  }));
}

void a_killed_rank_is_noticed_at_once() {
  world_of(
      3,
      [](Joined* j) {
        while (j->rank == 2) pause();
        if (j->rank == 0) CHECK(kill(j->peers[2].pid, SIGKILL) == 0);
        // Rank 1 leaves when it has seen that; rank 0 stays until then, so that rank 1 can have seen only that.
        const auto dead = wait_for_dead(j, j->rank == 0 ? 2 : 1);
        CHECK(dead[0] == 2);
      },
      2);
}

void a_rank_that_executes_another_program_is_gone() {
  test::Gate end;
  world_of(2, [&](Joined* j) {
    if (j->rank == 1) {
      // Same pid, which goes on until rank 0 has noticed.
      const std::string command = "read -n 1 <&" + std::to_string(end.ends[0]);
      execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
      _exit(9);
    }
    const auto dead = wait_for_dead(j, 1);
    CHECK(dead.size() == 1 && dead[0] == 1);
    CHECK(kill(j->peers[1].pid, 0) == 0);  // the same process, another program
    CHECK(j->liveness.drain(0).dead.empty());
    end.open();
  });
}

void a_ring_is_told_once() {
  world_of(1, [](Joined* j) {
    const uint64_t one = 1;
    CHECK(!j->liveness.drain(0).rung);
    CHECK(write(j->event_fd.get(), &one, sizeof one) == sizeof one);
    CHECK(write(j->peers[0].event_fd.get(), &one, sizeof one) == sizeof one);
    CHECK(j->liveness.drain(1000).rung);
    CHECK(!j->liveness.drain(0).rung);
  });
}

void a_world_of_one_needs_nobody() {
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK_OK(join(test::request(1, -1), &joined, &error), error);
  CHECK(joined->rank == 0 && joined->maps[0].control == joined->control.base());
  HeapMapping* heap = joined->heap;
  heap->retain();
  joined.reset();
  heap->base()[0] = 1;
  heap->release();
}

// More than one message can carry the descriptors of.
void many_ranks_find_each_other() {
  world_of(wire::kPeersPerMessage + 3, [](Joined* j) {
    for (uint32_t i = 0; i < j->geometry.size; ++i) {
      CHECK(reinterpret_cast<const ControlHeader*>(j->maps[i].control)->rank == i);
      CHECK(j->maps[i].pid > 0 && j->peers[i].event_fd);
    }
  });
}

// Two threads of one process are two ranks; `body` gets what both have joined.
template <class Body>
void world_of_threads(Body body) {
  std::vector<Fd> sockets;
  JoinError error;
  auto hub = Hub::for_children(2, &sockets, &error);
  CHECK_OK(hub != nullptr, error);
  struct Part {
    int fd;
    std::unique_ptr<Joined> joined;
    JoinError error;
  } parts[2];
  pthread_t ids[2];
  for (int i = 0; i < 2; ++i) {
    parts[i].fd = sockets[i].release();
    pthread_create(
        &ids[i], nullptr,
        [](void* p) -> void* {
          auto* part = static_cast<Part*>(p);
          JoinRequest r = test::request(2, part->fd);
          r.tid = static_cast<int32_t>(syscall(SYS_gettid));
          join(r, &part->joined, &part->error);
          return nullptr;
        },
        &parts[i]);
  }
  for (const pthread_t id : ids) pthread_join(id, nullptr);
  for (Part& part : parts) CHECK_OK(part.joined != nullptr, part.error);
  body(parts[0].joined, parts[1].joined);
}

void threads_can_be_ranks() {
  world_of_threads([](std::unique_ptr<Joined>& first, std::unique_ptr<Joined>& second) {
    const Peer& peer = first->peers[1];
    CHECK(peer.same_process && peer.pid == getpid());
    CHECK((peer.copy_kinds & kCopyDirect) != 0);
    // The thread that was rank 1 leaves, and its process does not.
    second.reset();
    const auto dead = wait_for_dead(first.get(), 1);
    CHECK(dead.size() == 1 && dead[0] == 1);
  });
}

// Where a process may not even read its own memory by system call (old containers), threads still know each other.
void threads_need_no_right_to_copy() {
  test::ended_well(test::child([] {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof program / sizeof *program, program};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    world_of_threads([](std::unique_ptr<Joined>& first, std::unique_ptr<Joined>&) {
      const Peer& peer = first->peers[1];
      CHECK(peer.same_process && peer.pid == getpid() && peer.signalable && peer.cma_error == EPERM);
      CHECK((peer.copy_kinds & kCopyDirect) != 0 && (peer.copy_kinds & kCopyCma) == 0);
    });
  }));
}

// Only what this very process has made, for that very world: not what another has, nor what it made before it was forked.
void a_control_segment_proves_its_maker() {
  using Made = OwnControl::Made;
  Segment made, other, world, elsewhere;
  JoinError error;
  CHECK_OK(Segment::create(Segment::Kind::World, 4096, &world, &error), error);
  CHECK_OK(Segment::create(Segment::Kind::World, 4096, &elsewhere, &error), error);
  auto who = [&](int fd) { return OwnControl::made(fd, world.fd()); };
  CHECK_OK(Segment::create(Segment::Kind::Control, 4096, &made, &error), error);
  CHECK_OK(Segment::create(Segment::Kind::Control, 4096, &other, &error), error);
  {
    OwnControl announced;
    announced.announce(made.fd());
    CHECK(who(made.fd()) == Made::InAnotherWorld);  // for it is in none yet
    announced.enter(world.fd());
    CHECK(who(made.fd()) == Made::Here && who(other.fd()) == Made::No && who(-1) == Made::No);
    CHECK(OwnControl::made(made.fd(), elsewhere.fd()) == Made::InAnotherWorld);
    CHECK(OwnControl::made(made.fd(), -1) == Made::InAnotherWorld);
    const Fd duplicate(fcntl(made.fd(), F_DUPFD_CLOEXEC, 0));  // as it comes out of a socket
    CHECK(who(duplicate.get()) == Made::Here);
    test::ended_well(test::child([&] { CHECK(who(made.fd()) == Made::No); }));
  }
  CHECK(who(made.fd()) == Made::No);
}

}  // namespace

int main() {
  alarm(90);
  const int before = test::open_descriptors();
  a_world_of_one_needs_nobody();
  threads_can_be_ranks();
  a_control_segment_proves_its_maker();
  CHECK(test::open_descriptors() == before);
  CHECK(test::threads() == 1 + 2);
  threads_need_no_right_to_copy();
  each_sees_the_others_memory();
  what_the_kernel_allows_is_found_out();
  a_ring_is_told_once();
  a_rank_that_executes_another_program_is_gone();
  a_killed_rank_is_noticed_at_once();
  a_pid_namespace_is_noticed();
  a_forbidden_copy_is_noticed();
  many_ranks_find_each_other();
  return test::report("join");
}
