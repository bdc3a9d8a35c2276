// The memory in which an engine records its timeline (engine/trace.h).
#pragma once

#include <cstdint>

#include "engine/trace.h"

namespace uintr {

class Timeline {
 public:
  Timeline() = default;
  Timeline(const Timeline&) = delete;
  ~Timeline() { close(); }

  // `capacity`: events, a power of two. False: no memory.
  bool open(uint32_t capacity);
  // No engine records there any more.
  void close();

  Trace* trace() const { return trace_; }
  uint32_t capacity() const { return capacity_; }


 private:
  Trace* trace_ = nullptr;
  uint32_t capacity_ = 0;
};

}  // namespace uintr
