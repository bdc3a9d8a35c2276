#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "bootstrap/wire.h"
#include "member.h"
#include "rounds/rounds.h"

namespace kills {

using namespace uintr;

namespace {

// Entries that are numbers, below `most`.
int count_entries(const char* directory, long most) {
  int count = 0;
  DIR* d = opendir(directory);
  if (d == nullptr) return -1;
  while (const dirent* entry = readdir(d)) count += entry->d_name[0] != '.' && std::atol(entry->d_name) < most;
  closedir(d);
  return count;
}

JoinRequest request_for(const Plan& plan, uint32_t rank, const Where& where, int cancel) {
  JoinRequest r;
  r.hub_fd = where.sockets[rank];
  r.name = plan.meeting == Meeting::Launched ? "" : where.name;
  r.runtime_dir = where.directory;
  r.wanted_rank = plan.meeting == Meeting::Launched ? kNone : rank;
  r.geometry = {.size = kRanks,
                .max_requests = 512,
                .ring_bytes = 16384,
                .eager_limit = 1024,
                .credit_blocks = 8,
                .elastic = plan.meeting == Meeting::Elastic ? 1u : 0u,
                .heap_bytes = 8 << 20};
  r.copy_kinds = plan.copies;
  r.timeout_ms = 20000;
  r.cancel_fd = cancel;
  return r;
}

struct Part {
  const Plan* plan;
  Board* board;
  const Where* where;
  const Process* self;
  uint32_t rank;
  int nudge;
};

// Where it may come to that.
void not_joined(const Part& part, const JoinError& error) {
  // Started for a world that turns out to have come to be before.
  const bool late = part.self->life > 0 && part.plan->meeting == Meeting::Named &&
                    (std::strcmp(error.code, "ERR_UINTR_CLOSED") == 0 || std::strcmp(error.code, "ERR_UINTR_COMPLETE") == 0);
  const bool fell_apart = part.plan->meeting == Meeting::Launched && std::strcmp(error.code, "ERR_UINTR_JOIN") == 0;
  if (!late && !fell_apart)
    wrong(__FILE__, __LINE__, "rank " + std::to_string(part.rank) + " could not join: " + error.code + " " + error.message);
  part.board->stage[part.rank] = static_cast<uint32_t>(Stage::NotJoined);
}

// Tells all members the same of all lives.
void tell_incarnations(const Part& part, const Member& member) {
  for (uint32_t peer = 0; peer < kRanks; ++peer)
    part.board->incarnations[part.rank][peer] = member.joined().incarnations[peer];
}

// All of it but what the end of this thread cuts off.
void live(const Part& part) {
  const Plan& plan = *part.plan;
  Board* board = part.board;
  Member member(plan, board, part.rank, part.self->life, part.nudge);
  JoinError error;
  if (!member.join(request_for(plan, part.rank, *part.where, part.self->cancel), &error)) return not_joined(part, error);
  // A life that has come back is there for what is last; one that the world began with, for all of it.
  bool began = true;
  for (uint32_t peer = 0; peer < kRanks; ++peer)
    began = began && member.joined().incarnations[peer] == 0 && !member.joined().maps[peer].absent;
  if (began && !run_rounds(&member)) return;
  if ((plan.early() >> part.rank & 1) == 0) {
    board->stage[part.rank] = static_cast<uint32_t>(Stage::Through);
    member.until([&] { return board->over.load() >= 1; });
    set_failpoint({}, nullptr);
    board->stage[part.rank] = static_cast<uint32_t>(Stage::Ready);
    member.until([&] { return board->over.load() >= 2; });
    run_last_round(&member);
    tell_incarnations(part, member);
  }
  member.leave(true);
}

void run_rank(const Part& part) {
  is_thread_of(part.rank);
  try {
    live(part);
  } catch (const Member::Ended&) {
  }
}

void* run_part(void* part) {
  run_rank(*static_cast<const Part*>(part));
  return nullptr;
}

// `body` in a process that has nothing of the runner's but what it needs, and ends with it.
template <class Body>
void fork_process(Process* p, Body body) {
  int gone[2];
  if (pipe2(gone, O_CLOEXEC) != 0) wrong(__FILE__, __LINE__, "pipe2");
  std::fflush(nullptr);
  const pid_t runner = getpid();
  p->pid = fork();
  if (p->pid < 0) wrong(__FILE__, __LINE__, "fork");
  if (p->pid != 0) {
    close(gone[1]);
    p->gone = gone[0];
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != runner) _exit(1);
  close(gone[0]);
  body();
  _exit(0);
}

void ends_clean(int descriptors) {
  if (open_descriptors() != descriptors)
    wrong(__FILE__, __LINE__, "there were " + std::to_string(descriptors) + " descriptors, and now there are " +
                                  std::to_string(open_descriptors()));
  HOLDS(threads() == 1);
  HOLDS(world_mappings() == 0);
}

}  // namespace

// Without those that the emulator of user interrupts has put out of the way.
int open_descriptors() { return count_entries("/proc/self/fd", 256); }
int threads() { return count_entries("/proc/self/task", LONG_MAX); }
int world_mappings() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) 
    for (const char* kind : {"control", "heap", "world"})
      count += line.find(std::string("memfd:uintr-") + kind) != std::string::npos;
  return count;
}

Process start_ranks(const Plan& plan, Board* board, uint32_t number, uint32_t life, const Where& where) {
  Process p;
  p.number = number;
  p.life = life;
  p.cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (int& nudge : p.nudge) nudge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (uint32_t rank = 0; rank < kRanks; ++rank)
    if (plan.process_of(rank) == number) board->stage[rank] = static_cast<uint32_t>(Stage::Starting);
  fork_process(&p, [&] {
    Where own = where;
    int descriptors = open_descriptors();
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      if (own.sockets[rank] < 0) continue;
      --descriptors;  // join() takes it
      if (plan.process_of(rank) != number) close(own.sockets[rank]);
    }
    set_failpoint(life < kMostLives ? plan.arms[number][life] : Arm{}, &board->trails[number][life]);
    Part first{&plan, board, &own, &p, number, p.nudge[0]}, second = first;
    pthread_t thread;
    const bool two = plan.threads && number == 1;
    if (two) {
      second.rank = 2;
      second.nudge = p.nudge[1];
      if (pthread_create(&thread, nullptr, run_part, &second) != 0) wrong(__FILE__, __LINE__, "pthread_create");
    }
    run_rank(first);
    if (two) pthread_join(thread, nullptr);
    set_failpoint({}, nullptr);
    ends_clean(descriptors);
  });
  return p;
}

Process start_launcher(const Plan& plan, Board* board, Where* where) {
  Process p;
  p.number = kLauncher;
  p.cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) wrong(__FILE__, __LINE__, "socketpair");
  fork_process(&p, [&] {
    close(ends[0]);
    const int descriptors = open_descriptors();
    {
      std::vector<Fd> sockets;
      JoinError error;
      set_failpoint(plan.arms[kLauncher][0], &board->trails[kLauncher][0]);
      auto hub = Hub::for_children(kRanks, &sockets, &error);
      HOLDS(hub != nullptr);
      int fds[kRanks];
      for (uint32_t i = 0; i < kRanks; ++i) fds[i] = sockets[i].get();
      HOLDS(wire::send(ends[1], "", 1, fds, kRanks) == 0);
      sockets.clear();
      // Until nobody needs it any more.
      uint64_t told;
      while (read(p.cancel, &told, sizeof told) != sizeof told) {
        pollfd wait{p.cancel, POLLIN, 0};
        ::poll(&wait, 1, -1);
      }
    }
    set_failpoint({}, nullptr);
    ends_clean(descriptors);
  });
  close(ends[1]);
  // A launcher that has ended before has left none.
  pollfd wait{ends[0], POLLIN, 0};
  ::poll(&wait, 1, 10'000);
  char byte;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kRanks)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  if (recvmsg(ends[0], &header, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&header) != nullptr)
    std::memcpy(where->sockets, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof where->sockets);
  close(ends[0]);
  return p;
}

}  // namespace kills
