// One program shape for every mechanism, so that the numbers compare: two processes, each on its processor, that
// notify each other in turn. A mechanism says how the other end's bell is rung, and how an end gets to know of it while
// it runs and while it sleeps; clock, course and output are the same for all. bench/ranks/notify.ts does the same in
// JavaScript.
//
// One way: from just before the ring until the other end's program, not only its handler, knows. Round trip: until the
// answer to that is known.
//
// Arguments: budget least most settle [cpu cpu], times in microseconds; or "probe", which fails with the reason if the
// mechanism does not work here.
#ifndef UINTR_BENCH_NOTIFY_COMMON_H
#define UINTR_BENCH_NOTIFY_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct mechanism {
  const char *(*why_not)(void);  // why it does not work here, or NULL; none: it works everywhere
  void (*open)(void);            // before there are two processes: what both inherit
  void (*meet)(void);            // in each of them
  void (*ring)(void);            // notifies the other end
  // Each returns once per ring.
  void (*running)(void);
  const char *how_running;  // what the end does meanwhile, and by what it gets to know
  void (*asleep)(void);     // NULL: it cannot be waited for, and how_asleep says why
  const char *how_asleep;
  int emulated;  // by an emulator of user interrupts: it works, and its times say nothing
};

// What both ends see: a cache line for what each of them writes.
struct shared {
  _Alignas(64) _Atomic uint32_t word;  // end 0's bell
  double known_at;                     // when end 1 got to know of the ring it answers
  _Alignas(64) _Atomic uint32_t other_word;
  int over;  // the ring that follows is the last one of its state
};

static struct shared *shared_;
static int end_;        // 0 leads and keeps the time, 1 follows
static pid_t pids_[2];  // of both ends, which are main threads: also their thread ids

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline pid_t other_pid(void) { return pids_[1 - end_]; }

static inline _Atomic uint32_t *word_of(int end) { return end == 0 ? &shared_->word : &shared_->other_word; }

__attribute__((noreturn)) static void fail(const char *what) {
  fprintf(stderr, "error: %s: %s\n", what, strerror(errno));
  exit(1);
}

static inline int must(int result, const char *what) {
  if (result < 0) fail(what);
  return result;
}

static volatile uint32_t sink_;

// The same steps as bench/lib/work.ts: registers only, and no two of them at once.
static void work(int iterations) {
  uint32_t x = 0x2545f491;
  for (int i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  sink_ = x;
}

// What a running end does between two looks at a word that its own handler writes: a few nanoseconds.
static inline void work_a_little(void) { work(8); }

// Whoever only looks at its descriptor must not be held by it.
static inline void let_block(int fd, int blocks) {
  static int now = -1;
  if (now == blocks) return;
  now = blocks;
  int flags = must(fcntl(fd, F_GETFL), "fcntl");
  must(fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK), "fcntl");
}

struct plan {
  double budget;  // for the samples of one state
  int least, most;
  double settle;  // the leader computes that long before each sample: the other end is back at what it does
  int cpus[2];    // -1: not pinned
};

static void compute_for(double micros) {
  for (double end = now_us() + micros; now_us() < end;) work(64);
}

// Returns how many samples were taken.
static int lead(const struct mechanism *m, void (*wait)(void), const struct plan *plan, double *one_way,
                double *round_trip) {
  int warm = plan->most / 4, taken = 0;
  double start = now_us();
  for (int i = -warm; i < plan->most; i++) {
    double spent = now_us() - start;
    if (i < 0 && spent > plan->budget / 4) i = 0;
    if (i == 0) start = now_us();
    if (i >= plan->least && spent > plan->budget) break;
    compute_for(plan->settle);
    double rung = now_us();
    m->ring();
    wait();
    double answered = now_us();
    if (i < 0) continue;
    one_way[i] = shared_->known_at - rung;
    round_trip[i] = answered - rung;
    taken = i + 1;
  }
  shared_->over = 1;
  m->ring();
  wait();
  return taken;
}

static void follow(const struct mechanism *m, void (*wait)(void)) {
  for (int over = 0; !over;) {
    wait();
    double known = now_us();
    shared_->known_at = known;
    // The leader writes it again in the next state at the earliest, after this answer.
    over = shared_->over;
    if (over) shared_->over = 0;
    m->ring();
  }
}

static void print_array(const char *name, const double *values, int count) {
  printf(",\"%s\":[", name);
  for (int i = 0; i < count; i++) printf("%s%.3f", i ? "," : "", values[i]);
  putchar(']');
}

static void run_state(const struct mechanism *m, const char *state, void (*wait)(void), const char *how,
                      const struct plan *plan) {
  if (wait == NULL) {
    if (end_ == 0) printf("{\"bench\":\"notify\",\"state\":\"%s\",\"reason\":\"%s\"}\n", state, how);
    return;
  }
  if (end_ == 1) return follow(m, wait);
  double *times = malloc(2 * plan->most * sizeof *times);
  if (times == NULL) fail("malloc");
  int count = lead(m, wait, plan, times, times + plan->most);
  printf("{\"bench\":\"notify\",\"state\":\"%s\",\"how\":\"%s\"", state, how);
  if (m->emulated) printf(",\"emulated\":true");
  print_array("oneWay", times, count);
  print_array("roundTrip", times + plan->most, count);
  printf("}\n");
  fflush(stdout);
  free(times);
}

static void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  must(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

// The follower said why itself; nobody would ring for a leader that goes on.
static void on_child(int number) {
  (void)number;
  int status;
  if (waitpid(pids_[1], &status, WNOHANG) > 0 && status != 0) _exit(1);
}

static struct plan plan_of(int argc, char **argv) {
  if (argc != 5 && argc != 7) {
    fprintf(stderr, "error: arguments: budget least most settle [cpu cpu]\n");
    exit(2);
  }
  struct plan plan = {atof(argv[1]), atoi(argv[2]), atoi(argv[3]), atof(argv[4]), {-1, -1}};
  for (int i = 5; i < argc; i++) plan.cpus[i - 5] = atoi(argv[i]);
  return plan;
}

static int run_mechanism(int argc, char **argv, struct mechanism *m) {
  const char *reason = m->why_not ? m->why_not() : NULL;
  if (reason != NULL) {
    fprintf(stderr, "%s\n", reason);
    return 1;
  }
  if (argc == 2 && strcmp(argv[1], "probe") == 0) return 0;
  struct plan plan = plan_of(argc, argv);
  shared_ = mmap(NULL, sizeof *shared_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared_ == MAP_FAILED) fail("mmap");
  if (m->open) m->open();
  if (signal(SIGCHLD, on_child) == SIG_ERR) fail("signal");
  pids_[0] = getpid();
  pid_t child = must(fork(), "fork");
  if (child == 0) {
    end_ = 1;
    must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    if (getppid() != pids_[0]) return 1;
  }
  pids_[1] = child == 0 ? getpid() : child;
  pin(plan.cpus[end_]);
  if (m->meet) m->meet();
  run_state(m, "running", m->running, m->how_running, &plan);
  run_state(m, "asleep", m->asleep, m->how_asleep, &plan);
  return 0;
}

#endif
