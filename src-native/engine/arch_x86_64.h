// Everything that is particular to x86-64, and nothing else: a port to another
// processor is another header with these names.
//
// This code runs in interrupt context. The processor saves no vector state
// there (SDM vol. 3, "User Interrupts"), so all of it keeps to general-purpose
// registers, and nothing calls libc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uintr::arch {

// Tells the core that this is a spin loop, and how long that pauses it is the
// processor's business (tens to hundreds of cycles).
inline void relax() { __builtin_ia32_pause(); }

// Has a line brought into this core's cache, to be read or to be written, while it goes on. Only ever a hint: no fault, no
// order, and nothing at all where the processor does not know the second.
inline void prefetch(const void* at) { __builtin_prefetch(at); }
inline void prefetch_for_write(const void* at) { asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at))); }

// Cycles since reset; for histograms, the timeline and bounded spinning, never for ordering.
inline uint64_t cycles() { return __builtin_ia32_rdtsc(); }

// What was loaded before is there before the counter is read after it, which would otherwise not wait (SDM vol. 2, RDTSC).
inline void load_before_cycles() { asm volatile("lfence" : : : "memory"); }

// Adds 1 and returns what was there, by one instruction: nothing of this thread's, its handlers included, comes between.
// Not atomic towards other threads, and so without the price of a bus lock.
inline uint64_t fetch_increment(uint64_t* word) {
  uint64_t n = 1;
  asm volatile("xadd %0, %1" : "+r"(n), "+m"(*word) : : "cc");
  return n;
}

// Copies `n` bytes. `rep movsb` needs no vector registers and, with ERMS, moves
// as fast as the vector loops do for all but the shortest lengths; those
// (headers, 8-byte messages) go by words, because `rep movsb` takes some
// 30 cycles to start.
inline void copy(void* to, const void* from, size_t n) {
#if defined(UINTR_INSTRUMENTED)  // sanitizers cannot look into assembly
  if (n != 0) __builtin_memcpy(to, from, n);  // n == 0 comes with null pointers
#else
  auto* d = static_cast<unsigned char*>(to);
  auto* s = static_cast<const unsigned char*>(from);
  if (n <= 128) {
    while (n >= 8) {
      uint64_t w;
      asm volatile("mov (%1), %0" : "=r"(w) : "r"(s) : "memory");
      asm volatile("mov %1, (%0)" : : "r"(d), "r"(w) : "memory");
      d += 8, s += 8, n -= 8;
    }
    for (; n != 0; --n) *d++ = *s++;
    return;
  }
  asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
#endif
}

// A system call by itself: no errno, no cancellation point, no libc. Returns
// the kernel's value, negative errno included.
inline long syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// ---- user interrupts (SDM vol. 2). By their bytes, so that any assembler will do; each raises #UD where the kernel has
// not set CR4.UINTR.

// Posts to, and if need be notifies, what entry `index` of this process's target table names. Like a locked
// instruction it comes after every store before it.
inline void senduipi(uint64_t index) { asm volatile(".byte 0xf3, 0x0f, 0xc7, 0xf0" : : "a"(index) : "memory", "cc"); }
inline void stui() { asm volatile(".byte 0xf3, 0x0f, 0x01, 0xef" : : : "memory"); }
inline void clui() { asm volatile(".byte 0xf3, 0x0f, 0x01, 0xee" : : : "memory"); }
// UIF.
inline bool testui() {
  bool flag;
  asm volatile(".byte 0xf3, 0x0f, 0x01, 0xed" : "=@ccc"(flag) : : "memory");
  return flag;
}

}  // namespace uintr::arch
