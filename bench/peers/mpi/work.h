// Computation of a fixed amount, and one transfer with it between posting and waiting: rank 0 sends, rank 1 receives.
// The same as bench/lib/work.ts and bench/ranks/transfer.ts.
#ifndef UINTR_BENCH_WORK_H
#define UINTR_BENCH_WORK_H

#include "common.h"

static volatile uint32_t sink_;

__attribute__((noinline)) static void work(long iterations) {
  uint32_t x = 0x2545f491;
  for (long i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  sink_ ^= x;
}

static inline double timed_work(long iterations) {
  double start = now_us();
  work(iterations);
  return now_us() - start;
}

static inline double iterations_per_us(void) {
  const long iterations = 200000;
  double shortest = 1e12;
  for (int run = 0; run < 30; run++) {
    double micros = timed_work(iterations);
    if (micros < shortest) shortest = micros;
  }
  return iterations / shortest;
}

// Both ends leave within the time of one short message.
static inline void sync_ends(void) {
  char token = 0;
  if (rank_ == 1) MPI_Send(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD);
  MPI_Recv(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (rank_ == 0) MPI_Send(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD);
}

static inline double transfer(char *data, size_t bytes, long iterations) {
  MPI_Request request;
  double start = now_us();
  if (rank_ == 0) MPI_Isend(data, (int)bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &request);
  else MPI_Irecv(data, (int)bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &request);
  if (iterations > 0) work(iterations);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return now_us() - start;
}

// To rank 0, which gets them in `theirs`; both give as many.
static inline void gather_times(const double *mine, double *theirs, int count) {
  if (rank_ == 1) MPI_Send(mine, count, MPI_DOUBLE, peer_, TAG_TIMES, MPI_COMM_WORLD);
  else MPI_Recv(theirs, count, MPI_DOUBLE, peer_, TAG_TIMES, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

#endif
