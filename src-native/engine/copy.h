// One chunk from one address space to another, by the end that claimed it.
#pragma once

#include "engine/shared.h"

namespace uintr {

constexpr long kProcessVmReadv = 310, kProcessVmWritev = 311;  // x86-64 system call numbers
constexpr long kEsrch = 3, kEfault = 14;

// One call of process_vm_readv or process_vm_writev: how many bytes it has copied, or negative errno.
inline long process_vm(bool read, int32_t pid, unsigned char* local, uint64_t remote, uint64_t n) {
#if defined(UINTR_SIMULATED)
  return sim::process_vm(read, pid, local, remote, n);
#else
  struct {
    uint64_t base, length;
  } here = {reinterpret_cast<uint64_t>(local), n}, there = {remote, n};
  return arch::syscall(read ? kProcessVmReadv : kProcessVmWritev, pid, reinterpret_cast<long>(&here), 1,
                       reinterpret_cast<long>(&there), 1, 0);
#endif
}

// `n` bytes, whole or not at all as far as the caller is concerned. 0, or negative errno.
inline long copy_cma(bool read, int32_t pid, unsigned char* local, uint64_t remote, uint64_t n) {
  while (n != 0) {
    const long got = process_vm(read, pid, local, remote, n);
    if (got <= 0) return got == 0 ? -kEfault : got;
    local += got;
    remote += static_cast<uint64_t>(got);
    n -= static_cast<uint64_t>(got);
  }
  return 0;
}

// Of a copy that has failed: is there nobody with that pid any more, or another program, because the peer has executed
// one, or has ended and its pid is somebody else's? The end of its lifeline tells a moment later. Not asked before a
// copy, for that would be true only until it is asked. What a copy can do to such a program is what any process of this
// user can, and meets its memory only where both have the same addresses, which are random; and a pid comes back only
// after all the others have been used, while each end is told as soon as the event loop, a wait or a call looks.
inline bool is_another_program(int32_t pid, uint64_t nonce_address, uint64_t nonce) {
  uint64_t found = 0;
  long failed = copy_cma(true, pid, reinterpret_cast<unsigned char*>(&found), nonce_address, sizeof found);
  return failed == -kEsrch || failed == -kEfault || (failed == 0 && found != nonce);
}

}  // namespace uintr
