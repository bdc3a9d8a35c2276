// What the processor does on delivery and on uiret, and that the interrupted code cannot tell.
// sources: mix.S
#include "uintr.h"

// A handler in assembly: it sees RSP as the processor left it.
extern "C" {
void look_handler();
uint64_t seen_rsp, seen_frame[4], seen_uif, sent_rsp, sent_rip;
uint64_t self_index;
}
asm(R"(
  .text
look_handler:
  mov %rsp, seen_rsp(%rip)
  push %rax
  pushfq
  mov 16(%rsp), %rax
  mov %rax, seen_frame(%rip)
  mov 24(%rsp), %rax
  mov %rax, 8+seen_frame(%rip)
  mov 32(%rsp), %rax
  mov %rax, 16+seen_frame(%rip)
  mov 40(%rsp), %rax
  mov %rax, 24+seen_frame(%rip)
  testui
  setc seen_uif(%rip)
  popfq
  pop %rax
  add $8, %rsp
  uiret
)");

// Sends to itself with RSP moved down by `shift` bytes; the frame is below the red zone of that.
__attribute__((noinline)) static void send_from(uint64_t shift) {
  asm volatile(R"(
    mov %%rsp, %%rbx
    sub %0, %%rsp
    mov %%rsp, sent_rsp(%%rip)
    lea 1f(%%rip), %%rax
    mov %%rax, sent_rip(%%rip)
    mov self_index(%%rip), %%r13
    senduipi %%r13
1:  nop
    mov %%rbx, %%rsp
  )" : : "r"(shift) : "rax", "rbx", "r13", "memory", "cc");
}

TEST("01 the frame: (RSP - 128) & ~15, then RSP, RFLAGS, RIP, vector; UIF is 0 in the handler and 1 after uiret") {
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(look_handler)), 0);
  const int fd = vector_fd(37);
  self_index = sender(fd);
  stui();
  for (uint64_t shift = 0; shift < 64; ++shift) {
    seen_rsp = 0;
    seen_uif = 7;
    send_from(256 + shift);
    CHECK_EQ(seen_rsp, ((sent_rsp - 128) & ~uint64_t{15}) - 32);
    CHECK_EQ(seen_frame[0], 37u);
    CHECK_EQ(seen_frame[1], sent_rip);
    CHECK_EQ(seen_frame[2] & 0x202, 0x202u);
    CHECK_EQ(seen_frame[3], sent_rsp);
    CHECK_EQ(seen_uif, 0u);
    CHECK(testui());
  }
  CHECK_EQ(remove_sender(self_index, fd), 0);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("02 testui clears the other arithmetic flags and changes nothing else") {
  uint64_t flags;
  asm volatile("pushfq; orq $0x8d5, (%%rsp); popfq; testui; pushfq; pop %0" : "=r"(flags) : : "cc", "memory");
  CHECK_EQ(flags & 0x8d5, 0u);
  stui();
  asm volatile("pushfq; orq $0xcd4, (%%rsp); popfq; testui; pushfq; pop %0; cld" : "=r"(flags) : : "cc", "memory");
  CHECK_EQ(flags & 0xcd5, 0x401u);
  clui();
}

TEST("03 the highest vector first, one at a time, and what came while UIF was 0 is delivered by stui") {
  static uint64_t order[64], n;
  struct Handler {
    HANDLER static void run(__uintr_frame*, unsigned long long vector) { order[n++] = vector; }
  };
  n = 0;
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(Handler::run)), 0);
  CHECK(!testui());
  int fds[64];
  uint64_t indices[64];
  for (int v = 0; v < 64; ++v) indices[v] = sender(fds[v] = vector_fd(v));
  for (int v = 0; v < 64; ++v) senduipi(indices[(v * 37) % 64]);
  senduipi(indices[5]);
  CHECK_EQ(n, 0u);
  stui();
  CHECK_EQ(n, 64u);
  for (int v = 0; v < 64; ++v) CHECK_EQ(order[v], static_cast<uint64_t>(63 - v));
  clui();
  senduipi(indices[9]);
  CHECK_EQ(n, 64u);
  stui();
  CHECK_EQ(n, 65u);
  for (int v = 0; v < 64; ++v) {
    CHECK_EQ(remove_sender(indices[v], fds[v]), 0);
    close(fds[v]);
  }
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("04 senduipi takes its index from any register") {
  become_receiver();
  counts_reset();
  const int fd = vector_fd(3);
  const uint64_t index = sender(fd);
#define SEND_FROM(r) asm volatile("mov %0, %%" #r "; senduipi %%" #r : : "a"(index) : #r, "memory")
  SEND_FROM(rbx);
  SEND_FROM(rcx);
  SEND_FROM(rdx);
  SEND_FROM(rsi);
  SEND_FROM(rdi);
  SEND_FROM(r8);
  SEND_FROM(r9);
  SEND_FROM(r10);
  SEND_FROM(r11);
  SEND_FROM(r12);
  SEND_FROM(r13);
  SEND_FROM(r14);
  SEND_FROM(r15);
  asm volatile("senduipi %%rax" : : "a"(index) : "memory");
  asm volatile("push %%rbp; mov %0, %%rbp; senduipi %%rbp; pop %%rbp" : : "a"(index) : "memory");
  CHECK_EQ(counts->vectors[3].load(), 15u);
  CHECK_EQ(remove_sender(index, fd), 0);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

// What mix_sse and mix_avx512 (mix.S) keep live; equal inputs give equal outputs, unless an interrupt leaves a trace.
struct alignas(64) State {
  uint64_t general[15], red_zone[16], none, vectors[32][8], masks[8];
};
static_assert(offsetof(State, vectors) == 256 && offsetof(State, masks) == 2304);
extern "C" void mix_avx512(State* state, uint64_t rounds);
extern "C" void mix_sse(State* state, uint64_t rounds);

static State filled() {
  State s;
  auto* words = reinterpret_cast<uint64_t*>(&s);
  for (size_t i = 0; i < sizeof s / 8; ++i) words[i] = (i + 1) * 0x9e3779b97f4a7c15;
  return s;
}

static void mix_under_fire(void (*mix)(State*, uint64_t), uint64_t deliveries) {
  constexpr uint64_t kRounds = 20'000;
  State expected = filled();
  mix(&expected, kRounds);
  counts_reset();
  become_receiver();
  const int fd = vector_fd(11);
  std::atomic<bool> stop{false};
  Thread storm{[&] {
    const uint64_t index = sender(fd);
    while (!stop) senduipi(index);
    CHECK_EQ(remove_sender(index, fd), 0);
  }};
  while (counts->runs < deliveries) {
    State s = filled();
    mix(&s, kRounds);
    CHECK(memcmp(&s, &expected, sizeof s) == 0);
  }
  stop = true;
  storm.join();
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("05 no register, flag, vector register or word of the red zone changes in 100,000 interrupts (SSE)") {
  mix_under_fire(mix_sse, 100'000);
}

TEST("06 nor do the registers of AVX-512, where there are any") {
  if (__builtin_cpu_supports("avx512bw")) mix_under_fire(mix_avx512, 20'000);
}

CHECK_MAIN("frame")
