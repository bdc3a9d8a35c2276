// A counter with a slot per processor (Documentation/core-api/this_cpu_ops.rst): who counts adds to the slot of the
// processor that it runs on, in a line that no other processor writes, by one instruction without a lock prefix.
//
// The kernel can do that because it disables preemption. A thread cannot; it has restartable sequences instead
// (drivers/restartable.h): where it is moved, or a signal handler runs, between finding the slot and the addition, it
// starts again. Where the C library has not registered it for them (glibc before 2.35), it adds by a locked instruction,
// which is right on any processor, and to a word of its own in the slot, because a plain addition may overwrite one that
// comes from another processor.
#pragma once

#include <cstdint>

#include "drivers/restartable.h"
#include "engine/shared.h"
#include "sync/layout.h"

namespace uintr::sync {

struct alignas(kLine) PerCpuSlot {
  Shared<uint64_t> here;      // added to by threads on this processor, in restartable sequences
  Shared<uint64_t> anywhere;  // added to by locked instructions
};
static_assert(sizeof(PerCpuSlot) == kLine);

// Processors that this machine may ever have: one more than the largest number.
uint32_t possible_cpus();
// Where the calling thread runs, as of now.
uint32_t current_cpu();
// The calling thread adds by plain instructions.
bool has_restartable_sequences();

class PerCpuCounter {
 public:
  // There is one slot at least, whatever a region that was damaged meanwhile says.
  PerCpuCounter(PerCpuSlot* slots, uint32_t cpus) : slots_(slots), cpus_(cpus == 0 ? 1 : cpus) { rseq_find(); }

  void add(uint64_t n) {
    // Again for as long as it is interrupted; each time it is a handful of instructions. Of a thread that is not
    // registered the area has no processor's number, and there is no slot.
    if (RseqArea* area = rseq_area_if_found()) {
      for (;;) {
        const int ended = uintr_rseq_add(area, slots_, cpus_, n);
        if (ended == kRseqDone) return;
        if (ended == kRseqNoSlot) break;
      }
    }
    add_anywhere(n);
  }
  // Of all slots (compare percpu_counter_sum). Exact as soon as nobody adds; before that, what it was at some moments
  // while it was taken. It wraps.
  uint64_t sum() const;

 private:
  void add_anywhere(uint64_t n);

  PerCpuSlot* slots_;
  uint32_t cpus_;
};

}  // namespace uintr::sync
