// An eventfd per direction.
#include "common.h"
#include <sys/eventfd.h>

static int fds[2];

static void open_both(void) {
  for (int end = 0; end < 2; end++) fds[end] = must(eventfd(0, EFD_CLOEXEC), "eventfd");
}

static void ring(void) {
  const uint64_t one = 1;
  if (write(fds[1 - end_], &one, sizeof one) != sizeof one) fail("write");
}

static void take(int blocks) {
  uint64_t count;
  let_block(fds[end_], blocks);
  while (read(fds[end_], &count, sizeof count) != sizeof count)
    if (errno != EAGAIN && errno != EINTR) fail("read");
}

static void running(void) { take(0); }
static void asleep(void) { take(1); }

int main(int argc, char **argv) {
  return run_mechanism(argc, argv, &(struct mechanism){
    .open = open_both,
    .ring = ring,
    .running = running,
    .how_running = "only looks, by non-blocking read",
    .asleep = asleep,
    .how_asleep = "read",
  });
}
