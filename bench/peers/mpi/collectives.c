// Collective operations, blocking, as in bench/ranks/collective-times.ts.
#include "collectives.h"

static void measure(const struct collective *one, struct bench_plan plan) {
  int most = plan.most > 3 ? plan.most : 3;
  double *mine = must(malloc(most * sizeof *mine)), *all = must(malloc(most * sizeof *all));
  repeat(one, 3, mine);
  int warm = agree(samples_in(plan.budget / 4, least_of(mine, 3), 1, plan.most));
  repeat(one, warm, mine);
  int count = agree(samples_in(plan.budget, median_of(mine, warm), plan.least, plan.most));
  repeat(one, count, mine);
  slowest_of(mine, all, count);
  if (rank_ == 0) {
    printf("{\"bench\":\"samples\",\"bytes\":%zu", one->bytes);
    printf(",\"scenario\":\"%s, %d ranks\",\"micros\":", operation_names[one->operation], size_);
    print_array(all, count, 1);
    printf("}\n");
    fflush(stdout);
  }
  free(mine);
  free(all);
}

int main(int argc, char **argv) {
  start_ranks(&argc, &argv);
  struct bench_plan plan = plan_of(argv);
  for (int i = 4; i < argc; i++) {
    struct collective one = collective_of(argv[i]);
    measure(&one, plan);
    free_collective(&one);
  }
  MPI_Finalize();
  return 0;
}
