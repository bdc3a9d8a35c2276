// A bare signal to a thread: the least that a notification by signals can cost. SIGURG and its flags as this package's
// driver has them.
#include "common.h"

static volatile sig_atomic_t rung;
static sigset_t none;

static void handler(int number) {
  (void)number;
  rung = 1;
}

static void install(void) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  must(sigaction(SIGURG, &action, NULL), "sigaction");
  must(sigprocmask(SIG_SETMASK, NULL, &none), "sigprocmask");
  sigdelset(&none, SIGURG);
}

static void ring(void) { must((int)syscall(SYS_tgkill, other_pid(), other_pid(), SIGURG), "tgkill"); }

static void running(void) {
  while (!rung) work_a_little();
  rung = 0;
}

static void asleep(void) {
  static int blocked;
  if (!blocked) {
    // From here on it comes within sigsuspend only, so none is missed between the look and the sleep.
    sigset_t bell;
    sigemptyset(&bell);
    sigaddset(&bell, SIGURG);
    must(sigprocmask(SIG_BLOCK, &bell, NULL), "sigprocmask");
    blocked = 1;
  }
  while (!rung) sigsuspend(&none);
  rung = 0;
}

int main(int argc, char **argv) {
  return run_mechanism(argc, argv, &(struct mechanism){
    .open = install,
    .ring = ring,
    .running = running,
    .how_running = "computes, handler",
    .asleep = asleep,
    .how_asleep = "sigsuspend, handler",
  });
}
