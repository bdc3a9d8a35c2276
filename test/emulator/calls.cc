#include "calls.h"

#include "config.h"
#include "gate.h"
#include "receiver.h"
#include "stats.h"
#include "uitt.h"

namespace emulator {
namespace {

enum { RegisterHandler, UnregisterHandler, VectorFd, RegisterSender, UnregisterSender, Wait };
constexpr uint64_t kLongestWait = 1'000'000'000;

long wait(Thread& t, Context* c, uint64_t microseconds, uint64_t flags) {
  if (flags != 0 || microseconds > kLongestWait) return -EINVAL;
  return receiver_wait(t, mask_of(c), &microseconds);
}

}  // namespace

bool is_abi_call(long number) { return number >= abi_base() && number < abi_base() + kCalls; }

long abi_call(Thread& t, Context* c) {
  count(k_calls);
  const bool next = config.abi == Abi::Next;
  const auto a = static_cast<uint64_t>(reg(c, REG_RDI));
  // The kernel takes flags and descriptors as 32 bits.
  const auto a32 = static_cast<uint32_t>(a);
  const auto flags = static_cast<uint32_t>(reg(c, REG_RSI));
  switch (reg(c, REG_RAX) - abi_base()) {
    case RegisterHandler:
      return receiver_register(t, a, flags);
    case UnregisterHandler:
      return a32 != 0 ? -EINVAL : receiver_unregister(t);
    case VectorFd:
      return flags != 0 ? -EINVAL : receiver_vector_fd(t, a);
    case RegisterSender:
      return flags != 0 ? -EINVAL : uitt_add(static_cast<int>(a32));
    case UnregisterSender:
      if (flags != 0) return -EINVAL;
      return next ? uitt_remove(a32) : uitt_remove_fd(static_cast<int>(a32));
    case Wait:
      if (next) return wait(t, c, a, flags);
      return a32 != 0 ? -EINVAL : receiver_wait(t, mask_of(c), nullptr);
    default:
      return -ENOSYS;
  }
}

}  // namespace emulator
