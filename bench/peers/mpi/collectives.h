// Collective operations on buffers made once, blocking and nonblocking, as in bench/ranks/operations.ts.
#ifndef UINTR_BENCH_COLLECTIVES_H
#define UINTR_BENCH_COLLECTIVES_H

#include "work.h"

enum operation { BARRIER, BCAST, REDUCE, ALLREDUCE, ALLGATHER, ALLTOALL, OPERATIONS };
static const char *operation_names[] = {"barrier", "bcast", "reduce", "allreduce", "allgather", "alltoall"};

struct collective {
  enum operation operation;
  size_t bytes;
  char *from, *into;
};

static int size_;

// An argument is operation:bytes.
static inline struct collective collective_of(const char *argument) {
  struct collective one = {0};
  const char *colon = strchr(argument, ':');
  while (one.operation < OPERATIONS &&
         (colon == NULL || strncmp(argument, operation_names[one.operation], colon - argument) != 0 ||
          operation_names[one.operation][colon - argument] != 0))
    one.operation++;
  if (one.operation == OPERATIONS) {
    fprintf(stderr, "error: not an operation: %s\n", argument);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  one.bytes = strtoul(colon + 1, NULL, 10);
  int blocks = one.operation == ALLGATHER || one.operation == ALLTOALL ? size_ : 1;
  size_t least = one.bytes < 8 ? 8 : one.bytes;
  one.from = buffer_of(least * (one.operation == ALLTOALL ? size_ : 1));
  one.into = buffer_of(least * blocks);
  // As numbers, these are to have a sum.
  if (one.operation == REDUCE || one.operation == ALLREDUCE) memset(one.from, 0, least);
  return one;
}

static inline void free_collective(struct collective *one) {
  free(one->from);
  free(one->into);
}

static inline int numbers_in(const struct collective *one) { return one->bytes < 8 ? 1 : (int)(one->bytes / 8); }

static inline void run_collective(const struct collective *one) {
  int bytes = (int)one->bytes;
  switch (one->operation) {
  case BARRIER: MPI_Barrier(MPI_COMM_WORLD); break;
  case BCAST: MPI_Bcast(one->from, bytes, MPI_CHAR, 0, MPI_COMM_WORLD); break;
  case REDUCE: MPI_Reduce(one->from, one->into, numbers_in(one), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD); break;
  case ALLREDUCE: MPI_Allreduce(one->from, one->into, numbers_in(one), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD); break;
  case ALLGATHER: MPI_Allgather(one->from, bytes, MPI_CHAR, one->into, bytes, MPI_CHAR, MPI_COMM_WORLD); break;
  case ALLTOALL: MPI_Alltoall(one->from, bytes, MPI_CHAR, one->into, bytes, MPI_CHAR, MPI_COMM_WORLD); break;
  default: break;
  }
}

static inline MPI_Request start_collective(const struct collective *one) {
  int bytes = (int)one->bytes;
  MPI_Comm comm = MPI_COMM_WORLD;
  MPI_Request request = MPI_REQUEST_NULL;
  switch (one->operation) {
  case BARRIER: MPI_Ibarrier(comm, &request); break;
  case BCAST: MPI_Ibcast(one->from, bytes, MPI_CHAR, 0, comm, &request); break;
  case REDUCE: MPI_Ireduce(one->from, one->into, numbers_in(one), MPI_DOUBLE, MPI_SUM, 0, comm, &request); break;
  case ALLREDUCE: MPI_Iallreduce(one->from, one->into, numbers_in(one), MPI_DOUBLE, MPI_SUM, comm, &request); break;
  case ALLGATHER: MPI_Iallgather(one->from, bytes, MPI_CHAR, one->into, bytes, MPI_CHAR, comm, &request); break;
  case ALLTOALL: MPI_Ialltoall(one->from, bytes, MPI_CHAR, one->into, bytes, MPI_CHAR, comm, &request); break;
  default: break;
  }
  return request;
}

static inline void start_ranks(int *argc, char ***argv) {
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
}

static inline void repeat(const struct collective *one, int count, double *micros) {
  for (int i = 0; i < count; i++) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = now_us();
    run_collective(one);
    micros[i] = now_us() - start;
  }
}

// Rank 0's number, on all.
static inline int agree(int value) {
  MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return value;
}

// Of each element, the greatest of all ranks', on rank 0.
static inline void slowest_of(const double *mine, double *all, int count) {
  MPI_Reduce(mine, all, count, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
}

#endif
