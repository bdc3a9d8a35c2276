// Interrupt context (see doorbell.h): general-purpose registers, no libc, no lock, no allocation.
#include "drivers/doorbell.h"

namespace uintr {
namespace {
constexpr long kSysWrite = 1;  // asm/unistd_64.h
}

// A user interrupt may come in the middle of a signal's handler, or of the thread's own look: hence read-modify-writes.
void doorbell_run(void* self, uint64_t vectors) {
  auto* v = static_cast<DoorbellVector*>(self);
  const uint64_t bit = uint64_t{1} << (v->entry.vector & 63);
  // Spurious, or a bit that a faulty sender has set: not this vector's.
  if ((vectors & bit) == 0) return;
  v->count.add_sc(1);
  DoorbellState* state = v->state;
  // SYNC POINT: doorbell. The handler sets its bit in `pending`, then takes `armed`; the thread sets `armed`, then looks
  // at `pending`. So the thread sees the bit before it sleeps, or the handler sees that it has to be woken.
  state->pending.or_sc(bit);
  if (state->armed.exchange_sc(0) == 0) return;
  const uint64_t one = 1;
  // Non-blocking. EAGAIN means that the counter is far from zero, and so the sleeper awake.
  arch::syscall(kSysWrite, state->event_fd, reinterpret_cast<long>(&one), sizeof one);
}

bool doorbell_arm(DoorbellState* state) {
  // SYNC POINT: doorbell, the other side.
  state->armed.exchange_sc(1);
  if (state->pending.load_sc() == 0) return true;
  doorbell_disarm(state);
  return false;
}

bool doorbell_disarm(DoorbellState* state) { return state->armed.exchange_sc(0) == 0; }

}  // namespace uintr
