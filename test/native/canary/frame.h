// Delivers the signal driver's interrupts as a processor with user interrupts delivers its own: on the interrupted
// stack, below the red zone, with nothing saved but what the handler saves itself. A signal's handler runs on another
// stack, leaves the frame behind, and returns into the entry (entry.S). So whatever the engine does to a register that
// the entry does not save, the interrupted program sees; behind a signal frame the kernel would put it right.
#pragma once

#include <cstdint>

namespace canary {

// What the entry finds on the stack; the end of it is as iretq wants it, which here stands for uiret.
struct Frame {
  void (*leave)();
  uint64_t rip, cs, rflags, rsp, ss;
};

// Takes the signal over from the driver, for the process, whose ranks all have to be there; or gives it back.
void frame_install(int signal_number);
void frame_uninstall(int signal_number);
// Gives the calling thread a stack for signals, or takes it away.
void frame_enter();
void frame_leave();

// What this thread's handler does as its last act if it interrupted the window: one of `planted`, or null.
struct Planted {
  const char* name;  // of what differs then
  uint32_t component;
  void (*leave)();
};
void plant(const Planted* fault);
// How often the window was interrupted.
uint64_t window_hits();

extern "C" {
extern const Planted canary_planted[], canary_planted_end[];
void canary_entry();
void canary_leave();
void canary_on_frame(Frame* frame);
}

// Interrupt context (frame_handler.cc): is the thread open for a delivery? If not, it is made up for.
bool frame_begin();

}  // namespace canary
