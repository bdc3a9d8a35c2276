#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" void simulator_switch(void** save, void* load);
extern "C" void simulator_enter();

// The callee-saved registers are all that a function call does not expect to
// lose; the rest of the state is the stack itself.
asm(R"(
  .text
  .globl simulator_switch
  .type simulator_switch, @function
simulator_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
  .size simulator_switch, .-simulator_switch

  .globl simulator_enter
  .type simulator_enter, @function
simulator_enter:
  mov %r13, %rdi
  call *%r12
  ud2
  .size simulator_enter, .-simulator_enter
)");

namespace simulator {

Fiber::~Fiber() {
  if (stack_ != nullptr) munmap(stack_, kStackBytes);
}

void Fiber::start(void (*entry)(void*), void* argument) {
  if (stack_ == nullptr) {
    void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_NONE) != 0) {
      std::perror("simulator: stack");
      std::exit(2);
    }
    stack_ = static_cast<unsigned char*>(memory);
  }
  auto* top = reinterpret_cast<uint64_t*>(stack_ + kStackBytes - 64);
  // In the order simulator_switch pops them: r15 r14 r13 r12 rbx rbp, return.
  uint64_t frame[7] = {0, 0, reinterpret_cast<uint64_t>(argument),        reinterpret_cast<uint64_t>(entry),
                       0, 0, reinterpret_cast<uint64_t>(&simulator_enter)};
  top -= 7;  // leaves the stack 16-byte aligned where simulator_enter calls
  for (int i = 0; i < 7; ++i) top[i] = frame[i];
  stack_pointer_ = top;
}

void Fiber::switch_to(Fiber* other) { simulator_switch(&stack_pointer_, other->stack_pointer_); }

}  // namespace simulator
