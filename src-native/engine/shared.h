// One word in memory that several processes map, or that a thread shares with
// its own interrupt handler. Every access to such a word goes through here, for
// two reasons: the ordering each caller relies on is spelled out at the call,
// and the simulator (test/simulator) compiles the engine with UINTR_SIMULATED
// and takes every access over, to interleave ranks, to hold stores back as a
// processor's store buffer does, and to inject interrupts and deaths.
//
// Orderings offered, and no others:
//   relaxed            the word alone matters
//   acquire / release  "what I wrote before, you see after"
//   sc read-modify-write, then sc load
//                      the store-then-load pairs (attention, want-space, claim
//                      words). Read-modify-writes rather than fences, because
//                      ThreadSanitizer understands them and x86 needs them
//                      anyway (a plain store may pass a later load).
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/arch.h"

namespace uintr {

#if defined(UINTR_SIMULATED)
// Defined by the simulator. `address` identifies the word.
namespace sim {
uint64_t load(const void* address, size_t bytes, int order);
void store(void* address, size_t bytes, uint64_t value, int order);
enum class Rmw { Exchange, Add, Or, And };
uint64_t rmw(void* address, size_t bytes, Rmw what, uint64_t operand);
bool cas(void* address, size_t bytes, uint64_t* expected, uint64_t desired);
// A copy of bytes of which at least one side lies in shared memory or in a
// user's buffer.
void copy(void* to, const void* from, size_t n);
// Are those bytes the same, as this thread sees them?
bool same(const void* a, const void* b, size_t n);
// process_vm_readv (`read`) or process_vm_writev of one piece: how much was copied, or negative errno (copy.h).
long process_vm(bool read, int32_t pid, void* local, uint64_t remote, uint64_t n);
// A place where the thread may be interrupted by its own handler.
void interruptible();
}  // namespace sim
#endif

template <class T>
class Shared {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);

 public:
#if defined(UINTR_SIMULATED)
  T relaxed() const { return static_cast<T>(sim::load(&word_, sizeof(T), __ATOMIC_RELAXED)); }
  T acquire() const { return static_cast<T>(sim::load(&word_, sizeof(T), __ATOMIC_ACQUIRE)); }
  T load_sc() const { return static_cast<T>(sim::load(&word_, sizeof(T), __ATOMIC_SEQ_CST)); }
  void set_relaxed(T v) { sim::store(&word_, sizeof(T), v, __ATOMIC_RELAXED); }
  void release(T v) { sim::store(&word_, sizeof(T), v, __ATOMIC_RELEASE); }
  T exchange_sc(T v) { return static_cast<T>(sim::rmw(&word_, sizeof(T), sim::Rmw::Exchange, v)); }
  T add_sc(T v) { return static_cast<T>(sim::rmw(&word_, sizeof(T), sim::Rmw::Add, v)); }
  T or_sc(T v) { return static_cast<T>(sim::rmw(&word_, sizeof(T), sim::Rmw::Or, v)); }
  T and_sc(T v) { return static_cast<T>(sim::rmw(&word_, sizeof(T), sim::Rmw::And, v)); }
  bool cas_sc(T* expected, T desired) {
    uint64_t e = *expected;
    bool won = sim::cas(&word_, sizeof(T), &e, desired);
    *expected = static_cast<T>(e);
    return won;
  }
#else
  T relaxed() const { return __atomic_load_n(&word_, __ATOMIC_RELAXED); }
  T acquire() const { return __atomic_load_n(&word_, __ATOMIC_ACQUIRE); }
  T load_sc() const { return __atomic_load_n(&word_, __ATOMIC_SEQ_CST); }
  void set_relaxed(T v) { __atomic_store_n(&word_, v, __ATOMIC_RELAXED); }
  void release(T v) { __atomic_store_n(&word_, v, __ATOMIC_RELEASE); }
  T exchange_sc(T v) { return __atomic_exchange_n(&word_, v, __ATOMIC_SEQ_CST); }
  T add_sc(T v) { return __atomic_fetch_add(&word_, v, __ATOMIC_SEQ_CST); }
  T or_sc(T v) { return __atomic_fetch_or(&word_, v, __ATOMIC_SEQ_CST); }
  T and_sc(T v) { return __atomic_fetch_and(&word_, v, __ATOMIC_SEQ_CST); }
  // On failure *expected holds what was there.
  bool cas_sc(T* expected, T desired) {
    return __atomic_compare_exchange_n(&word_, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
#endif

 private:
  T word_;
};

// Copies bytes of which one side lies in shared memory or in a user's buffer.
inline void copy_bytes(void* to, const void* from, size_t n) {
#if defined(UINTR_SIMULATED)
  sim::copy(to, from, n);
#else
  arch::copy(to, from, n);
#endif
}

// Are the bytes of two buffers that nobody else touches any more the same?
inline bool same_bytes(const unsigned char* a, const unsigned char* b, size_t n) {
#if defined(UINTR_SIMULATED)
  return sim::same(a, b, n);
#else
  for (size_t i = 0; i < n; ++i)
    if (a[i] != b[i]) return false;
  return true;
#endif
}

}  // namespace uintr
