// What a native test is made of: numbered tests with a title that states a
// property, and checks that count.
//
//   TEST("01 an empty message arrives") { CHECK(…); CHECK_EQ(…, …); }
//   CHECK_MAIN("eager")      // prints "ok eager 123 checks"; an argument selects titles that contain it
#pragma once

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace check {

inline std::atomic<uint64_t> count{0};
inline const char* current = "";
inline bool aborts = false;  // for a fuzzer, which keeps the input then

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s:%d: in \"%s\": %s\n", file, line, current, what.c_str());
  if (aborts) std::abort();
  std::_Exit(1);
}

template <class A, class B>
void equal(const char* file, int line, const char* text, const A& a, const B& b) {
  count.fetch_add(1, std::memory_order_relaxed);
  if (a == b) return;
  std::ostringstream what;
  auto show = [&what](const auto& v) {
    if constexpr (requires { what << v; }) {
      what << v;
    } else {
      what << static_cast<long long>(v);
    }
  };
  what << text << ": ";
  show(a);
  what << " and ";
  show(b);
  fail(file, line, what.str());
}

struct Test {
  const char* title;
  void (*run)();
};
inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
struct Registered {
  Registered(const char* title, void (*run)()) { tests().push_back({title, run}); }
};

// What a time limit stops says where it stood, and ends as it would have; its children only do that.
inline pid_t runner;
inline void stopped(int) {
  if (getpid() == runner) std::fprintf(stderr, "stopped in \"%s\"\n", current);
  std::signal(SIGTERM, SIG_DFL);
  std::raise(SIGTERM);
}

inline int run_all(const char* name, int argc, char** argv) {
  runner = getpid();
  std::signal(SIGTERM, stopped);
  for (const Test& t : tests()) {
    if (argc > 1 && std::strstr(t.title, argv[1]) == nullptr) continue;
    current = t.title;
    t.run();
  }
  std::printf("ok %s %llu checks\n", name, static_cast<unsigned long long>(count.load()));
  return 0;
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)

#define TEST(title)                                                                                              \
  static void CHECK_JOIN(test_at_, __LINE__)();                                                                  \
  static const ::check::Registered CHECK_JOIN(registered_at_, __LINE__)(title, &CHECK_JOIN(test_at_, __LINE__)); \
  static void CHECK_JOIN(test_at_, __LINE__)()

#define CHECK(condition)                                                          \
  do {                                                                            \
    ::check::count.fetch_add(1, std::memory_order_relaxed);                       \
    if (!(condition)) ::check::fail(__FILE__, __LINE__, "not true: " #condition); \
  } while (false)

#define CHECK_EQ(a, b) ::check::equal(__FILE__, __LINE__, #a " == " #b, (a), (b))

#define CHECK_MAIN(name) \
  int main(int argc, char** argv) { return ::check::run_all(name, argc, argv); }
