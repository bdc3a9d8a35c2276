// A word in shared memory per direction, and an end that does nothing but look at it: nothing is faster, and nothing
// else gets done.
#include "common.h"

static uint32_t seen;

static void ring(void) { atomic_store_explicit(word_of(1 - end_), *word_of(1 - end_) + 1, memory_order_release); }

static void running(void) {
  while (atomic_load_explicit(word_of(end_), memory_order_acquire) == seen) {
  }
  seen++;
}

int main(int argc, char **argv) {
  return run_mechanism(argc, argv, &(struct mechanism){
    .ring = ring,
    .running = running,
    .how_running = "only looks at the word",
    .how_asleep = "whoever spins does not sleep",
  });
}
