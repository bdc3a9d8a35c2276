// Restartable sequences (rseq(2), Linux 4.18), and what user interrupts do to them.
//
// A sequence computes with the number of the processor that the thread runs on, and ends with the one instruction that
// stores. Where the kernel moves the thread, or takes the processor from it, or runs a signal handler on it, before that
// instruction, it has the sequence start again. So the store happens on the processor that was meant, without a lock.
//
// A user interrupt is not one of these events: the kernel does not see it. A handler comes in the middle of a sequence and
// goes back into it; and if the kernel moves the thread meanwhile, it finds it in the handler, outside of any sequence,
// and concludes that none is under way. Hence:
//   - handlers use no sequences: a thread has one place to say which is under way, and theirs would overwrite that of the
//     interrupted code. What handlers count has a word per rank (Counters in engine/engine.h), which only the thread of
//     that rank and its handlers write;
//   - a handler that was entered by a user interrupt does for the interrupted sequence what the kernel does when it runs
//     a signal handler: it sends it back to its beginning (rseq_restart).
#pragma once

#include <cstdint>

#include "engine/shared.h"

namespace uintr {

// struct rseq of linux/rseq.h, of which there is one per thread.
struct RseqArea {
  uint32_t cpu_id_start;
  Shared<uint32_t> cpu_id;  // where the thread runs, as of now; kRseqNotRegistered or more: the kernel does not tell
  uint64_t descriptor;      // of the sequence that is under way: an RseqDescriptor's address
};
constexpr uint32_t kRseqNotRegistered = uint32_t{1} << 31;

// struct rseq_cs of linux/rseq.h.
struct RseqDescriptor {
  uint32_t version, flags;
  uint64_t start, length;  // `length`: up to the end of the instruction that stores
  uint64_t abort;          // where it goes on if it did not get that far
};

// The calling thread's, where the C library has registered it; else null. glibc does so from 2.35 on, which is found out by
// name, so that older ones need not have these names. Not for handlers, and not before one.
RseqArea* rseq_area();
// Finds out, before a handler could want to know.
void rseq_find();

// What the hardware pushes on delivery (SDM vol. 3, "User-Interrupt Delivery").
struct InterruptFrame {
  uint64_t vector, rip, rflags, rsp;
};

// In a handler that a user interrupt has entered: if that was in the middle of a sequence, it will be begun again. For
// this package's own, by the address of the interrupted instruction, which nothing can take away; for those of others
// only if the kernel has not run since.
void rseq_restart(InterruptFrame* frame);

// ---- what handlers may use, too

// Of the area, from the thread pointer; 0: this process has none, or nobody has asked yet.
extern Shared<uint64_t> rseq_area_offset;

// The calling thread's, registered or not. Null where rseq_find() was not called.
inline RseqArea* rseq_area_if_found() {
  const auto offset = static_cast<int64_t>(rseq_area_offset.relaxed());
  if (offset == 0) return nullptr;
  char* thread = nullptr;
  asm("mov %%fs:0, %0" : "=r"(thread));
  return reinterpret_cast<RseqArea*>(thread + offset);
}

constexpr int kRseqDone = 0, kRseqAborted = 1, kRseqNoSlot = 2;
// The sequence of this package: adds `n` to the first word of the slot, of 64 bytes, of the current processor.
// kRseqNoSlot: its number is not below `slots`.
extern "C" int uintr_rseq_add(RseqArea* area, void* base, uint32_t slots, uint64_t n);

}  // namespace uintr
