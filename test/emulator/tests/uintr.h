// The ABI and the instructions as a program uses them: raw system calls, real encodings.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "check.h"

enum { kRegister, kUnregister, kVectorFd, kSender, kUnsender, kWait };

inline bool rfc() {
  const char* abi = getenv("UINTR_EMULATOR_ABI");
  return abi != nullptr && strncmp(abi, "rfc", 3) == 0;
}
inline long base() {
  if (!rfc()) return 471;
  return strcmp(getenv("UINTR_EMULATOR_ABI"), "rfc") == 0 ? 449 : 450;
}

// Returns the kernel's value, negative errno included.
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
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
inline long uintr(int call, long a = 0, long b = 0) { return raw(base() + call, a, b); }

inline void senduipi(uint64_t index) { asm volatile("senduipi %0" : : "r"(index) : "memory"); }
inline void stui() { asm volatile("stui" : : : "memory"); }
inline void clui() { asm volatile("clui" : : : "memory"); }
inline bool testui() {
  bool uif;
  asm volatile("testui" : "=@ccc"(uif) : : "cc");
  return uif;
}

struct __uintr_frame;
#define HANDLER __attribute__((interrupt, target("uintr,general-regs-only,inline-all-stringops"), used))

// What handlers of the tests count: per process, readable by others when it lies in shared memory.
struct Counts {
  std::atomic<uint64_t> runs, vectors[64];
};
inline Counts* counts = static_cast<Counts*>(
    mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

HANDLER static void count_handler(__uintr_frame*, unsigned long long vector) {
  __atomic_fetch_add(reinterpret_cast<uint64_t*>(&counts->vectors[vector & 63]), 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(reinterpret_cast<uint64_t*>(&counts->runs), 1, __ATOMIC_SEQ_CST);
}

inline void counts_reset() {
  counts->runs = 0;
  for (auto& v : counts->vectors) v = 0;
}

// A registered thread with interrupts on.
inline void become_receiver() {
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler)), 0);
  stui();
}

inline int vector_fd(int vector) {
  const long fd = uintr(kVectorFd, vector);
  CHECK(fd >= 0);
  return static_cast<int>(fd);
}
inline uint64_t sender(int fd) {
  const long index = uintr(kSender, fd);
  CHECK(index >= 0);
  return static_cast<uint64_t>(index);
}
inline long remove_sender(uint64_t index, int fd) { return uintr(kUnsender, rfc() ? fd : static_cast<long>(index)); }

template <class F>
pid_t in_child(F body) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  return pid;
}
inline int status_of(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}
// How a child that runs `body` ends.
template <class F>
int ends(F body) {
  return status_of(in_child(body));
}
inline bool exited_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
inline bool killed_by(int status, int signal_number) { return WIFSIGNALED(status) && WTERMSIG(status) == signal_number; }

template <class F>
struct Thread {
  explicit Thread(F body) : body_(body) {
    CHECK_EQ(pthread_create(&thread_, nullptr, [](void* self) -> void* {
               static_cast<Thread*>(self)->body_();
               return nullptr;
             }, this), 0);
  }
  void join() { pthread_join(thread_, nullptr); }
  F body_;
  pthread_t thread_;
};
