// Interrupt context (see ports.h): general-purpose registers, no libc, no lock, no allocation.
#include "drivers/ports.h"

#include "engine/arch.h"
#include "engine/failpoint.h"

namespace uintr {
namespace {

// Numbers of asm/unistd_64.h, which a freestanding file does without.
constexpr long kSysWrite = 1, kSysTgkill = 234;

const Target* target_of(void* self, uint32_t peer) {
  const auto* port = static_cast<const DriverPort*>(self);
  return peer < port->size ? &port->targets[peer] : nullptr;
}

}  // namespace

void port_interrupt(void* self, uint32_t peer, bool force) {
  const Target* t = target_of(self, peer);
  if (t == nullptr) return;
  if (t->uitt_index >= 0) {
    arch::senduipi(static_cast<uint64_t>(t->uitt_index));
    UINTR_FAILPOINT("interrupt.senduipi");
    // Forced: the hardware's ON may have been left set by a sender that died, and a signal does not depend on it.
    if (!force) return;
  }
  // A peer that takes no interrupts hears of it when it looks; asleep, it has to be woken for that.
  if (t->pid == 0 || t->signal_number == 0) return port_wake(self, peer);
  Upid& upid = t->doorbell->upid;
  // SYNC POINT: upid. A sender sets its bit in PIR, then sets ON; the receiver clears ON, then takes PIR. Only who
  // turns ON from 0 to 1 signals: one handler run stands for all that came before it.
  upid.pir.or_sc(uint64_t{1} << (t->vector & 63));
  UINTR_FAILPOINT("interrupt.pir_set");
  const uint32_t before = upid.status.or_sc(kUpidOn);
  UINTR_FAILPOINT("interrupt.on_set");
  // SN: the receiver wants none (it has no handler any more, or its driver is 'poll').
  if ((before & kUpidSn) != 0) return port_wake(self, peer);
  if ((before & kUpidOn) != 0 && !force) return;
  const bool sent = arch::syscall(kSysTgkill, t->pid, t->tid, t->signal_number) == 0;
  UINTR_FAILPOINT("interrupt.sent");
  if (sent) return;
  // A queue of real-time signals can be full; with ON left set nobody would try again. Others may have left theirs to
  // this signal since ON was set: asleep, the peer is woken and finds all; if it computes, it hears of it when it looks.
  upid.status.and_sc(~kUpidOn);
  port_wake(self, peer);
}

void port_no_interrupt(void*, uint32_t, bool) {}

void port_wake(void* self, uint32_t peer) {
  const Target* t = target_of(self, peer);
  if (t == nullptr || t->event_fd < 0) return;
  const uint64_t one = 1;
  // Non-blocking. EAGAIN means that the counter is far from zero, and so the sleeper awake.
  arch::syscall(kSysWrite, t->event_fd, reinterpret_cast<long>(&one), sizeof one);
  UINTR_FAILPOINT("wake.written");
}

bool port_commit(void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes) {
  const auto* port = static_cast<const DriverPort*>(self);
  return port->commit(port->commit_self, segment, offset, bytes);
}

}  // namespace uintr
