// One chunk from one address space to another, by the end that claimed it.
#pragma once

#include "engine/shared.h"

namespace uintr {

constexpr long kProcessVmReadv = 310, kProcessVmWritev = 311;  // x86-64 system call numbers
constexpr long kEfault = 14;

// process_vm_readv / process_vm_writev of `n` bytes, whole or not at all as far
// as the caller is concerned. 0, or negative errno.
inline long copy_cma(bool read, int32_t pid, unsigned char* local, uint64_t remote, uint64_t n) {
  struct {
    uint64_t base, length;
  } here, there;
  while (n != 0) {
    here = {reinterpret_cast<uint64_t>(local), n};
    there = {remote, n};
    long got = arch::syscall(read ? kProcessVmReadv : kProcessVmWritev, pid, reinterpret_cast<long>(&here), 1,
                             reinterpret_cast<long>(&there), 1, 0);
    if (got <= 0) return got == 0 ? -kEfault : got;
    local += got;
    remote += static_cast<uint64_t>(got);
    n -= static_cast<uint64_t>(got);
  }
  return 0;
}

}  // namespace uintr
