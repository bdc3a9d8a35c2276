// A stack of its own and a switch between stacks: what one simulated rank runs
// on. Eight instructions instead of ucontext, whose every switch is a system
// call (it saves the signal mask), because an exploration switches some
// hundred million times.
#pragma once

#include <cstddef>

namespace simulator {

class Fiber {
 public:
  // Without start(): the fiber of the caller itself, once it is switched from.
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next switch here begins `entry(argument)`, which must never return.
  // May be called again at any time: what the fiber was doing is forgotten, so
  // code that runs on a fiber keeps nothing on its stack that needs a destructor.
  void start(void (*entry)(void*), void* argument);

  // Stops here, goes on there.
  void switch_to(Fiber* other);

 private:
  static constexpr size_t kStackBytes = 256 << 10;
  void* stack_pointer_ = nullptr;
  unsigned char* stack_ = nullptr;
};

}  // namespace simulator
