// Interrupt context (restartable.h).
#include "drivers/restartable.h"

namespace uintr {

extern "C" const RseqDescriptor uintr_rseq_descriptor;

namespace {

// Of the area, from the thread pointer; 0: this process has none.
Shared<uint64_t> area_offset;

bool send_back(InterruptFrame* frame, const RseqDescriptor& sequence) {
  if (frame->rip - sequence.start >= sequence.length) return false;
  frame->rip = sequence.abort;
  return true;
}

}  // namespace

void rseq_found(int64_t offset) { area_offset.release(static_cast<uint64_t>(offset)); }

RseqArea* rseq_area_if_found() {
  const auto offset = static_cast<int64_t>(area_offset.acquire());
  if (offset == 0) return nullptr;
  char* thread = nullptr;
  asm("mov %%fs:0, %0" : "=r"(thread));
  return reinterpret_cast<RseqArea*>(thread + offset);
}

void rseq_restart(InterruptFrame* frame) {
  if (send_back(frame, uintr_rseq_descriptor)) return;
  const RseqArea* own = rseq_area_if_found();
  if (own == nullptr || own->descriptor == 0) return;
  send_back(frame, *reinterpret_cast<const RseqDescriptor*>(own->descriptor));
}

}  // namespace uintr
