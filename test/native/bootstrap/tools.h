// For tests of what several processes do: checks that count, and children that must end well.
#pragma once

#include <dirent.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bootstrap/bootstrap.h"

namespace test {

inline std::atomic<int> checks{0};

#define CHECK(condition)                                                        \
  do {                                                                          \
    ++::test::checks;                                                           \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                 \
    }                                                                           \
  } while (false)

}  // namespace test

#include "children.h"

namespace test {

// `error` holds a message that contains `text`.
#define CHECK_ERROR(error, expected_code, text)                                                        \
  do {                                                                                                 \
    ++::test::checks;                                                                                  \
    if (strcmp((error).code, expected_code) != 0 || (error).message.find(text) == std::string::npos) { \
      fprintf(stderr, "%s:%d: got %s \"%s\", wanted %s \"…%s…\"\n", __FILE__, __LINE__, (error).code,  \
              (error).message.c_str(), expected_code, text);                                           \
      _exit(1);                                                                                        \
    }                                                                                                  \
  } while (false)

// Ends the test with what a failed call says.
#define CHECK_OK(call, error)                                                                                  \
  do {                                                                                                         \
    ++::test::checks;                                                                                          \
    if (!(call)) {                                                                                             \
      fprintf(stderr, "%s:%d: %s: %s %s\n", __FILE__, __LINE__, #call, (error).code, (error).message.c_str()); \
      _exit(1);                                                                                                \
    }                                                                                                          \
  } while (false)

inline int count_entries(const char* directory) {
  int count = 0;
  DIR* d = opendir(directory);
  while (readdir(d) != nullptr) ++count;
  closedir(d);
  return count;
}
inline int open_descriptors() { return count_entries("/proc/self/fd"); }
inline int threads() { return count_entries("/proc/self/task"); }

inline uintr::Geometry geometry(uint32_t size) {
  return {.size = size,
          .max_requests = 64,
          .ring_bytes = 65536,
          .eager_limit = 4096,
          .credit_blocks = 64,
          .elastic = 0,
          .heap_bytes = 2 << 20};
}

inline uintr::JoinRequest request(uint32_t size, int hub_fd) {
  uintr::JoinRequest r;
  r.hub_fd = hub_fd;
  r.geometry = geometry(size);
  r.tid = getpid();
  r.timeout_ms = 10000;
  return r;
}

inline uintr::JoinRequest named(const char* name, uint32_t size, const std::string& directory) {
  uintr::JoinRequest r = request(size, -1);
  r.name = name;
  r.runtime_dir = directory;
  return r;
}

inline int report(const char* name) {
  printf("ok %s %d checks\n", name, checks.load());
  return 0;
}

}  // namespace test
