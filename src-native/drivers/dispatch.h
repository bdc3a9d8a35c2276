// Interrupt context: what a driver's handler runs on its thread. Implemented in dispatch_handler.cc, in the
// freestanding archive. One list per JavaScript thread, for all its worlds (hardware allows one handler per thread);
// only that thread changes it, and its handler only reads it, so single pointer stores keep it whole at any
// instruction.
#pragma once

#include <cstdint>

#include "engine/layout.h"

namespace uintr {

struct InterruptFrame;  // restartable.h

struct DispatchEntry {
  Upid* upid;                                 // of this rank; null: nothing to acknowledge
  uint32_t vector;                            // 0 … 63, of the thread's; by which the hardware calls
  void (*run)(void* self, uint64_t vectors);  // vectors: the PIR bits taken; 0 for a spurious run
  void* self;
  DispatchEntry* next;
};

// Touches the thread's list, so that no handler is the first to (a first touch of TLS could allocate in other models).
void dispatch_touch();
void dispatch_add(DispatchEntry* entry);
void dispatch_remove(DispatchEntry* entry);
// True: this thread has an entry.
bool dispatch_active();
// After fork: the list is a copy, and what it names is the parent's.
void dispatch_forget();

// Acknowledges and runs this one, as its handler would; a signal's handler may do the same in the middle of it.
void dispatch_entry(DispatchEntry* entry);

// Acknowledges and runs every entry of the calling thread. A thread without entries does nothing, so a stray signal is
// harmless. Touches no errno.
void dispatch_all();

// DispatchEntry::run for an engine.
void dispatch_engine(void* engine, uint64_t vectors);

// The signal driver's handler, with the signature of sa_sigaction.
extern "C" void uintr_signal_handler(int signal_number, void* info, void* context);

// A user interrupt's way from uintr_entry: runs the calling thread's entry of the frame's vector.
extern "C" void uintr_dispatch(InterruptFrame* frame);

}  // namespace uintr
