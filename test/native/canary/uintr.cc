// The canary (registers.cc) with user interrupts: through uintr_entry, which saves what the C++ code does not.
//
// preload: emulator
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
#include "under_interrupts.h"

int main() {
  // No ticks: they are signals, and what comes together with one interrupts its handler and not the canary.
  canary::under_each_copy({"uintr", canary::Choice::Uintr, false, 0, 500});
  return test::report("canary with user interrupts");
}
