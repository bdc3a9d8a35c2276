// When a thread began, in the kernel's ticks since boot: together with pid and tid this names it for ever.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

// 0: there is no such thread (or no /proc), or *why says that there was no descriptor to look with.
inline uint64_t thread_start_time(int32_t pid, int32_t tid, int* why = nullptr) {
  char text[1024];
  snprintf(text, sizeof text, "/proc/%d/task/%d/stat", pid, tid);
  const Fd file(open(text, O_RDONLY | O_CLOEXEC));
  if (!file && why != nullptr && is_shortage(errno)) *why = errno;
  const ssize_t n = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (n <= 0) return 0;
  text[n] = 0;
  // The second field is the program's name in brackets, and may hold anything; starttime is the 22nd.
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) {
    at = strchr(at, ' ');
    if (at != nullptr) ++at;
  }
  return at == nullptr ? 0 : strtoull(at, nullptr, 10);
}

}  // namespace uintr
