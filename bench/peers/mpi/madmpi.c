// MadMPI's overlap, bounded by the clock, as in bench/ranks/madmpi.ts.
#include "work.h"

enum scenario { SENDER, RECEIVER, BOTH };
static const char *names[] = {"sender", "receiver", "both"};

struct order {
  int count;
  size_t bytes;
  double micros;
};

static void compute_until(double end) {
  while (now_us() < end) work(64);
}

static void move(enum scenario scenario, char *out, char *into, size_t bytes, double micros) {
  MPI_Request requests[2];
  int count = 0;
  if (scenario == BOTH || rank_ == 1)
    MPI_Irecv(into, (int)bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[count++]);
  if (scenario == BOTH || rank_ == 0)
    MPI_Isend(out, (int)bytes, MPI_CHAR, peer_, TAG_DATA, MPI_COMM_WORLD, &requests[count++]);
  if (micros > 0) compute_until(now_us() + micros);
  MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
}

static double one_turn(enum scenario scenario, char *out, char *into, size_t bytes, double micros) {
  char nothing;
  double start = now_us();
  int computes = scenario == BOTH || scenario == (rank_ == 0 ? SENDER : RECEIVER);
  move(scenario, out, into, bytes, computes ? micros : 0);
  if (rank_ == 0) MPI_Recv(&nothing, 0, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else MPI_Send(&nothing, 0, MPI_CHAR, peer_, TAG_REPLY, MPI_COMM_WORLD);
  return now_us() - start;
}

// The turns of an order, of which the first fifth is for warming up; how many are left.
static int take_turns(enum scenario scenario, struct order order, double *times) {
  if (rank_ == 0) MPI_Send(&order, sizeof order, MPI_CHAR, peer_, TAG_ORDER, MPI_COMM_WORLD);
  char *out = buffer_of(order.bytes ? order.bytes : 1);
  char *into = buffer_of(order.bytes ? order.bytes : 1);
  int warm = order.count / 5;
  for (int i = 0; i < order.count; i++) {
    double micros = one_turn(scenario, out, into, order.bytes, order.micros);
    if (times && i >= warm) times[i - warm] = micros;
  }
  free(out);
  free(into);
  return order.count - warm;
}

static void lead_scenario(enum scenario scenario, size_t bytes, struct bench_plan plan) {
  double *times = must(malloc((plan.most > 100 ? plan.most : 100) * sizeof *times));
  int got = take_turns(scenario, (struct order){100, 0, 0}, times);
  double lat0 = median_of(times, got) / 2;
  got = take_turns(scenario, (struct order){5, bytes, 0}, times);
  int count = samples_in(plan.budget / 3, median_of(times, got), plan.least, plan.most);
  got = take_turns(scenario, (struct order){count, bytes, 0}, times);
  double latref = median_of(times, got) - lat0;
  if (latref < 0.001) latref = 0.001;
  got = take_turns(scenario, (struct order){count, bytes, latref}, times);
  struct order end = {0, 0, 0};
  MPI_Send(&end, sizeof end, MPI_CHAR, peer_, TAG_ORDER, MPI_COMM_WORLD);
  printf("{\"bench\":\"madmpi\",\"scenario\":\"%s\",\"bytes\":%zu", names[scenario], bytes);
  printf(",\"lat0\":%.3f,\"latref\":%.3f,\"compute\":%.3f,\"rtt\":", lat0, latref, latref);
  print_array(times, got, 1);
  printf("}\n");
  fflush(stdout);
  free(times);
}

static void follow_scenario(enum scenario scenario) {
  for (;;) {
    struct order order;
    MPI_Recv(&order, sizeof order, MPI_CHAR, peer_, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (order.count == 0) return;
    take_turns(scenario, order, NULL);
  }
}

int main(int argc, char **argv) {
  start_two_ranks(&argc, &argv);
  struct bench_plan plan = plan_of(argv);
  for (int i = 4; i < argc; i++) {
    for (enum scenario scenario = SENDER; scenario <= BOTH; scenario++) {
      if (rank_ == 0) lead_scenario(scenario, case_of(argv[i]).bytes, plan);
      else follow_scenario(scenario);
    }
  }
  MPI_Finalize();
  return 0;
}
