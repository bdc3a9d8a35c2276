// Sandia's post-work-wait, as in bench/ranks/availability.ts.
#include "work.h"

static void tell(int count) { MPI_Send(&count, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD); }

static void post_work_wait(char *data, size_t bytes, int count, long iterations, double *alone, double *iter) {
  tell(count);
  for (int i = 0; i < count; i++) {
    sync_ends();
    alone[i] = iterations > 0 ? timed_work(iterations) : 0;
    sync_ends();
    iter[i] = transfer(data, bytes, iterations);
  }
}

static void print_availability(const char *scenario, const char *length, size_t bytes, const double *base,
                               const double *alone, const double *iter, int count) {
  printf("{\"bench\":\"availability\",\"scenario\":\"%s%s\",\"bytes\":%zu,\"base\":", scenario, length, bytes);
  print_array(base, count, 1);
  printf(",\"alone\":");
  print_array(alone, count, 1);
  printf(",\"iter\":");
  print_array(iter, count, 1);
  printf("}\n");
  fflush(stdout);
}

static void host(const char *scenario, char *data, size_t bytes, struct bench_plan plan, double rate) {
  const double long_enough[] = {1.5, 4}; // transfers; the first is Sandia's
  const char *lengths[] = {"", "-long"};
  int most = plan.most > 5 ? plan.most : 5;
  double *base = must(malloc(most * sizeof *base));
  double *alone = must(malloc(most * sizeof *alone));
  double *iter = must(malloc(most * sizeof *iter));
  post_work_wait(data, bytes, 5, 0, alone, base);
  int count = samples_in(plan.budget / 2, 3 * median_of(base, 5), plan.least, plan.most);
  post_work_wait(data, bytes, count, 0, alone, base);
  double usual = median_of(base, count);
  long iterations = (long)(rate * usual / 4) + 1;
  for (int i = 0; i < 2; i++) {
    for (;;) {
      post_work_wait(data, bytes, plan.least, iterations, alone, iter);
      if (median_of(iter, plan.least) > long_enough[i] * usual) break;
      iterations *= 2;
    }
    post_work_wait(data, bytes, count, iterations, alone, iter);
    print_availability(scenario, lengths[i], bytes, base, alone, iter, count);
  }
  tell(0);
  free(base);
  free(alone);
  free(iter);
}

// The other end, which works nothing.
static void accompany(char *data, size_t bytes) {
  for (;;) {
    int count;
    MPI_Recv(&count, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (count == 0) return;
    for (int i = 0; i < count; i++) {
      sync_ends();
      sync_ends();
      transfer(data, bytes, 0);
    }
  }
}

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  struct bench_plan plan = plan_of(argv);
  double rate = iterations_per_us();
  const char *scenarios[] = {"sender", "receiver"};
  for (int i = 4; i < argc; i++) {
    size_t bytes = case_of(argv[i]).bytes;
    char *data = buffer_of(bytes);
    for (int rank = 0; rank < 2; rank++) {
      if (rank_ == rank) host(scenarios[rank], data, bytes, plan, rate);
      else accompany(data, bytes);
    }
    free(data);
  }
  MPI_Finalize();
  return 0;
}
