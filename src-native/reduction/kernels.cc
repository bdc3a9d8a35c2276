// The loops over the arrays, and which of them a kind means. Called by reduction_stub.S.
#include <iterator>

#include "engine/arch.h"
#include "reduction/operations.h"
#include "reduction/reduction.h"

namespace uintr::reduction {
namespace {

using Kernel = void (*)(unsigned char* inout, const unsigned char* in, uint64_t bytes);

// Out of line, so that there is one of it.
[[gnu::noinline]] void copy_rest(void* to, const void* from, uint64_t bytes) { arch::copy(to, from, bytes); }

template <class T, class Op>
void kernel(unsigned char* inout, const unsigned char* in, uint64_t bytes) {
  Vector<T> a, b;
  for (; bytes >= sizeof a; bytes -= sizeof a, inout += sizeof a, in += sizeof a) {
    __builtin_memcpy(&a, inout, sizeof a);
    __builtin_memcpy(&b, in, sizeof b);
    a = Op::of(a, b);
    __builtin_memcpy(inout, &a, sizeof a);
  }
  if (bytes == 0) return;
  // The rest is a vector that is not full.
  a = b = Vector<T>();
  copy_rest(&a, inout, bytes);
  copy_rest(&b, in, bytes);
  a = Op::of(a, b);
  copy_rest(inout, &a, bytes);
}

constexpr uint32_t kOps = 9;
struct Row {
  uint32_t bytes;  // of one element
  Kernel kernels[kOps];
};

// U is unsigned and as wide as T, whose order counts. Bits are bits, whatever the width of the numbers they are in.
template <class T, class U>
constexpr Row kIntegers = {
    sizeof(T),
    {kernel<U, Sum>, kernel<U, Prod>, kernel<T, Min>, kernel<T, Max>, kernel<uint8_t, BAnd>, kernel<uint8_t, BOr>,
     kernel<uint8_t, BXor>, kernel<U, LAnd>, kernel<U, LOr>}};
constexpr Row kClamped = {
    1,
    {kernel<uint8_t, ClampedSum>, kernel<uint8_t, ClampedProd>, kernel<uint8_t, Min>, kernel<uint8_t, Max>,
     kernel<uint8_t, BAnd>, kernel<uint8_t, BOr>, kernel<uint8_t, BXor>, kernel<uint8_t, LAnd>, kernel<uint8_t, LOr>}};
template <class T>
constexpr Row kFloats = {sizeof(T),
                         {kernel<T, Sum>, kernel<T, Prod>, kernel<T, FloatMin>, kernel<T, FloatMax>, nullptr, nullptr,
                          nullptr, kernel<T, FloatLAnd>, kernel<T, FloatLOr>}};

// By ReduceType.
constexpr const Row* kRows[] = {&kIntegers<int8_t, uint8_t>,
                                &kIntegers<uint8_t, uint8_t>,
                                &kClamped,
                                &kIntegers<int16_t, uint16_t>,
                                &kIntegers<uint16_t, uint16_t>,
                                &kIntegers<int32_t, uint32_t>,
                                &kIntegers<uint32_t, uint32_t>,
                                &kIntegers<int64_t, uint64_t>,
                                &kIntegers<uint64_t, uint64_t>,
                                &kFloats<float>,
                                &kFloats<double>};

Kernel find(uint32_t kind, uint32_t* bytes) {
  const uint32_t type = kind / 16, op = kind % 16;
  if (type >= std::size(kRows) || op >= kOps) return nullptr;
  *bytes = kRows[type]->bytes;
  return kRows[type]->kernels[op];
}

}  // namespace
}  // namespace uintr::reduction

using namespace uintr::reduction;

extern "C" bool uintr_reduce_valid(uint32_t kind) {
  uint32_t bytes;
  return find(kind, &bytes) != nullptr;
}

extern "C" void uintr_reduce_kernels(uint32_t kind, void* inout, const void* in, uint64_t elements) {
  uint32_t bytes;
  const Kernel run = find(kind, &bytes);
  if (run != nullptr) run(static_cast<unsigned char*>(inout), static_cast<const unsigned char*>(in), elements * bytes);
}
