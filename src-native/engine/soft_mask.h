// Keeps a thread and its own interrupt handler out of each other's way without
// a lock and without masking interrupts in hardware or kernel: the thread
// raises the mask while it is inside the engine; a handler that finds it raised
// leaves a note and returns; the thread does the handler's work as it leaves.
//
// Only one thread and handlers on that same thread touch these words, so the
// compiler is all that has to be kept in order: signal fences, no bus locks.
#pragma once

#include "engine/failpoint.h"
#include "engine/shared.h"

namespace uintr {

class SoftMask {
 public:
  void raise() {
    interruption_point();
    put(&raised_, 1);
    UINTR_FAILPOINT("mask.raised");
    order();
  }

  // Lowers the mask. True: a handler left a note in the meantime; the mask is
  // raised again, and the caller does that handler's work and lowers it anew.
  bool lower_with_note() {
    order();
    put(&raised_, 0);
    UINTR_FAILPOINT("mask.lowered");
    order();
    // A handler that runs from here on does its work itself. One that ran
    // before left its note before, so the note is looked at last.
    interruption_point();
    if (get(&note_) == 0) return false;
    put(&raised_, 1);
    order();
    put(&note_, 0);
    return true;
  }

  // For the handler. False: the thread is inside; the note is left.
  bool try_raise_from_handler() {
    if (get(&raised_) != 0) {
      put(&note_, 1);
      UINTR_FAILPOINT("mask.noted");
      return false;
    }
    put(&raised_, 1);
    order();
    return true;
  }

 private:
  static void put(uint32_t* word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
  static uint32_t get(const uint32_t* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
  static void order() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
  static void interruption_point() {
#if defined(UINTR_SIMULATED)
    sim::interruptible();
#endif
  }

  uint32_t raised_;
  uint32_t note_;
};

}  // namespace uintr
