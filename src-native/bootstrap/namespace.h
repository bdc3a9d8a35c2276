// Which PID namespace this process is in: a pid means the same only within one.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace uintr {

// The namespace's inode number, unique on this machine; 0 if /proc does not say.
inline uint64_t pid_namespace() {
  char text[64];
  const ssize_t n = readlink("/proc/self/ns/pid", text, sizeof text - 1);
  if (n <= 5) return 0;
  text[n] = 0;
  return strtoull(text + 5, nullptr, 10);  // "pid:[4026531836]"
}

}  // namespace uintr
