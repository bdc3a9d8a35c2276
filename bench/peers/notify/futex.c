// A word in shared memory per direction, and a futex on it. It is woken whether or not anybody sleeps: who rings does
// not know.
#include "common.h"
#include <linux/futex.h>

static uint32_t seen;

static void ring(void) {
  _Atomic uint32_t *word = word_of(1 - end_);
  atomic_fetch_add(word, 1);
  must((int)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0), "futex");
}

static void running(void) {
  while (atomic_load_explicit(word_of(end_), memory_order_acquire) == seen) work_a_little();
  seen++;
}

static void asleep(void) {
  while (atomic_load_explicit(word_of(end_), memory_order_acquire) == seen)
    syscall(SYS_futex, word_of(end_), FUTEX_WAIT, seen, NULL, NULL, 0);
  seen++;
}

int main(int argc, char **argv) {
  return run_mechanism(argc, argv, &(struct mechanism){
    .ring = ring,
    .running = running,
    .how_running = "computes and looks at the word",
    .asleep = asleep,
    .how_asleep = "FUTEX_WAIT",
  });
}
