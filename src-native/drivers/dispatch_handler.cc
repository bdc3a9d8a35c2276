// Interrupt context (see dispatch.h): general-purpose registers, no libc, no lock, no allocation.
#include "drivers/dispatch.h"

#include "drivers/restartable.h"
#include "engine/engine.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

// Constant-initialized and used in this file alone, so that no guard or wrapper function comes into being; its model is
// initial-exec (binding.gyp), so that reading it is one instruction.
thread_local DispatchEntry* entries = nullptr;

// The compiler must not keep the list in a register across calls that the handler may see, nor tear a store.
DispatchEntry* first() { return __atomic_load_n(&entries, __ATOMIC_RELAXED); }

}  // namespace

void dispatch_touch() { __atomic_store_n(&entries, first(), __ATOMIC_RELAXED); }

void dispatch_add(DispatchEntry* entry) {
  entry->next = first();
  // Release towards the own handler: the entry is whole when the list shows it.
  __atomic_store_n(&entries, entry, __ATOMIC_RELEASE);
}

void dispatch_remove(DispatchEntry* entry) {
  DispatchEntry** link = &entries;
  while (*link != nullptr && *link != entry) link = &(*link)->next;
  // A handler that comes in between sees the old list or the new one; `entry` itself stays intact.
  if (*link != nullptr) __atomic_store_n(link, entry->next, __ATOMIC_RELEASE);
}

void dispatch_forget() { __atomic_store_n(&entries, nullptr, __ATOMIC_RELEASE); }

bool dispatch_active() { return first() != nullptr; }

void dispatch_entry(DispatchEntry* e) {
  uint64_t vectors = 0;
  if (e->upid != nullptr) {
    // SYNC POINT: upid. The receiver clears ON, then takes PIR; a sender sets its bit in PIR, then sets ON. So a bit
    // that is not taken here was set by a sender that will find ON clear, and signal.
    e->upid->status.and_sc(~kUpidOn);
    UINTR_FAILPOINT("dispatch.on_cleared");
    vectors = e->upid->pir.exchange_sc(0);
    UINTR_FAILPOINT("dispatch.pir_taken");
  }
  e->run(e->self, vectors);
}

void dispatch_all() {
  for (DispatchEntry* e = first(); e != nullptr; e = __atomic_load_n(&e->next, __ATOMIC_RELAXED)) dispatch_entry(e);
}

// Whatever the vectors say, the engine looks at everything that is pending: interrupts coalesce.
void dispatch_engine(void* engine, uint64_t) { static_cast<Engine*>(engine)->on_interrupt(); }

extern "C" void uintr_signal_handler(int, void*, void*) { dispatch_all(); }

// The hardware has acknowledged, in a UPID that nobody here can see, and delivers each vector by itself. An interrupt
// that comes between this and a signal handler of the same thread, either way round, finds the engine's mask raised.
extern "C" void uintr_dispatch(InterruptFrame* frame) {
  rseq_restart(frame);
  const uint64_t vector = frame->vector;
  for (DispatchEntry* e = first(); e != nullptr; e = __atomic_load_n(&e->next, __ATOMIC_RELAXED)) {
    if (e->vector == vector) e->run(e->self, uint64_t{1} << (vector & 63));
  }
}

}  // namespace uintr
