// Interrupt context, compiled as the product's.
#include "drivers/dispatch.h"
#include "frame.h"
#include "image.h"

namespace canary {
namespace {

// What UIF and the processor's pending interrupt are there.
thread_local volatile bool closed = false, pending = false;
thread_local const Planted* volatile planted = nullptr;
thread_local volatile uint64_t hits = 0;

}  // namespace

void plant(const Planted* fault) { planted = fault; }
uint64_t window_hits() { return hits; }

bool frame_begin() {
  if (closed) {
    pending = true;
    return false;
  }
  closed = true;
  return true;
}

extern "C" void canary_on_frame(Frame* frame) {
  do {
    closed = true;
    pending = false;
    uintr::dispatch_all();
    closed = false;
    // One that came before this was open has been noted; one that comes now nests.
  } while (pending);
  frame->leave = canary_leave;
  if (frame->rip < reinterpret_cast<uint64_t>(canary_window_begin)) return;
  if (frame->rip >= reinterpret_cast<uint64_t>(canary_window_end)) return;
  hits = hits + 1;
  const Planted* fault = planted;
  if (fault != nullptr) frame->leave = fault->leave;
}

}  // namespace canary
