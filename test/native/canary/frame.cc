#include "frame.h"

#include <csignal>
#include <cstdlib>
#include <ucontext.h>

namespace canary {
namespace {

constexpr size_t kStackBytes = 256 * 1024;
struct sigaction before;

void on_signal(int, siginfo_t*, void* context) {
  if (!frame_begin()) return;
  greg_t* g = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto cs_gs_fs_ss = static_cast<uint64_t>(g[REG_CSGSFS]);
  // As the processor: (RSP - 128) & ~15, then the pushes.
  auto* frame = reinterpret_cast<Frame*>(((static_cast<uint64_t>(g[REG_RSP]) - 128) & ~15ull)) - 1;
  *frame = {nullptr,
            static_cast<uint64_t>(g[REG_RIP]),
            cs_gs_fs_ss & 0xffff,
            static_cast<uint64_t>(g[REG_EFL]),
            static_cast<uint64_t>(g[REG_RSP]),
            cs_gs_fs_ss >> 48};
  g[REG_RIP] = reinterpret_cast<greg_t>(canary_entry);
  g[REG_RSP] = reinterpret_cast<greg_t>(frame);
}

}  // namespace

void frame_install(int signal_number) {
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  sigaction(signal_number, &action, &before);
}
void frame_uninstall(int signal_number) { sigaction(signal_number, &before, nullptr); }

void frame_enter() {
  const stack_t own = {malloc(kStackBytes), 0, kStackBytes};
  sigaltstack(&own, nullptr);
}

void frame_leave() {
  const stack_t none = {nullptr, SS_DISABLE, 0};
  stack_t own;
  sigaltstack(&none, &own);
  free(own.ss_sp);
}

}  // namespace canary
