// How often handlers run: exactly, when sender and receiver take turns; otherwise at least once after the last send.
// run:
// run: UINTR_EMULATOR_STRICT=0
// run: UINTR_EMULATOR_SEED=3 UINTR_EMULATOR_INJECT=sn=200,delay=200,preempt=200,coalesce=100,spurious=300,pause=50
// run: UINTR_EMULATOR_SEED=4 UINTR_EMULATOR_INJECT=sn=500,pause=200
// run: UINTR_EMULATOR_ABI=rfc UINTR_EMULATOR_SEED=5 UINTR_EMULATOR_INJECT=preempt=300,spurious=100,pause=30
#include "uintr.h"

struct Shared {
  std::atomic<uint64_t> ready, stop, sent, index;
};
static Shared* shared() {
  static auto* s = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return s;
}

// One sends, then waits until the handler has run.
static void take_turns(int fd, uint64_t turns) {
  const uint64_t index = sender(fd);
  for (uint64_t i = 1; i <= turns; ++i) {
    senduipi(index);
    while (counts->vectors[7] != i) sched_yield();
  }
  CHECK_EQ(remove_sender(index, fd), 0);
}

TEST("01 lock step between processes: as many runs as sends") {
  counts_reset();
  become_receiver();
  const int fd = vector_fd(7);
  const pid_t child = in_child([fd] { take_turns(fd, 3000); });
  while (counts->vectors[7] < 3000) sched_yield();
  CHECK(exited_well(status_of(child)));
  CHECK_EQ(counts->runs.load(), 3000u);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("02 lock step between threads, each receiver with its own vector and UIF") {
  counts_reset();
  become_receiver();
  const int fd = vector_fd(7);
  std::atomic<int> other{-1};
  std::atomic<bool> over{false};
  Thread t{[&] {
    CHECK(!testui());
    become_receiver();
    other = vector_fd(8);
    take_turns(fd, 3000);
    while (!over) sched_yield();
    CHECK_EQ(uintr(kUnregister), 0);
  }};
  while (other < 0) sched_yield();
  const uint64_t back = sender(other);
  for (uint64_t i = 1; i <= 1000; ++i) {
    senduipi(back);
    while (counts->vectors[8] != i) sched_yield();
  }
  while (counts->vectors[7] < 3000) sched_yield();
  over = true;
  t.join();
  CHECK_EQ(counts->vectors[7].load(), 3000u);
  CHECK_EQ(counts->vectors[8].load(), 1000u);
  CHECK_EQ(counts->runs.load(), 4000u);
  CHECK_EQ(remove_sender(back, other), 0);
  close(other);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

// What was sent is counted before the send, and taken by the handler: at the end nothing is left, and no run was for
// nothing in hardware's terms.
static std::atomic<uint64_t>* announced = &shared()->sent;
static uint64_t drained, empty_runs;
HANDLER static void drain_handler(__uintr_frame*, unsigned long long) {
  const uint64_t now = __atomic_load_n(reinterpret_cast<uint64_t*>(announced), __ATOMIC_SEQ_CST);
  if (now == drained) ++empty_runs;
  drained = now;
  __atomic_fetch_add(reinterpret_cast<uint64_t*>(&counts->runs), 1, __ATOMIC_SEQ_CST);
}

TEST("03 free run: all that was sent is seen without another send, and runs are not more than sends") {
  constexpr uint64_t kEach = 5000;
  counts_reset();
  *announced = 0;
  drained = 0;
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(drain_handler)), 0);
  stui();
  int fds[4];
  pid_t children[3];
  for (int i = 0; i < 4; ++i) fds[i] = vector_fd(i * 20);
  const auto storm = [&](int i) {
    const uint64_t index = sender(fds[i]);
    for (uint64_t n = 0; n < kEach; ++n) {
      ++*announced;
      senduipi(index);
    }
    CHECK_EQ(remove_sender(index, fds[i]), 0);
  };
  for (int i = 0; i < 3; ++i) children[i] = in_child([&, i] { storm(i); });
  Thread t{[&] { storm(3); }};
  uint64_t work = 0;
  while (__atomic_load_n(&drained, __ATOMIC_SEQ_CST) != 4 * kEach) {
    if (++work % 1000 == 0) {
      clui();
      stui();
    }
  }
  t.join();
  for (const pid_t child : children) CHECK(exited_well(status_of(child)));
  CHECK(counts->runs <= 4 * kEach);
  CHECK(counts->runs >= 1);
  CHECK_EQ(uintr(kUnregister), 0);
  for (const int fd : fds) close(fd);
}

CHECK_MAIN("lockstep")
