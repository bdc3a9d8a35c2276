// What does wake a receiver: uintr_wait, the waiting flag, and every call where blocking is not strict.
// run:
// run: UINTR_EMULATOR_STRICT=0
// run: UINTR_EMULATOR_ABI=rfc UINTR_EMULATOR_STRICT=0
#include <sys/syscall.h>

#include "sleeping.h"

static bool strict() {
  const char* is = getenv("UINTR_EMULATOR_STRICT");
  return is == nullptr || strcmp(is, "0") != 0;
}

// A receiver with these flags calls `sleep`; once it sleeps, `wake` is given the index that reaches it.
template <class Sleep, class Wake>
static void woken(long flags, bool uif, Sleep sleep, Wake wake) {
  counts_reset();
  std::atomic<int> tid{0}, fd{-1};
  Thread receiver{[&] {
    CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler), flags), 0);
    if (uif) stui();
    fd = vector_fd(7);
    tid = static_cast<int>(raw(SYS_gettid));
    sleep();
    CHECK_EQ(uintr(kUnregister), 0);
  }};
  while (tid == 0) sched_yield();
  const uint64_t index = sender(fd);
  while (state_of(tid) != 'S') sched_yield();
  wake(index, tid);
  receiver.join();
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
}

static const auto by_interrupt = [](uint64_t index, int) { senduipi(index); };
static long wait_long() { return uintr(kWait, rfc() ? 0 : 1'000'000'000); }

TEST("01 uintr_wait returns EINTR after the handler has run") {
  woken(0, true, [] {
    CHECK_EQ(wait_long(), -EINTR);
    CHECK_EQ(counts->runs.load(), 1u);
  }, by_interrupt);
}

TEST("02 uintr_wait returns EINTR also where UIF holds the handler back") {
  woken(0, false, [] {
    CHECK_EQ(wait_long(), -EINTR);
    CHECK_EQ(counts->runs.load(), 0u);
    stui();
    CHECK_EQ(counts->runs.load(), 1u);
  }, by_interrupt);
}

TEST("03 a signal with a handler ends uintr_wait, and an interrupt is not made up for it") {
  static std::atomic<int> signals;
  signals = 0;
  signal(SIGUSR1, [](int) { signals += getppid() > 0; });
  woken(0, true, [] {
    CHECK_EQ(wait_long(), -EINTR);
    CHECK_EQ(signals.load(), 1);
    CHECK_EQ(counts->runs.load(), 0u);
  }, [](uint64_t, int tid) { CHECK_EQ(raw(SYS_tgkill, getpid(), tid, SIGUSR1), 0); });
}

TEST("04 read is cut short with EINTR, after the handler has run") {
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  woken(strict() ? 0x1000 : 0, true, [&] {
    char c;
    CHECK_EQ(raw(SYS_read, fds[0], reinterpret_cast<long>(&c), 1), -EINTR);
    CHECK_EQ(counts->runs.load(), 1u);
  }, by_interrupt);
  close(fds[0]);
  close(fds[1]);
}

CHECK_MAIN("waking")
