// What emulator_on_signal reserves on the stack and emulator_deliver reads; shared with the assembler.
#pragma once

#define EMULATOR_STUBS 256

#define RECORD_RAX 0
#define RECORD_RDX 8
#define RECORD_FRAME 16  // where RSP points when the handler's address is popped; the hardware's frame is above
#define RECORD_HANDLER 24
#define RECORD_VECTOR 32
#define RECORD_RIP 40
#define RECORD_RFLAGS 48
#define RECORD_RSP 56
#define RECORD_SIZE 72  // 64 and what aligns the stack

#ifndef __ASSEMBLER__
#include <cstdint>

namespace emulator {

struct Record {
  uint64_t rax, rdx, frame, handler, vector, rip, rflags, rsp;
};
static_assert(sizeof(Record) <= RECORD_SIZE);

}  // namespace emulator
#endif
