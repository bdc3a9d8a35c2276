// A user interrupt does not cut a blocking call short; it is delivered when the call returns.
// run:
// run: UINTR_EMULATOR_INJECT=spurious=100
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "sleeping.h"

// `block` is called in a receiver and sleeps until `release`; 50 interrupts come meanwhile, of which none may be handled
// before it has returned, and one (they coalesce) must be then.
template <class Block, class Release>
static void not_cut_short(Block block, Release release) {
  counts_reset();
  std::atomic<int> tid{0}, fd{-1};
  std::atomic<uint64_t> at_return{99};
  Thread receiver{[&] {
    become_receiver();
    fd = vector_fd(7);
    tid = static_cast<int>(raw(SYS_gettid));
    block();
    at_return = counts->runs.load();
    CHECK_EQ(uintr(kUnregister), 0);
  }};
  while (tid == 0) sched_yield();
  const uint64_t index = sender(fd);
  while (state_of(tid) != 'S') sched_yield();
  for (int i = 0; i < 50; ++i) {
    senduipi(index);
    while (state_of(tid) != 'S') sched_yield();
  }
  CHECK_EQ(counts->runs.load(), 0u);
  release();
  receiver.join();
  CHECK_EQ(at_return.load(), 1u);
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
}

TEST("01 read") {
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  char byte = 0;
  not_cut_short([&] { CHECK_EQ(raw(SYS_read, fds[0], reinterpret_cast<long>(&byte), 1), 1); },
                [&] { CHECK_EQ(write(fds[1], "x", 1), 1); });
  CHECK_EQ(byte, 'x');
  close(fds[0]);
  close(fds[1]);
}

TEST("02 epoll_wait, epoll_pwait with a mask, poll, ppoll, select, pselect") {
  const int event = eventfd(0, 0), set = epoll_create1(0);
  epoll_event e{};
  e.events = EPOLLIN;
  CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, event, &e), 0);
  uint64_t value = 1;
  const auto release = [&] { CHECK_EQ(write(event, &value, 8), 8); };
  const auto take = [&] { CHECK_EQ(read(event, &value, 8), 8); };
  sigset_t mask;
  sigemptyset(&mask);
  pollfd p{event, POLLIN, 0};
  fd_set f;
  not_cut_short([&] { CHECK_EQ(epoll_wait(set, &e, 1, -1), 1); take(); }, release);
  not_cut_short([&] { CHECK_EQ(epoll_pwait(set, &e, 1, -1, &mask), 1); take(); }, release);
  not_cut_short([&] { CHECK_EQ(poll(&p, 1, -1), 1); take(); }, release);
  not_cut_short([&] { CHECK_EQ(ppoll(&p, 1, nullptr, &mask), 1); take(); }, release);
  not_cut_short([&] { FD_ZERO(&f); FD_SET(event, &f); CHECK_EQ(select(event + 1, &f, nullptr, nullptr, nullptr), 1); take(); }, release);
  not_cut_short([&] { FD_ZERO(&f); FD_SET(event, &f); CHECK_EQ(pselect(event + 1, &f, nullptr, nullptr, nullptr, &mask), 1); take(); }, release);
  close(event);
  close(set);
}

TEST("03 a mutex, a condition and pthread_join of the C library") {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  not_cut_short([&] { pthread_mutex_lock(&mutex); pthread_mutex_unlock(&mutex); }, [&] { pthread_mutex_unlock(&mutex); });
  std::atomic<bool> go{false};
  Thread other{[&] { while (!go) sched_yield(); }};
  not_cut_short([&] { other.join(); }, [&] { go = true; });
}

TEST("04 waitpid, and a sleep that ends in its own time") {
  std::atomic<pid_t> child{0};
  int hold[2];
  CHECK_EQ(pipe(hold), 0);
  not_cut_short([&] {
    child = in_child([&] { char c; close(hold[1]); CHECK_EQ(read(hold[0], &c, 1), 0); });
    CHECK(exited_well(status_of(child)));
  }, [&] { close(hold[1]); });
  close(hold[0]);
  not_cut_short([] {
    timespec left{0, 300'000'000};
    CHECK_EQ(nanosleep(&left, nullptr), 0);
  }, [] {});
}

TEST("05 a signal with a handler of the program's does cut it short, and its handler may make system calls") {
  static std::atomic<int> signals;
  signals = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { signals += getppid() > 0; };
  // The C library's and libuv's handlers block everything.
  sigfillset(&action.sa_mask);
  CHECK_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  std::atomic<pthread_t> thread{};
  not_cut_short([&] {
    thread = pthread_self();
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), -1);
    CHECK_EQ(errno, EINTR);
    close(fds[0]);
    close(fds[1]);
  }, [&] { pthread_kill(thread, SIGUSR1); });
  CHECK_EQ(signals.load(), 1);
}

TEST("06 with SA_RESTART the call goes on") {
  static std::atomic<int> signals;
  signals = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { ++signals; };
  action.sa_flags = SA_RESTART;
  CHECK_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  std::atomic<pthread_t> thread{};
  not_cut_short([&] {
    thread = pthread_self();
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
  }, [&] {
    pthread_kill(thread, SIGUSR1);
    while (signals == 0) sched_yield();
    CHECK_EQ(write(fds[1], "x", 1), 1);
  });
  close(fds[0]);
  close(fds[1]);
}

TEST("07 the handler is a return to user mode: the interrupt is delivered there, though the call then goes on") {
  static std::atomic<int> signals, seen;
  signals = seen = 0;
  struct sigaction action{};
  action.sa_handler = [](int) {
    seen = static_cast<int>(counts->runs) + (testui() ? 100 : 0);
    ++signals;
  };
  action.sa_flags = SA_RESTART;
  CHECK_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  std::atomic<pthread_t> thread{};
  not_cut_short([&] {
    thread = pthread_self();
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
  }, [&] {
    pthread_kill(thread, SIGUSR1);
    while (signals == 0) sched_yield();
    CHECK_EQ(seen.load(), 101);
    CHECK_EQ(counts->runs.load(), 1u);
    CHECK_EQ(write(fds[1], "x", 1), 1);
  });
  close(fds[0]);
  close(fds[1]);
}

TEST("08 a handler that leaves a blocking call by siglongjmp leaves a thread that is interrupted as before") {
  static sigjmp_buf back;
  signal(SIGUSR1, [](int) { siglongjmp(back, 1); });
  counts_reset();
  std::atomic<int> tid{0}, fd{-1};
  std::atomic<pthread_t> thread{};
  Thread receiver{[&] {
    become_receiver();
    fd = vector_fd(7);
    thread = pthread_self();
    for (int i = 0; i < 20; ++i) {
      if (sigsetjmp(back, 1) == 0) {
        tid = static_cast<int>(raw(SYS_gettid));
        for (;;) raw(SYS_pause);
      }
      const uint64_t before = counts->runs;
      tid = 0;  // from here on an interrupt may come
      // No system call: the notification itself has to get through.
      while (counts->runs == before) asm volatile("pause");
    }
    CHECK_EQ(uintr(kUnregister), 0);
  }};
  while (fd < 0) sched_yield();
  const uint64_t index = sender(fd);
  for (int i = 0; i < 20; ++i) {
    int blocked;
    while ((blocked = tid) == 0) sched_yield();
    while (state_of(blocked) != 'S') sched_yield();
    pthread_kill(thread, SIGUSR1);
    while (tid != 0) sched_yield();
    senduipi(index);
  }
  receiver.join();
  CHECK_EQ(counts->runs.load(), 20u);
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
}

CHECK_MAIN("blocking")
