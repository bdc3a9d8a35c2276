// A window of MPI_Isend answered by one short reply, as OSU's osu_bw. The first argument says from what buffers: "one",
// as OSU does, or "distinct" ones, bounded as ours are (bench/ranks/bandwidth.ts).
#include "common.h"

static const size_t distinct_bytes = (size_t)512 << 20;

static int distinct;
static int buffers;
static char **data;
static MPI_Request *requests;

static void prepare(const struct bench_case *one) {
  for (int i = 0; i < buffers; i++) free(data[i]);
  free(data);
  free(requests);
  size_t fit = distinct_bytes / one->bytes;
  buffers = !distinct ? 1 : fit < 1 ? 1 : fit < (size_t)one->window ? (int)fit : one->window;
  data = must(malloc(buffers * sizeof *data));
  for (int i = 0; i < buffers; i++) data[i] = buffer_of(one->bytes);
  requests = must(malloc(one->window * sizeof *requests));
}

static void sample(const struct bench_case *one) {
  int bytes = (int)one->bytes;
  char reply[4] = {0};
  for (int i = 0; i < one->window; i++) {
    char *buffer = data[i % buffers];
    if (rank_ == 0) MPI_Isend(buffer, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
    else MPI_Irecv(buffer, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
  }
  MPI_Waitall(one->window, requests, MPI_STATUSES_IGNORE);
  if (rank_ == 0) MPI_Recv(reply, sizeof reply, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else MPI_Send(reply, sizeof reply, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD);
}

static double divisor(const struct bench_case *one) { return one->window; }

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  distinct = strcmp(argv[1], "distinct") == 0;
  run_cases(argc - 1, argv + 1, &(struct bench_measure){prepare, sample, divisor});
  MPI_Finalize();
  return 0;
}
