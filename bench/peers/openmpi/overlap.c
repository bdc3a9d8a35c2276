// Overlap as in bench/ranks/overlap.ts: the sender, the receiver, or both compute between posting and waiting.
// Arguments: bytes:repetitions:reference of each case, the last one being what the computation is to take, in µs.
#include "common.h"

static volatile uint32_t sink;

// The same loop as bench/lib/work.ts.
__attribute__((noinline)) static void work(long iterations) {
  uint32_t x = 0x2545f491;
  for (long i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  sink ^= x;
}

static double timed_work(long iterations) {
  double start = now_us();
  work(iterations);
  return now_us() - start;
}

static double iterations_per_us(void) {
  const long iterations = 200000;
  double shortest = 1e12;
  for (int run = 0; run < 30; run++) {
    double micros = timed_work(iterations);
    if (micros < shortest) shortest = micros;
  }
  return iterations / shortest;
}

// Both ends leave within the time of one short message.
static void sync_ends(void) {
  char token = 0;
  if (rank_ == 1) MPI_Send(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD);
  MPI_Recv(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (rank_ == 0) MPI_Send(&token, 1, MPI_CHAR, peer_, TAG_SYNC, MPI_COMM_WORLD);
}

static double transfer(char *data, int bytes, long iterations) {
  MPI_Request request;
  double start = now_us();
  if (rank_ == 0) MPI_Isend(data, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &request);
  else MPI_Irecv(data, bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &request);
  if (iterations > 0) work(iterations);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return now_us() - start;
}

static void print_ends(const char *name, const double *first, const double *second, int count) {
  printf(",\"%s\":[", name);
  if (first) print_array(first, count, 1);
  if (first && second) putchar(',');
  if (second) print_array(second, count, 1);
  putchar(']');
}

static void scenario(const char *name, int sender, int receiver, size_t bytes, int count, long iterations) {
  const int warm = count / 5 + 2;
  const int computes = rank_ == 0 ? sender : receiver;
  // alone[count] and total[count], of this end and of the other.
  double *mine = must(calloc(2 * count, sizeof *mine));
  double *theirs = must(calloc(2 * count, sizeof *theirs));
  char *data = buffer_of(bytes);
  for (int i = -warm; i < count; i++) {
    sync_ends();
    double alone = computes ? timed_work(iterations) : 0;
    sync_ends();
    double total = transfer(data, (int)bytes, computes ? iterations : 0);
    if (i < 0) continue;
    mine[i] = alone;
    mine[count + i] = total;
  }
  free(data);
  if (rank_ == 1) MPI_Send(mine, 2 * count, MPI_DOUBLE, peer_, TAG_TIMES, MPI_COMM_WORLD);
  else {
    MPI_Recv(theirs, 2 * count, MPI_DOUBLE, peer_, TAG_TIMES, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("{\"bench\":\"overlap\",\"scenario\":\"%s\",\"bytes\":%zu", name, bytes);
    print_ends("alone", sender ? mine : NULL, receiver ? theirs : NULL, count);
    print_ends("total", sender ? mine + count : NULL, receiver ? theirs + count : NULL, count);
    printf("}\n");
    fflush(stdout);
  }
  free(mine);
  free(theirs);
}

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  double rate = iterations_per_us();
  for (int i = 1; i < argc; i++) {
    size_t bytes;
    int count;
    double reference;
    if (sscanf(argv[i], "%zu:%d:%lf", &bytes, &count, &reference) != 3) MPI_Abort(MPI_COMM_WORLD, 2);
    long iterations = (long)(rate * reference) + 1;
    scenario("sender", 1, 0, bytes, count, iterations);
    scenario("receiver", 0, 1, bytes, count, iterations);
    scenario("both", 1, 1, bytes, count, iterations);
  }
  MPI_Finalize();
  return 0;
}
