// Called by a signal handler that interrupts vector code, whatever MXCSR is. That no register changes is the canary's
// business (canary/reduction.cc), because here the kernel restores them all.
// sources: src-native/reduction/*.cc src-native/reduction/*.S
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <vector>

#include "reference.h"

using namespace reduction;

namespace {

constexpr uint64_t kElements = 67;
double left[kElements], right[kElements], result[kElements], expected[kElements];
std::atomic<uint64_t> handled{0}, wrong{0};
std::atomic<uint32_t> modes{0};

void on_tick(int) {
  for (uint64_t i = 0; i < kElements; ++i) result[i] = left[i];
  // Linux gives a signal's handler the default MXCSR; user interrupts leave the interrupted code's.
  const uint32_t own = _mm_getcsr(), mode = modes.load();
  _mm_setcsr(mode);
  uintr_reduce(uintr::reduce_kind(ReduceType::F64, ReduceOp::Sum), result, right, kElements);
  if (_mm_getcsr() != mode) wrong.fetch_add(1);
  _mm_setcsr(own);
  for (uint64_t i = 0; i < kElements; ++i) {
    uint64_t found, wanted;
    __builtin_memcpy(&found, &result[i], sizeof found);
    __builtin_memcpy(&wanted, &expected[i], sizeof wanted);
    if (found != wanted) wrong.fetch_add(1);
  }
  handled.fetch_add(1);
}

void prepare() {
  Random random(1);
  std::uniform_real_distribution<double> any(-1, 1);
  for (uint64_t i = 0; i < kElements; ++i) {
    left[i] = any(random);
    right[i] = any(random);
  }
  // What flushes to zero, what overflows, and what is inexact, under other modes and masks.
  left[3] = 3 * std::numeric_limits<double>::denorm_min();
  right[3] = -std::numeric_limits<double>::denorm_min();
  left[5] = right[5] = std::numeric_limits<double>::max();
  left[7] = std::numeric_limits<double>::infinity();
  right[7] = 1;
  for (uint64_t i = 0; i < kElements; ++i) expected[i] = left[i] + right[i];
}

// Eight accumulators, which fill vector registers for the whole loop.
std::vector<float> vector_code(const std::vector<float>& values) {
  typedef float Four __attribute__((vector_size(16)));
  Four sums[8] = {};
  for (int again = 0; again < 20; ++again) {
    for (size_t i = 0; i + 32 <= values.size(); i += 32) {
      for (size_t k = 0; k < 8; ++k) {
        Four v;
        memcpy(&v, &values[i + 4 * k], sizeof v);
        sums[k] += v * v;
      }
    }
  }
  std::vector<float> out(32);
  memcpy(out.data(), sums, sizeof sums);
  return out;
}

class Ticks {
 public:
  explicit Ticks(long nanoseconds) {
    struct sigaction action{};
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    sigaction(SIGURG, &action, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGURG;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
    const itimerspec period = {{0, nanoseconds}, {0, nanoseconds}};
    CHECK(timer_settime(timer_, 0, &period, nullptr) == 0);
  }
  ~Ticks() { timer_delete(timer_); }

 private:
  timer_t timer_;
};

}  // namespace

TEST("01 neither the interrupted computation nor the reduction sees the other") {
  prepare();
  Random random(2);
  std::vector<float> values(4096);
  for (float& v : values) v = static_cast<float>(random() % 1000) / 64;
  const uint32_t before = _mm_getcsr();
  // Rounding and flushing that change results; and, where computations are exact, exceptions that are not masked.
  constexpr uint32_t kModes[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x1fc0, 0x9f80, 0xffc0, 0x1000};
  for (const uint32_t mode : kModes) {
    _mm_setcsr(mode);
    const std::vector<float> alone = vector_code(values);
    const uint32_t flags = _mm_getcsr();
    handled = 0;
    modes = mode;
    {
      const Ticks ticks(50000);
      while (handled.load() < 300) {
        const std::vector<float> interrupted = vector_code(values);
        CHECK(memcmp(alone.data(), interrupted.data(), alone.size() * sizeof(float)) == 0);
        CHECK_EQ(_mm_getcsr(), flags);
      }
    }
    _mm_setcsr(before);
    CHECK_EQ(wrong.load(), uint64_t{0});
  }
}

CHECK_MAIN("reduction/signals")
