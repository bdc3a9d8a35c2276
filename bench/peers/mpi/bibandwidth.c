// A window of messages each way at the same time, as OSU's osu_bibw. The first argument says from what buffers.
#include "buffers.h"

static struct buffers out, into;
static MPI_Request *requests;

static void prepare(const struct bench_case *one) {
  free_buffers(&out);
  free_buffers(&into);
  out = buffers_for(one);
  into = buffers_for(one);
  requests = must(realloc(requests, 2 * one->window * sizeof *requests));
}

static void sample(const struct bench_case *one) {
  int bytes = (int)one->bytes;
  int window = one->window;
  for (int i = 0; i < window; i++)
    MPI_Irecv(buffer_at(&into, i), bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
  for (int i = 0; i < window; i++)
    MPI_Isend(buffer_at(&out, i), bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[window + i]);
  MPI_Waitall(2 * window, requests, MPI_STATUSES_IGNORE);
}

int main(int argc, char **argv) { return measure_windows(argc, argv, prepare, sample); }
