// Reductions of numbers by handlers: inout[i] = inout[i] op in[i], with the meaning that JavaScript's typed
// arrays have.
//
// Numbers are best reduced, and floating point cannot be reduced otherwise, in vector registers, which belong to
// whatever a handler interrupts. Hence an archive of its own, compiled for what every x86-64 has (SSE2), whose one
// way in saves all registers that this can change (reduction_stub.S).
#pragma once

#include <cstdint>

namespace uintr {

// A kind of reduction is type * 16 + operation.
enum class ReduceType : uint32_t { I8, U8, U8Clamped, I16, U16, I32, U32, I64, U64, F32, F64 };
enum class ReduceOp : uint32_t { Sum, Prod, Min, Max, BAnd, BOr, BXor, LAnd, LOr };

constexpr uint32_t reduce_kind(ReduceType type, ReduceOp op) {
  return static_cast<uint32_t>(type) * 16 + static_cast<uint32_t>(op);
}

}  // namespace uintr

// Whether there is such a kind. There are no bit operations on floating point.
extern "C" bool uintr_reduce_valid(uint32_t kind);

// For handlers: no lock, no allocation, no libc, and no register changed but those that any function may change of the
// general-purpose ones. MXCSR is the default inside, whatever the interrupted code had set, so that results do not
// depend on when a handler ran. It takes as long as `elements` are many: the caller bounds that.
//
// The arrays need no alignment. They are the same or do not overlap. A kind that is not valid does nothing.
extern "C" void uintr_reduce(uint32_t kind, void* inout, const void* in, uint64_t elements);
