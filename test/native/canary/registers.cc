// The canary: no register, flag, byte of the red zone or vector register of the interrupted code changes, however often
// a handler runs the engine in between. First that it would be seen; then, between two ranks which compute and whose
// messages are moved by handlers, that it does not happen. UINTR_STRESS_FACTOR makes it longer.
//
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/come_back.cc src-native/bootstrap/door.cc src-native/bootstrap/let_in.cc
// sources: src-native/engine/*.cc src-native/bootstrap/admission.cc src-native/bootstrap/client.cc
// sources: src-native/bootstrap/hub_socket.cc
// sources: src-native/bootstrap/error.cc src-native/bootstrap/hub.cc src-native/bootstrap/join.cc
// sources: src-native/bootstrap/joined.cc src-native/bootstrap/liveness.cc src-native/bootstrap/named.cc
// sources: src-native/bootstrap/copy_permission.cc
// sources: src-native/bootstrap/probe.cc src-native/bootstrap/rendezvous.cc src-native/bootstrap/same_process.cc src-native/bootstrap/segments.cc
// sources: src-native/bootstrap/wire.cc test/native/bootstrap/thread_pthread.cc
// sources: src-native/drivers/*.cc src-native/drivers/*.S
// sources: test/native/canary/entry.S test/native/canary/frame.cc test/native/canary/frame_handler.cc
// sources: test/native/canary/image.cc test/native/canary/planted.S test/native/canary/window.S
// sources: test/native/bootstrap/symbol_dl.cc
#include <algorithm>

#include "under_interrupts.h"

using namespace canary;

namespace {

constexpr Delivery kSignal = {"signal", Choice::Signal, false, 20000, 15000};
constexpr Delivery kFrame = {"frame", Choice::Signal, true, 20000, 15000};

void every_planted_fault_is_seen() {
  auto canary = std::make_unique<Canary>(1);
  Rank rank(Choice::Signal, kAllCopyKinds, 1, -1);
  std::barrier<> alone(1);
  const Delivered delivered(kFrame, rank, &alone);
  auto ticks = std::make_unique<Ticks>(SIGURG, kFrame.tick);
  for (const Planted* fault = canary_planted; fault != canary_planted_end; ++fault) {
    if (!has(static_cast<Component>(fault->component))) continue;
    plant(fault);
    std::vector<std::string> found;
    const auto seen = [&] { return std::find(found.begin(), found.end(), fault->name) != found.end(); };
    // Two interrupts in one run may undo each other's change (of rsp, say), and leave other traces only.
    for (const uint64_t before = window_hits(); !seen() && window_hits() < before + 100;) found = canary->run();
    plant(nullptr);
    if (!seen()) {
      fprintf(stderr, "planted a change of %s, found %s\n", fault->name, listed(found).c_str());
      _exit(1);
    }
    ++test::checks;
  }
  ticks.reset();
  rank.detach();
}

}  // namespace

int main() {
  alarm(120);
  every_planted_fault_is_seen();
  under_each_copy(kSignal);
  under_each_copy(kFrame);
  return test::report("canary");
}
