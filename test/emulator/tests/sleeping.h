// When a thread has gone to sleep in the kernel, and only then, a test may go on.
#pragma once

#include <fcntl.h>
#include <stdio.h>

#include "uintr.h"

// The state letter of a thread in /proc: S when it sleeps in the kernel.
inline char state_of(int tid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  const int fd = open(path, O_RDONLY);
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  const char* after_name = strrchr(text, ')');
  return after_name != nullptr ? after_name[2] : '?';
}
