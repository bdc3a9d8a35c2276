// What a rank spends that waits for a message, as in bench/ranks/idle.ts. The argument: milliseconds.
#include "common.h"

static double spent_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  char word = 0;
  long ms = atol(argv[1]);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank_ == 1) {
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    MPI_Send(&word, 1, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD);
  } else {
    double start = now_us(), spent = spent_us();
    MPI_Recv(&word, 1, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    spent = spent_us() - spent;
    printf("{\"bench\":\"idle\",\"waited\":%.3f,\"spent\":%.3f}\n", now_us() - start, spent);
    fflush(stdout);
  }
  MPI_Finalize();
  return 0;
}
