// What the C programs share: the clock, cases from the command line, samples as a JSON line, and the course of a
// measurement as in bench/lib/turns.ts: rank 0 says how many samples come next, both take them, rank 0 keeps the time.
#ifndef UINTR_BENCH_COMMON_H
#define UINTR_BENCH_COMMON_H

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_DATA = 0, TAG_ORDER = 1, TAG_REPLY = 2, TAG_SYNC = 3, TAG_TIMES = 4 };

struct bench_case {
  size_t bytes;
  int batch;  // round trips per sample
  int window; // messages in flight
};

struct bench_plan {
  double budget; // microseconds for the samples of one case
  int least, most;
};

static int rank_, peer_;

static inline double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline void *must(void *memory) {
  if (memory == NULL) {
    fprintf(stderr, "error: out of memory\n");
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  return memory;
}

// Whole pages, touched, as OSU's are.
static inline char *buffer_of(size_t bytes) {
  size_t whole = (bytes + 4095) / 4096 * 4096;
  char *memory = must(aligned_alloc(4096, whole));
  memset(memory, 1, whole);
  return memory;
}

static inline void start_two_ranks(int *argc, char ***argv) {
  int size;
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size != 2) {
    fprintf(stderr, "error: two ranks are needed, not %d\n", size);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  peer_ = 1 - rank_;
}

static inline int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline double median_of(const double *values, int count) {
  double *sorted = must(malloc(count * sizeof *sorted));
  memcpy(sorted, values, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, compare_doubles);
  double middle = sorted[count / 2];
  free(sorted);
  return middle;
}

static inline double least_of(const double *values, int count) {
  double least = values[0];
  for (int i = 1; i < count; i++) least = values[i] < least ? values[i] : least;
  return least;
}

static inline void print_array(const double *values, int count, double divisor) {
  putchar('[');
  for (int i = 0; i < count; i++) printf("%s%.3f", i ? "," : "", values[i] / divisor);
  putchar(']');
}

static inline int samples_in(double budget, double each, int least, int most) {
  double fits = budget / (each > 0.001 ? each : 0.001);
  return fits < least ? least : fits > most ? most : (int)fits;
}

// One program's measure. `sample` takes one sample as this rank; `divisor` is what its time is divided by.
struct bench_measure {
  void (*prepare)(const struct bench_case *);
  void (*sample)(const struct bench_case *);
  double (*divisor)(const struct bench_case *);
};

static inline void take(const struct bench_measure *measure, const struct bench_case *one, int count, double *micros) {
  MPI_Send(&count, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD);
  for (int i = 0; i < count; i++) {
    double start = now_us();
    measure->sample(one);
    micros[i] = now_us() - start;
  }
}

static inline void lead(const struct bench_measure *measure, const struct bench_case *one, struct bench_plan plan) {
  double *micros = must(malloc((plan.most > 3 ? plan.most : 3) * sizeof *micros));
  take(measure, one, 3, micros);
  int warm = samples_in(plan.budget / 4, median_of(micros, 3), 1, plan.most);
  take(measure, one, warm, micros);
  int count = samples_in(plan.budget, median_of(micros, warm), plan.least, plan.most);
  take(measure, one, count, micros);
  int end = 0;
  MPI_Send(&end, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD);
  printf("{\"bench\":\"samples\",\"bytes\":%zu,\"window\":%d,\"micros\":", one->bytes, one->window);
  print_array(micros, count, measure->divisor(one));
  printf("}\n");
  fflush(stdout);
  free(micros);
}

static inline void follow(const struct bench_measure *measure, const struct bench_case *one) {
  for (;;) {
    int count;
    MPI_Recv(&count, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (count == 0) return;
    for (int i = 0; i < count; i++) measure->sample(one);
  }
}

// Arguments: budget least most, then bytes:batch:window of each case.
static inline struct bench_plan plan_of(char **argv) {
  return (struct bench_plan){atof(argv[1]), atoi(argv[2]), atoi(argv[3])};
}

static inline struct bench_case case_of(const char *argument) {
  struct bench_case one;
  if (sscanf(argument, "%zu:%d:%d", &one.bytes, &one.batch, &one.window) != 3) {
    fprintf(stderr, "error: not a case: %s\n", argument);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  return one;
}

static inline void run_cases(int argc, char **argv, const struct bench_measure *measure) {
  struct bench_plan plan = plan_of(argv);
  for (int i = 4; i < argc; i++) {
    struct bench_case one = case_of(argv[i]);
    measure->prepare(&one);
    if (rank_ == 0) lead(measure, &one, plan);
    else follow(measure, &one);
  }
}

#endif
