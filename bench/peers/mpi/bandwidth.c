// A window of MPI_Isend answered by one short reply, as OSU's osu_bw. The first argument says from what buffers.
#include "buffers.h"

static struct buffers data;
static MPI_Request *requests;

static void prepare(const struct bench_case *one) {
  free_buffers(&data);
  data = buffers_for(one);
  requests = must(realloc(requests, one->window * sizeof *requests));
}

static void sample(const struct bench_case *one) {
  int bytes = (int)one->bytes;
  char reply[4] = {0};
  for (int i = 0; i < one->window; i++) {
    char *buffer = buffer_at(&data, i);
    if (rank_ == 0) MPI_Isend(buffer, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
    else MPI_Irecv(buffer, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
  }
  MPI_Waitall(one->window, requests, MPI_STATUSES_IGNORE);
  if (rank_ == 0) MPI_Recv(reply, sizeof reply, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else MPI_Send(reply, sizeof reply, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD);
}

int main(int argc, char **argv) { return measure_windows(argc, argv, prepare, sample); }
