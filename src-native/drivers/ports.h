// Interrupt context: how this rank reaches another. Implemented in ports_handler.cc, in the freestanding archive.
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "engine/layout.h"

namespace uintr {

// Everything that interrupt() and wake() need to know about one peer; it changes only while the engine does not use it.
struct Target {
  Doorbell* doorbell;     // the peer's, in the world segment
  int32_t pid, tid;       // 0: not to be signalled
  int32_t signal_number;  // 0: the peer takes no signals
  uint32_t vector;        // 0 … 63, of the peer
  int32_t event_fd;       // -1: none
  int32_t uitt_index;     // for senduipi; -1: by signal
};

// Ports::self of an engine.
struct DriverPort {
  Target* targets;  // by rank
  uint32_t size;
  void* commit_self;
  bool (*commit)(void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes);
};

// For Ports. `self` is a DriverPort.
void port_interrupt(void* self, uint32_t peer, bool force);
void port_no_interrupt(void* self, uint32_t peer, bool force);  // driver 'poll'
void port_wake(void* self, uint32_t peer);
bool port_commit(void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes);

}  // namespace uintr
