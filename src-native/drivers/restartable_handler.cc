// Interrupt context (restartable.h).
#include "drivers/restartable.h"

namespace uintr {

extern "C" const RseqDescriptor uintr_rseq_descriptor;

Shared<uint64_t> rseq_area_offset;

namespace {

bool send_back(InterruptFrame* frame, const RseqDescriptor& sequence) {
  if (frame->rip - sequence.start >= sequence.length) return false;
  frame->rip = sequence.abort;
  return true;
}

}  // namespace

void rseq_restart(InterruptFrame* frame) {
  if (send_back(frame, uintr_rseq_descriptor)) return;
  const RseqArea* own = rseq_area_if_found();
  if (own == nullptr || own->descriptor == 0) return;
  send_back(frame, *reinterpret_cast<const RseqDescriptor*>(own->descriptor));
}

}  // namespace uintr
