// Overlap as in bench/ranks/overlap.ts: the sender, the receiver, or both compute between posting and waiting.
// Arguments: bytes:repetitions:reference of each case, the last one being what the computation is to take, in µs.
#include "work.h"

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
    double total = transfer(data, bytes, computes ? iterations : 0);
    if (i < 0) continue;
    mine[i] = alone;
    mine[count + i] = total;
  }
  free(data);
  gather_times(mine, theirs, 2 * count);
  if (rank_ == 0) {
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
