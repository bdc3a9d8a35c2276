// Descriptors and the table of senders across fork, exec, SCM_RIGHTS, pidfd_getfd; what is left when a receiver goes.
// run:
// run: UINTR_EMULATOR_ABI=rfc
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "uintr.h"

static void wait_runs(uint64_t n) {
  while (counts->runs < n) sched_yield();
}

struct Receiver {
  Receiver() {
    counts_reset();
    become_receiver();
    fd = vector_fd(21);
  }
  ~Receiver() {
    close(fd);
    CHECK_EQ(uintr(kUnregister), 0);
  }
  int fd;
};

TEST("01 a forked child registers as sender with the inherited descriptor, and has no handler itself") {
  Receiver r;
  const pid_t child = in_child([&] {
    CHECK(!testui());
    CHECK_EQ(uintr(kUnregister), -EINVAL);
    senduipi(sender(r.fd));
  });
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
}

TEST("02 a forked child uses its parent's indices, and what it unregisters the parent keeps") {
  Receiver r;
  const uint64_t index = sender(r.fd);
  const pid_t child = in_child([&] {
    senduipi(index);
    CHECK_EQ(remove_sender(index, r.fd), 0);
    // Like any process without a sender.
    CHECK(killed_by(ends([&] { senduipi(index); }), SIGILL));
  });
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
  senduipi(index);
  CHECK_EQ(counts->runs.load(), 2u);
  CHECK_EQ(remove_sender(index, r.fd), 0);
}

TEST("03 a child may be a receiver of its own, which changes nothing for the parent") {
  Receiver r;
  const uint64_t index = sender(r.fd);
  const pid_t child = in_child([&] {
    Counts* parents = counts;
    counts = static_cast<Counts*>(
        mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    become_receiver();
    const uint64_t mine = sender(vector_fd(3));
    CHECK(mine != index);
    senduipi(mine);
    CHECK_EQ(counts->vectors[3].load(), 1u);
    CHECK_EQ(parents->runs.load(), 0u);
    senduipi(index);
  });
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
  CHECK_EQ(counts->vectors[21].load(), 1u);
  CHECK_EQ(remove_sender(index, r.fd), 0);
}

TEST("04 a forked child that leaves it all to another thread is no receiver either") {
  Receiver r;
  const pid_t child = in_child([&] {
    Thread t{[&] { senduipi(sender(r.fd)); }};
    t.join();
    CHECK(!testui());
    CHECK_EQ(uintr(kUnregister), -EINVAL);
  });
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
}

TEST("05 an executed program registers with a descriptor it has inherited") {
  Receiver r;
  const pid_t child = in_child([&] {
    dup2(r.fd, 7);  // not close-on-exec
    execl("/proc/self/exe", "sharing", "--send", "7", nullptr);
    _exit(9);
  });
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
}

TEST("06 SCM_RIGHTS carries a descriptor") {
  int ends_[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
  // Before there is a descriptor to inherit.
  const pid_t child = in_child([&] {
    char byte, control[CMSG_SPACE(sizeof(int))];
    iovec data{&byte, 1};
    msghdr m{};
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    CHECK_EQ(recvmsg(ends_[1], &m, 0), 1);
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    senduipi(sender(fd));
  });
  Receiver r;
  char byte = 1, control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{&byte, 1};
  msghdr m{};
  m.msg_iov = &data;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &r.fd, sizeof r.fd);
  CHECK_EQ(sendmsg(ends_[0], &m, 0), 1);
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
  CHECK_EQ(counts->vectors[21].load(), 1u);
  close(ends_[0]);
  close(ends_[1]);
}

TEST("07 pidfd_getfd carries a descriptor") {
  int go[2];
  CHECK_EQ(pipe(go), 0);
  const pid_t child = in_child([&] {
    int number;
    CHECK_EQ(read(go[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
    const long parent = raw(SYS_pidfd_open, getppid(), 0);
    const long fd = raw(SYS_pidfd_getfd, parent, number, 0);
    CHECK(fd >= 0);
    senduipi(sender(static_cast<int>(fd)));
  });
  Receiver r;
  CHECK_EQ(write(go[1], &r.fd, sizeof r.fd), static_cast<ssize_t>(sizeof r.fd));
  CHECK(exited_well(status_of(child)));
  wait_runs(1);
  close(go[0]);
  close(go[1]);
}

TEST("08 a descriptor has nothing to read and cannot be watched") {
  Receiver r;
  char byte;
  CHECK(read(r.fd, &byte, 1) <= 0);
  const int set = epoll_create1(0);
  epoll_event e{};
  CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, r.fd, &e), -1);
  CHECK_EQ(errno, EPERM);
  close(set);
  // Looking at it has not spoilt it.
  const uint64_t index = sender(r.fd);
  senduipi(index);
  CHECK_EQ(counts->vectors[21].load(), 1u);
  CHECK_EQ(remove_sender(index, r.fd), 0);
}

TEST("09 to a receiver that was killed: sends do nothing, registering is ESHUTDOWN, the entry can be removed") {
  int pair[2];
  CHECK_EQ(pipe(pair), 0);
  const pid_t child = in_child([&] {
    become_receiver();
    const int fd = vector_fd(2);
    CHECK_EQ(write(pair[1], &fd, sizeof fd), static_cast<ssize_t>(sizeof fd));
    for (;;) raw(SYS_pause);
  });
  int number;
  CHECK_EQ(read(pair[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
  const long task = raw(SYS_pidfd_open, child, 0);
  const int fd = static_cast<int>(raw(SYS_pidfd_getfd, task, number, 0));
  const uint64_t index = sender(fd);
  senduipi(index);
  kill(child, SIGKILL);
  // A zombie has ended, too.
  pollfd ended{static_cast<int>(task), POLLIN, 0};
  CHECK_EQ(poll(&ended, 1, -1), 1);
  senduipi(index);
  CHECK_EQ(uintr(kSender, fd), -ESHUTDOWN);
  CHECK(killed_by(status_of(child), SIGKILL));
  senduipi(index);
  CHECK_EQ(uintr(kSender, fd), -ESHUTDOWN);
  CHECK_EQ(remove_sender(index, fd), 0);
  for (const int f : {fd, pair[0], pair[1], static_cast<int>(task)}) close(f);
}

TEST("10 what is sent between unregistering and registering again is delivered then") {
  counts_reset();
  become_receiver();
  const int fd = vector_fd(9);
  const uint64_t index = sender(fd);
  CHECK_EQ(uintr(kUnregister), 0);
  senduipi(index);
  CHECK_EQ(counts->runs.load(), 0u);
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler)), 0);
  CHECK_EQ(counts->runs.load(), 0u);
  CHECK(!testui());
  stui();
  CHECK_EQ(counts->vectors[9].load(), 1u);
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("11 threads and processes that come and go leave no descriptor behind") {
  const auto open_files = [] {
    int n = 0;
    for (int fd = 0; fd < 2048; ++fd) n += fcntl(fd, F_GETFD) >= 0;
    return n;
  };
  const int before = open_files();
  for (int i = 0; i < 50; ++i) {
    Thread t{[] {
      become_receiver();
      const int fd = vector_fd(1);
      const uint64_t index = sender(fd);
      CHECK_EQ(remove_sender(index, fd), 0);
      close(fd);
    }};
    t.join();
  }
  CHECK_EQ(open_files(), before);
}

TEST("12 senduipi without a sender: SIGILL; with an index that is none: SIGSEGV") {
  CHECK(killed_by(ends([] { senduipi(0); }), SIGILL));
  CHECK(killed_by(ends([] {
    become_receiver();
    const uint64_t index = sender(vector_fd(0));
    senduipi(index + 1);
  }), SIGSEGV));
  CHECK(killed_by(ends([] {
    become_receiver();
    sender(vector_fd(0));
    senduipi(~uint64_t{0});
  }), SIGSEGV));
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "--send") == 0) {
    senduipi(sender(atoi(argv[2])));
    return 0;
  }
  return check::run_all("sharing", argc, argv);
}
