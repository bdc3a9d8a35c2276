// Nonblocking collective operations while all ranks compute, as in bench/ranks/collective-overlap.ts.
#include "collectives.h"

static double one_turn(const struct collective *one, int moves, long iterations) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Barrier(MPI_COMM_WORLD);
  double start = now_us();
  if (moves) request = start_collective(one);
  if (iterations > 0) work(iterations);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return now_us() - start;
}

static void measure(const struct collective *one, struct bench_plan plan, double rate) {
  int most = plan.most > 3 ? plan.most : 3;
  double *mine = must(malloc(most * sizeof *mine)), *all = must(malloc(most * sizeof *all));
  double *computed = must(malloc(most * sizeof *computed));
  for (int i = 0; i < 3; i++) mine[i] = one_turn(one, 1, 0);
  int warm = agree(samples_in(plan.budget / 4, least_of(mine, 3), 1, plan.most));
  for (int i = 0; i < warm; i++) mine[i] = one_turn(one, 1, 0);
  int count = agree(samples_in(plan.budget / 4, median_of(mine, warm), plan.least, plan.most));
  for (int i = 0; i < count; i++) mine[i] = one_turn(one, 1, 0);
  slowest_of(mine, all, count);
  double pure = rank_ == 0 ? median_of(all, count) : 0;
  MPI_Bcast(&pure, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  long iterations = (long)(rate * pure) + 1;
  for (int i = 0; i < count; i++) {
    computed[i] = one_turn(one, 0, iterations);
    mine[i] = one_turn(one, 1, iterations);
  }
  double usual = median_of(computed, count);
  for (int i = 0; i < count; i++) mine[i] -= usual;
  slowest_of(mine, all, count);
  if (rank_ == 0) {
    printf("{\"bench\":\"collective-overlap\",\"bytes\":%zu", one->bytes);
    printf(",\"scenario\":\"i%s, %d ranks\"", operation_names[one->operation], size_);
    printf(",\"pure\":%.3f,\"exposed\":", pure);
    print_array(all, count, 1);
    printf("}\n");
    fflush(stdout);
  }
  free(mine);
  free(all);
  free(computed);
}

int main(int argc, char **argv) {
  start_ranks(&argc, &argv);
  struct bench_plan plan = plan_of(argv);
  double rate = iterations_per_us();
  MPI_Bcast(&rate, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  for (int i = 4; i < argc; i++) {
    struct collective one = collective_of(argv[i]);
    measure(&one, plan, rate);
    free_collective(&one);
  }
  MPI_Finalize();
  return 0;
}
