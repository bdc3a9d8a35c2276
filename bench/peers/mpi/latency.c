// Ping-pong by MPI_Send and MPI_Recv, as OSU's osu_latency.
#include "common.h"

static char *out, *into;

static void prepare(const struct bench_case *one) {
  free(out);
  free(into);
  out = buffer_of(one->bytes);
  into = buffer_of(one->bytes);
}

static void sample(const struct bench_case *one) {
  int bytes = (int)one->bytes;
  for (int i = 0; i < one->batch; i++) {
    if (rank_ == 0) {
      MPI_Send(out, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD);
      MPI_Recv(into, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(into, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(out, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD);
    }
  }
}

static double divisor(const struct bench_case *one) { return 2.0 * one->batch; }

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  run_cases(argc, argv, &(struct bench_measure){prepare, sample, divisor});
  MPI_Finalize();
  return 0;
}
