// A pair of stream sockets, a byte per ring.
#include "common.h"

static int fds[2];

static void open_both(void) { must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair"); }

static void ring(void) {
  if (send(fds[end_], "", 1, MSG_NOSIGNAL) != 1) fail("send");
}

static void take(int flags) {
  char byte;
  while (recv(fds[end_], &byte, 1, flags) != 1)
    if (errno != EAGAIN && errno != EINTR) fail("recv");
}

static void running(void) { take(MSG_DONTWAIT); }
static void asleep(void) { take(0); }

int main(int argc, char **argv) {
  return run_mechanism(argc, argv, &(struct mechanism){
    .open = open_both,
    .ring = ring,
    .running = running,
    .how_running = "only looks, by non-blocking recv",
    .asleep = asleep,
    .how_asleep = "recv",
  });
}
