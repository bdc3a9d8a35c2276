// Intel's user interrupts by the system calls and instructions themselves. Encodings and the handler's frame: Intel
// SDM, volume 1, chapter 7, "User interrupts"; system calls: Intel's patches for Linux, in two versions.
#include "common.h"

#ifndef __x86_64__
static const char *why_not(void) { return "user interrupts: not on this processor's architecture"; }
static void never(void) {}
static struct mechanism uipi = {.why_not = why_not, .ring = never, .running = never};
#else
#include <cpuid.h>
#include <dlfcn.h>

// First of the six numbers: uintr-next (Linux 6.0), RFC v1 (5.14), and trees that have the RFC's one higher.
static const long bases[] = {471, 449, 450};
enum { REGISTER_HANDLER = 0, CREATE_FD = 2, REGISTER_SENDER = 3, WAIT = 5 };
enum { VECTOR = 0 };

static long base;
static uint64_t entry;  // in this process's table of targets (UITT)

// The handler may use what it saves, and it saves nothing. The vector lies on top of the frame that uiret takes.
void uipi_handler(void) __attribute__((visibility("hidden")));
volatile uint32_t uipi_rung __attribute__((visibility("hidden")));
__asm__(
    ".text\n"
    ".globl uipi_handler\n"
    ".type uipi_handler, @function\n"
    "uipi_handler:\n"
    "  movl $1, uipi_rung(%rip)\n"
    "  addq $8, %rsp\n"
    "  .byte 0xf3, 0x0f, 0x01, 0xec\n"  // uiret
    ".size uipi_handler, . - uipi_handler\n");

static void stui(void) { __asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xef" ::: "memory"); }
static void testui(void) { __asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xed" ::: "cc"); }
static void senduipi(uint64_t i) { __asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf0" ::"a"(i) : "memory"); }

static int call(int which, long a, long b) { return (int)syscall(base + which, a, b, 0, 0, 0, 0); }

static int emulated(void) {
  int (*present)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "uintr_emulator_present");
  return present != NULL && present();
}

static int processor_has_it(void) {
  unsigned a, b, c, d;
  return emulated() || (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 5 & 1));
}

// What the child that tries ends with.
enum { NO_PROCESSOR = 1, NO_CALLS, NOT_REGISTERED, NOT_DELIVERED, WORKS };

// Each step only after the one before: elsewhere the numbers are other calls, and the instructions undefined.
static int try_out(void) {
  if (!processor_has_it()) return NO_PROCESSOR;
  testui();
  int which = 0;
  for (;; which++) {
    if (which == sizeof bases / sizeof *bases) return NO_CALLS;
    base = bases[which];
    // No handler at all: a kernel that has the call refuses the address.
    if (call(REGISTER_HANDLER, 0, 0) < 0 && errno == EFAULT) break;
  }
  if (call(REGISTER_HANDLER, (long)uipi_handler, 0) < 0) return NOT_REGISTERED;
  int fd = call(CREATE_FD, VECTOR, 0);
  int i = fd < 0 ? -1 : call(REGISTER_SENDER, fd, 0);
  if (i < 0) return NOT_REGISTERED;
  stui();
  senduipi(i);
  for (double end = now_us() + 1e6; !uipi_rung;)
    if (now_us() > end) return NOT_DELIVERED;
  return WORKS + which;
}

static struct mechanism uipi;

static const char *why_not(void) {
  pid_t child = must(fork(), "fork");
  if (child == 0) _exit(try_out());
  int status;
  must(waitpid(child, &status, 0), "waitpid");
  if (WIFSIGNALED(status)) return "user interrupts: the kernel has not enabled their instructions (CR4.UINTR)";
  switch (WEXITSTATUS(status)) {
    case NO_PROCESSOR: return "user interrupts: this processor has none (CPUID(7,0).EDX[5])";
    case NO_CALLS: return "user interrupts: this kernel has no system calls for them";
    case NOT_REGISTERED: return "user interrupts: the kernel refuses to register a handler or a sender";
    case NOT_DELIVERED: return "user interrupts: one that was sent was not delivered";
  }
  base = bases[WEXITSTATUS(status) - WORKS];
  uipi.emulated = emulated();
  if (base != bases[0]) {
    uipi.asleep = NULL;
    uipi.how_asleep = "this kernel's uintr_wait has no timeout, and one that comes while it begins wakes nobody";
  }
  return NULL;
}

static int sockets[2];

static void open_sockets(void) { must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), "socketpair"); }

union control {
  struct cmsghdr align;
  char space[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int socket, int fd) {
  union control control = {0};
  struct iovec byte = {"", 1};
  struct msghdr message = {
      .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) fail("sendmsg");
}

static int receive_fd(int socket) {
  union control control;
  char into;
  struct iovec byte = {&into, 1};
  struct msghdr message = {
      .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL) fail("recvmsg");
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

// A handler belongs to a thread and is not inherited, so each end registers its own and gives the other a descriptor.
static void meet(void) {
  must(call(REGISTER_HANDLER, (long)uipi_handler, 0), "uintr_register_handler");
  send_fd(sockets[end_], must(call(CREATE_FD, VECTOR, 0), "uintr_vector_fd"));
  entry = must(call(REGISTER_SENDER, receive_fd(sockets[end_]), 0), "uintr_register_sender");
  stui();
}

static void ring(void) { senduipi(entry); }

static void running(void) {
  while (!uipi_rung) work_a_little();
  uipi_rung = 0;
}

// In slices: an interrupt that comes between the look and the sleep wakes nobody.
static void asleep(void) {
  while (!uipi_rung) call(WAIT, 1000, 0);
  uipi_rung = 0;
}

static struct mechanism uipi = {
    .why_not = why_not,
    .open = open_sockets,
    .meet = meet,
    .ring = ring,
    .running = running,
    .how_running = "computes, handler",
    .asleep = asleep,
    .how_asleep = "uintr_wait in slices of 1 ms, handler",
};
#endif

int main(int argc, char **argv) { return run_mechanism(argc, argv, &uipi); }
