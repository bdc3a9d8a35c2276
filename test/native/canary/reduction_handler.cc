// Interrupt context, compiled as the product's.
#include "reduction.h"

#include "engine/arch.h"
#include "frame.h"
#include "image.h"
#include "reduction/reduction.h"

namespace canary {

Reduced reduced[kReducedKinds];
unsigned char reduce_left[kReducedBytes], reduce_right[kReducedBytes];

namespace {

volatile bool closed = false;
volatile uint64_t hits = 0, wrong = 0;
uint32_t kind = 0;
unsigned char inout[kReducedBytes];

void reduce_next() {
  do kind = (kind + 1) % kReducedKinds;
  while (reduced[kind].elements == 0);
  uintr::arch::copy(inout, reduce_left, kReducedBytes);
  uintr_reduce(kind, inout, reduce_right, reduced[kind].elements);
  for (uint64_t i = 0; i < kReducedBytes; ++i) {
    if (inout[i] != reduced[kind].expected[i]) {
      wrong = wrong + 1;
      return;
    }
  }
}

}  // namespace

uint64_t window_reductions() { return hits; }
uint64_t wrong_reductions() { return wrong; }

bool frame_begin() {
  if (closed) return false;
  closed = true;
  return true;
}

extern "C" void canary_on_frame(Frame* frame) {
  reduce_next();
  frame->leave = canary_leave;
  if (frame->rip >= reinterpret_cast<uint64_t>(canary_window_begin) &&
      frame->rip < reinterpret_cast<uint64_t>(canary_window_end)) {
    hits = hits + 1;
  }
  closed = false;
}

}  // namespace canary
