// Every kind of mischief happens when it is asked for, and none otherwise.
// run:
// run: UINTR_EMULATOR_INJECT=sn=100
// run: UINTR_EMULATOR_INJECT=delay=100
// run: UINTR_EMULATOR_INJECT=preempt=100
// run: UINTR_EMULATOR_INJECT=coalesce=100
// run: UINTR_EMULATOR_INJECT=spurious=200
// run: UINTR_EMULATOR_INJECT=die=5
#include "../stats.h"
#include "uintr.h"

extern "C" const volatile uint64_t* uintr_emulator_stats(void) __attribute__((weak));

static uint64_t counter(emulator::Counter which) { return uintr_emulator_stats()[which]; }
static bool asked_for(const char* name) {
  const char* inject = getenv("UINTR_EMULATOR_INJECT");
  return inject != nullptr && strncmp(inject, name, strlen(name)) == 0;
}

TEST("01 the counters after 3000 sends in turns") {
  CHECK(uintr_emulator_stats != nullptr);
  counts_reset();
  become_receiver();
  const int fd = vector_fd(1);
  if (asked_for("die")) {
    // Between the two steps: the bit is in PIR and nobody has been notified.
    CHECK(killed_by(ends([&] {
      for (const uint64_t index = sender(fd);;) senduipi(index);
    }), SIGKILL));
    CHECK_EQ(uintr(kUnregister), 0);
    return;
  }
  Thread other{[&] {
    const uint64_t index = sender(fd);
    // In turns, so that each is a chance for the receiver's mischief, too.
    for (uint64_t i = 1; i <= 3000; ++i) {
      senduipi(index);
      while (counts->runs != i) sched_yield();
    }
    CHECK_EQ(remove_sender(index, fd), 0);
  }};
  // Until the last has been delivered, and not only sent: in join(), which is a system call, it would wait for the return,
  // and the sender for it.
  while (counts->runs < 3000) asm volatile("pause");
  other.join();
  CHECK_EQ(uintr(kUnregister), 0);
  CHECK_EQ(counter(emulator::k_sends), 3000u);
  CHECK_EQ(counter(emulator::k_notifications) + counter(emulator::k_suppressed) + counter(emulator::k_coalesced), 3000u);
  CHECK_EQ(counter(emulator::k_deliveries), counts->runs.load());
  CHECK_EQ(counter(emulator::k_returns), counts->runs.load());
  CHECK_EQ(counter(emulator::k_injected_sn) > 0, asked_for("sn"));
  CHECK_EQ(counter(emulator::k_injected_delay) > 0, asked_for("delay"));
  CHECK_EQ(counter(emulator::k_injected_preempt) > 0, asked_for("preempt"));
  CHECK_EQ(counter(emulator::k_injected_coalesce) > 0, asked_for("coalesce"));
  CHECK_EQ(counter(emulator::k_injected_spurious) > 0, asked_for("spurious"));
  CHECK_EQ(counter(emulator::k_injected_die), 0u);
}

CHECK_MAIN("inject")
