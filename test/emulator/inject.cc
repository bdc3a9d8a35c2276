#include "inject.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"
#include "receiver.h"
#include "stats.h"

namespace emulator {
namespace {

uint32_t threads;

// xorshift64*.
uint64_t draw(Thread& t) {
  t.random ^= t.random >> 12;
  t.random ^= t.random << 25;
  t.random ^= t.random >> 27;
  return t.random * 0x2545'f491'4f6c'dd1d;
}

bool happens(Thread& t, uint32_t rate, Counter counter) {
  if (rate == 0 || (draw(t) >> 32) % 1000 >= rate) return false;
  count(counter);
  return true;
}

void pause(Thread& t) {
  const timespec time{0, static_cast<long>((draw(t) >> 32) % config.rates.pause * 1000 + 1)};
  if (config.rates.pause != 0) kernel(SYS_nanosleep, &time, 0);
}

}  // namespace

void inject_start(Thread& t) {
  // By order of appearance, so that a run with the same threads draws the same numbers.
  const uint64_t ordinal = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
  t.random = (config.seed + 1) * 0x9e37'79b9'7f4a'7c15 ^ ordinal * 0xbf58'476d'1ce4'e5b9;
  if (t.random == 0) t.random = 1;
}

void inject_between_steps(Thread& t) {
  if (happens(t, config.rates.preempt, k_injected_preempt)) pause(t);
  if (happens(t, config.rates.die, k_injected_die)) kernel(SYS_kill, kernel(SYS_getpid), SIGKILL);
}

void inject_before_notification(Thread& t) {
  if (happens(t, config.rates.delay, k_injected_delay)) pause(t);
}

void inject_on_notification(Thread& t) {
  if (happens(t, config.rates.sn, k_injected_sn)) {
    suppress(t);
    pause(t);
    unsuppress(t);
  }
  if (happens(t, config.rates.coalesce, k_injected_coalesce)) pause(t);
}

void inject_timer_on(Thread& t) {
  if (config.rates.spurious == 0) return;
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = config.notify_signal;
  event._sigev_un._tid = t.tid;
  t.has_timer = kernel(SYS_timer_create, CLOCK_MONOTONIC, &event, &t.timer) == 0;
  inject_timer_again(t);
}

void inject_timer_again(Thread& t) {
  if (!t.has_timer) return;
  const auto microseconds = static_cast<long>((draw(t) >> 32) % (2 * uint64_t{config.rates.spurious}) + 1);
  const itimerspec once{{0, 0}, {microseconds / 1'000'000, microseconds % 1'000'000 * 1000}};
  kernel(SYS_timer_settime, t.timer, 0, &once, 0);
}

void inject_timer_off(Thread& t) {
  if (!t.has_timer) return;
  t.has_timer = false;
  kernel(SYS_timer_delete, t.timer);
}

}  // namespace emulator
