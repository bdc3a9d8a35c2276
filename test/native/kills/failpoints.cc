#include "failpoints.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "engine/failpoint.h"

extern "C" const char __start_uintr_failpoints[], __stop_uintr_failpoints[];

namespace kills {
namespace {

// Read in handlers and by the hub's thread: nothing here allocates once it is set.
struct {
  std::atomic<Trail*> trail;
  uint32_t index;  // kMostFailpoints: any
  How how;
  uint32_t rank;
  std::atomic<uint32_t> left;  // 0: not armed
} armed;

thread_local uint32_t own_rank = uintr::kNone;
thread_local std::atomic<bool> ends{false};

struct Known {
  std::atomic<const char*> text;
  uint32_t index;
};
constexpr uint32_t kSlots = 2048;
Known known[kSlots];  // by the text's address: one step has as many as it was inlined

// Not strcmp, which uses vector registers: a user interrupt does not save them.
bool same(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

uint32_t search(const char* name) {
  const auto& all = failpoints();
  for (uint32_t i = 0; i < all.size(); ++i)
    if (same(all[i].c_str(), name)) return i;
  std::abort();
}

uint32_t index_of(const char* name) {
  for (uint32_t at = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(name) * 2654435761u >> 7) % kSlots;;
       at = (at + 1) % kSlots) {
    const char* text = known[at].text.load(std::memory_order_acquire);
    if (text == name) return known[at].index;
    if (text != nullptr) continue;
    // Two that come at once find the same index for the same text, and another slot for another.
    const uint32_t index = search(name);
    if (known[at].text.compare_exchange_strong(text, reinterpret_cast<const char*>(1))) {
      known[at].index = index;
      known[at].text.store(name, std::memory_order_release);
    }
    return index;
  }
}

void end(How how) {
  const long pid = syscall(SYS_getpid);
  switch (how) {
    case How::Kill:
      syscall(SYS_kill, pid, SIGKILL);
      break;
    case How::Exit:
      syscall(SYS_exit_group, 0);
      break;
    case How::Exec: {
      const char* arguments[] = {"kills", kLinger, nullptr};
      const char* none[] = {nullptr};
      syscall(SYS_execve, "/proc/self/exe", arguments, none);
      syscall(SYS_kill, pid, SIGKILL);
      break;
    }
    case How::Stop:
    case How::StopKill:
      syscall(SYS_kill, pid, SIGSTOP);
      break;
    case How::Thread:
      ends = true;
      break;
  }
}

}  // namespace

const char* name_of(How how) {
  constexpr const char* kNames[kHows] = {"SIGKILL", "_exit", "exec", "SIGSTOP", "SIGSTOP and SIGKILL", "end of its thread"};
  return kNames[static_cast<uint32_t>(how)];
}

const std::vector<std::string>& failpoints() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const char* at = __start_uintr_failpoints; at < __stop_uintr_failpoints; at += std::strlen(at) + 1)
      if (*at != 0) names.emplace_back(at);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.size() > kMostFailpoints) std::abort();
    return names;
  }();
  return all;
}

void set_failpoint(const Arm& arm, Trail* trail) {
  armed.trail = trail;
  armed.how = arm.how;
  armed.rank = arm.rank;
  armed.index = arm.name.empty() || arm.name == "*" ? kMostFailpoints : search(arm.name.c_str());
  armed.left = arm.name.empty() ? 0 : arm.hit;
}

void is_thread_of(uint32_t rank) { own_rank = rank; }
bool takes_end() { return ends.exchange(false); }

}  // namespace kills

void uintr::reach_failpoint(const char* name) {
  using namespace kills;
  // Once: another thread of the process may be through with it meanwhile.
  Trail* const trail = armed.trail.load(std::memory_order_acquire);
  if (trail == nullptr) return;
  const uint32_t index = index_of(name);
  trail->reached[index].fetch_add(1, std::memory_order_relaxed);
  if (armed.index != index && armed.index != kMostFailpoints) return;
  if (armed.rank != kNone && armed.rank != own_rank) return;
  uint32_t left = armed.left.load(std::memory_order_relaxed);
  do {
    if (left == 0) return;
  } while (!armed.left.compare_exchange_weak(left, left - 1));
  if (left != 1) return;
  trail->died.store(index + 1);
  end(armed.how);
}
