// Interrupt context: what a user interrupt, or the signal in its place, does at a doorbell of the program's own
// (lib/doorbell.ts): it counts, and tells the thread where that sleeps. Implemented in doorbell_handler.cc, in the
// freestanding archive.
#pragma once

#include <cstdint>

#include "drivers/dispatch.h"
#include "engine/shared.h"

namespace uintr {

// Of one receiver; its thread and the handler share it.
struct DoorbellState {
  Shared<uint64_t> pending;  // vectors that came and that the thread has not taken
  Shared<uint32_t> armed;    // 1: the thread sleeps, or is about to; whoever clears it writes event_fd
  int32_t event_fd;
};

// One vector of a receiver.
struct DoorbellVector {
  DispatchEntry entry;
  DoorbellState* state;
  Shared<uint64_t> count;  // handler runs for it
};

// DispatchEntry::run.
void doorbell_run(void* vector, uint64_t vectors);

// The thread is about to sleep on event_fd. False, and not armed: something came first.
bool doorbell_arm(DoorbellState* state);
// True: event_fd may have been written since.
bool doorbell_disarm(DoorbellState* state);

}  // namespace uintr
