// A pipe per direction, a byte per ring.
#include "common.h"

static int fds[2][2];

static void open_both(void) {
  for (int end = 0; end < 2; end++) must(pipe2(fds[end], O_CLOEXEC), "pipe2");
}

static void ring(void) {
  if (write(fds[1 - end_][1], "", 1) != 1) fail("write");
}

static void take(int blocks) {
  char byte;
  let_block(fds[end_][0], blocks);
  while (read(fds[end_][0], &byte, 1) != 1)
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
