// Many ranks: joining, an all-to-all, and the memory they share, as in bench/ranks/scale.ts.
#include "collectives.h"

// This process's part of the pages it shares, in bytes.
static double shared(void) {
  char line[256];
  long kilobytes = 0;
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Pss_Shmem: %ld kB", &kilobytes) == 1) break;
  if (file) fclose(file);
  return kilobytes * 1024.0;
}

static void talk_to_neighbour(void) {
  int peer = rank_ ^ 1;
  double out = 1, into;
  if (peer >= size_) return;
  MPI_Sendrecv(&out, 1, MPI_DOUBLE, peer, TAG_DATA, &into, 1, MPI_DOUBLE, peer, TAG_DATA, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
}

// Of the slowest rank, on rank 0; how many.
static int alltoall(size_t bytes, struct bench_plan plan, double *all) {
  char argument[64];
  snprintf(argument, sizeof argument, "alltoall:%zu", bytes);
  struct collective one = collective_of(argument);
  double *mine = must(malloc((plan.most > 3 ? plan.most : 3) * sizeof *mine));
  repeat(&one, 3, mine);
  int count = agree(samples_in(plan.budget, median_of(mine, 3), plan.least, plan.most));
  repeat(&one, count, mine);
  slowest_of(mine, all, count);
  free(mine);
  free_collective(&one);
  return count;
}

int main(int argc, char **argv) {
  struct bench_plan plan = plan_of(argv);
  double joining[2] = {now_us(), 0}, slowest[2], memory[3], total[3];
  start_ranks(&argc, &argv);
  joining[1] = now_us();
  memory[0] = shared();
  talk_to_neighbour();
  memory[1] = shared();
  double *times[16];
  int counts[16], sizes = 0;
  for (int i = 4; i < argc && sizes < 16; i++, sizes++) {
    times[sizes] = must(malloc((plan.most > 3 ? plan.most : 3) * sizeof(double)));
    counts[sizes] = alltoall(strtoul(argv[i], NULL, 10), plan, times[sizes]);
  }
  memory[2] = shared();
  slowest_of(joining, slowest, 2);
  MPI_Reduce(memory, total, 3, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank_ == 0) {
    printf("{\"bench\":\"scale\",\"ranks\":%d,\"join\":%.3f,\"alltoall\":[", size_, slowest[1] - slowest[0]);
    for (int i = 0; i < sizes; i++) {
      printf("%s{\"bytes\":%s,\"micros\":", i ? "," : "", argv[4 + i]);
      print_array(times[i], counts[i], 1);
      printf("}");
    }
    printf("],\"shared\":{\"joined\":%.0f,\"neighbours\":%.0f,\"all\":%.0f}}\n", total[0], total[1], total[2]);
    fflush(stdout);
  }
  MPI_Finalize();
  return 0;
}
