// Sandia's post-work-wait, as in bench/ranks/availability.ts.
#include "work.h"

static const double long_enough[] = {1.5, 4}; // transfers; the first is Sandia's
static const char *lengths[] = {"", "-long"};

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

// One process prints: of two, launchers mix the lines.
static void report(const char *scenario, int length, size_t bytes, double *times[3], int count) {
  if (rank_ == 0) return print_availability(scenario, lengths[length], bytes, times[0], times[1], times[2], count);
  tell(-count);
  for (int i = 0; i < 3; i++) gather_times(times[i], NULL, count);
}

static void report_theirs(const char *scenario, int length, size_t bytes, int count) {
  double *times[3];
  for (int i = 0; i < 3; i++) {
    times[i] = must(malloc(count * sizeof *times[i]));
    gather_times(NULL, times[i], count);
  }
  report(scenario, length, bytes, times, count);
  for (int i = 0; i < 3; i++) free(times[i]);
}

static void host(const char *scenario, char *data, size_t bytes, struct bench_plan plan, double rate) {
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
    report(scenario, i, bytes, (double *[]){base, alone, iter}, count);
  }
  tell(0);
  free(base);
  free(alone);
  free(iter);
}

// The other end, which works nothing.
static void accompany(const char *scenario, char *data, size_t bytes) {
  for (int length = 0;;) {
    int count;
    MPI_Recv(&count, 1, MPI_INT, peer_, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (count == 0) return;
    if (count < 0) report_theirs(scenario, length++, bytes, -count);
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
      else accompany(scenarios[rank], data, bytes);
    }
    free(data);
  }
  MPI_Finalize();
  return 0;
}
