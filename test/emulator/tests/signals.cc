// The program keeps its own signals: handlers, masks and faults are what they would be without the emulator.
// run:
// run: UINTR_EMULATOR_SEED=1 UINTR_EMULATOR_INJECT=spurious=50
#include <setjmp.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "uintr.h"

static sigjmp_buf back;
static std::atomic<int> handled;

// Interrupts come all the time while `body` runs in a receiver.
template <class F>
static void under_fire(F body) {
  counts_reset();
  std::atomic<int> fd{-1};
  std::atomic<bool> fired{false}, over{false};
  Thread receiver{[&] {
    become_receiver();
    fd = vector_fd(7);
    while (!fired) sched_yield();
    body();
    CHECK_EQ(uintr(kUnregister), 0);
    over = true;
  }};
  while (fd < 0) sched_yield();
  const uint64_t index = sender(fd);
  while (!over) {
    senduipi(index);
    fired = true;
  }
  receiver.join();
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
}

TEST("01 ud2 reaches the program's handler, which may step over it or leave by siglongjmp") {
  struct sigaction action{}, before, now;
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    ++handled;
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;
  };
  CHECK_EQ(sigaction(SIGILL, &action, &before), 0);
  CHECK(before.sa_handler == SIG_DFL);
  CHECK_EQ(sigaction(SIGILL, nullptr, &now), 0);
  CHECK(now.sa_sigaction == action.sa_sigaction && now.sa_flags == SA_SIGINFO);
  under_fire([] {
    for (handled = 0; handled < 200;) {
      asm volatile("ud2");
      testui();
    }
  });
  signal(SIGILL, [](int) { siglongjmp(back, 1); });
  under_fire([] {
    for (std::atomic<int> jumps{0}; jumps < 200; ++jumps) {
      if (sigsetjmp(back, 1) == 0) asm volatile("ud2");
      CHECK(testui());
    }
  });
  CHECK_EQ(sigaction(SIGILL, &before, nullptr), 0);
}

TEST("02 without a handler ud2 ends the process by SIGILL, and a wild access by SIGSEGV") {
  CHECK(killed_by(ends([] { asm volatile("ud2"); }), SIGILL));
  CHECK(killed_by(ends([] { *static_cast<volatile int*>(nullptr) = 1; }), SIGSEGV));
  CHECK(killed_by(ends([] { become_receiver(); *static_cast<volatile int*>(nullptr) = 1; }), SIGSEGV));
  CHECK(killed_by(ends([] { kill(getpid(), SIGSEGV); }), SIGSEGV));
  CHECK(killed_by(ends([] { kill(getpid(), SIGILL); }), SIGILL));
  CHECK(killed_by(ends([] { become_receiver(); abort(); }), SIGABRT));
  CHECK(killed_by(ends([] { become_receiver(); kill(getpid(), SIGTERM); for (;;) raw(SYS_pause); }), SIGTERM));
}

TEST("03 SIGSEGV with a handler on an alternative stack, in a receiver too") {
  struct sigaction action{};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = [](int, siginfo_t* info, void* context) {
    handled = info->si_code == SEGV_MAPERR && info->si_addr == nullptr;
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;
  };
  CHECK_EQ(sigaction(SIGSEGV, &action, nullptr), 0);
  under_fire([] {
    stack_t stack{}, is{};
    stack.ss_sp = malloc(1 << 16);
    stack.ss_size = 1 << 16;
    CHECK_EQ(sigaltstack(&stack, nullptr), 0);
    CHECK_EQ(sigaltstack(nullptr, &is), 0);
    CHECK(is.ss_sp == stack.ss_sp);
    for (int i = 0; i < 200; ++i) {
      handled = 0;
      asm volatile("movb (%0), %%al" : : "d"(nullptr) : "rax");  // two bytes long
      CHECK_EQ(handled, 1);
    }
    stack.ss_flags = SS_DISABLE;
    CHECK_EQ(sigaltstack(&stack, nullptr), 0);
    free(stack.ss_sp);
  });
  signal(SIGSEGV, SIG_DFL);
}

TEST("04 a program that blocks every signal is still interrupted, and is told that it has blocked them") {
  sigset_t all, is;
  sigfillset(&all);
  Thread t{[&] {
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, &all, nullptr), 0);
    counts_reset();
    become_receiver();
    const int fd = vector_fd(7);
    const uint64_t index = sender(fd);
    senduipi(index);
    CHECK_EQ(counts->runs.load(), 1u);
    CHECK_EQ(sigprocmask(SIG_SETMASK, nullptr, &is), 0);
    for (const int s : {SIGILL, SIGSYS, SIGSEGV, SIGUSR1, 61}) CHECK_EQ(sigismember(&is, s), 1);
    // The C library blocks and restores signals by itself meanwhile.
    Thread other{[] {}};
    other.join();
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &all, &is), 0);
    CHECK_EQ(sigismember(&is, SIGILL), 1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &is), 0);
    for (const int s : {SIGILL, SIGSYS, SIGSEGV, SIGUSR1, 61}) CHECK_EQ(sigismember(&is, s), 0);
    CHECK_EQ(pthread_sigmask(99, &all, nullptr), EINVAL);
    CHECK_EQ(remove_sender(index, fd), 0);
    close(fd);
    CHECK_EQ(uintr(kUnregister), 0);
  }};
  t.join();
}

TEST("05 threads, forks, spawns and pipes made by a receiver under fire") {
  under_fire([] {
    for (int i = 0; i < 20; ++i) {
      Thread t{[] {
        CHECK(!testui());
        free(malloc(100'000));
      }};
      t.join();
      CHECK(exited_well(ends([] { free(malloc(100)); })));
      FILE* p = popen("echo word", "r");
      char text[16] = "";
      CHECK(fgets(text, sizeof text, p) != nullptr);
      CHECK(strcmp(text, "word\n") == 0);
      CHECK_EQ(pclose(p), 0);
      const pid_t child = vfork();
      if (child == 0) _exit(3);
      CHECK(WEXITSTATUS(status_of(child)) == 3);
    }
  });
}

TEST("06 a receiver that executes another program leaves it nothing but its mask") {
  CHECK(exited_well(ends([] {
    become_receiver();
    execl("/bin/sh", "sh", "-c", "grep -q 'SigBlk:.0000000000000000' /proc/self/status", nullptr);
  })));
}

TEST("07 a child of vfork that changes masks and dispositions leaves its parent as it was") {
  counts_reset();
  become_receiver();
  const int fd = vector_fd(7);
  const uint64_t index = sender(fd);
  const pid_t child = vfork();
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGUSR1, SIG_DFL);
    _exit(testui() ? 3 : 4);
  }
  CHECK(WIFEXITED(status_of(child)));
  senduipi(index);
  CHECK_EQ(counts->runs.load(), 1u);
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("08 threads end while interrupts are on their way") {
  for (int i = 0; i < 100; ++i) {
    std::atomic<int> fd{-1};
    std::atomic<bool> over{false};
    Thread t{[&] {
      become_receiver();
      fd = vector_fd(7);
      while (!over) {
      }
    }};
    while (fd < 0) sched_yield();
    const uint64_t index = sender(fd);
    for (int n = 0; n < 20; ++n) {
      senduipi(index);
      if (n == 10) over = true;
    }
    t.join();
    CHECK_EQ(remove_sender(index, fd), 0);
    close(fd);
  }
}

TEST("09 a profiler's signal at every few hundred microseconds") {
  static std::atomic<uint64_t> ticks;
  struct sigaction action{};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int) { ++ticks; };
  CHECK_EQ(sigaction(SIGPROF, &action, nullptr), 0);
  under_fire([] {
    while (ticks < 500) {
      kill(getpid(), SIGPROF);
      for (int i = 0; i < 100; ++i) free(malloc(static_cast<size_t>(i) * 5000 + 1));
    }
  });
  signal(SIGPROF, SIG_DFL);
}

TEST("10 cpuid shows the feature, and tells the truth otherwise") {
  uint32_t a = 7, b, c = 0, d, again;
  asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((d >> 5 & 1) == 0) return;  // this processor cannot trap it
  a = 0;
  c = 0;
  asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(again));
  CHECK(a >= 7);
  CHECK(b != 0 && again != 0);
}

CHECK_MAIN("signals")
