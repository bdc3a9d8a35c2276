// The buffers of a window: "one", as OSU has it, or "distinct" ones, bounded as ours are (bench/ranks/buffers.ts).
#ifndef UINTR_BENCH_BUFFERS_H
#define UINTR_BENCH_BUFFERS_H

#include "common.h"

struct buffers {
  int count;
  char **data;
};

static int distinct_;

static inline void free_buffers(struct buffers *buffers) {
  for (int i = 0; i < buffers->count; i++) free(buffers->data[i]);
  free(buffers->data);
}

static inline struct buffers buffers_for(const struct bench_case *one) {
  const size_t distinct_bytes = (size_t)512 << 20;
  size_t fit = distinct_bytes / one->bytes;
  int count = !distinct_ ? 1 : fit < 1 ? 1 : fit < (size_t)one->window ? (int)fit : one->window;
  struct buffers buffers = {count, must(malloc(count * sizeof(char *)))};
  for (int i = 0; i < count; i++) buffers.data[i] = buffer_of(one->bytes);
  return buffers;
}

static inline char *buffer_at(const struct buffers *buffers, int i) { return buffers->data[i % buffers->count]; }

static inline double messages_in_window(const struct bench_case *one) { return one->window; }

// A program's main(): its first argument says from what buffers, the others are as in common.h.
static inline int measure_windows(int argc, char **argv, void (*prepare)(const struct bench_case *),
                                  void (*sample)(const struct bench_case *)) {
  start_two_ranks(&argc, &argv);
  distinct_ = strcmp(argv[1], "distinct") == 0;
  run_cases(argc - 1, argv + 1, &(struct bench_measure){prepare, sample, messages_in_window});
  MPI_Finalize();
  return 0;
}

#endif
