#include "drivers/base.h"

#include "drivers/driver.h"
#include "drivers/vectors.h"
#include "engine/failpoint.h"

namespace uintr {

bool DriverBase::take_vector(JoinError* error) {
  identity_.vector = vector_take();
  has_vector_ = identity_.vector != kNoVector;
  return has_vector_ || fail(error, "ERR_UINTR_JOIN", "this thread is in 64 worlds already: it has no vector left");
}

DriverBase::~DriverBase() {
  detach();  // NOLINT(clang-analyzer-optin.cplusplus.VirtualCall): a driver that overrides anything detaches by itself
  if (has_vector_) vector_give_back(identity_.vector);
}

void DriverBase::create(Joined* joined) {
  rank_ = joined->rank;
  targets_.resize(joined->peers.size());
  for (uint32_t i = 0; i < targets_.size(); ++i) set_target(i, joined);
  port_ = DriverPort{targets_.data(), static_cast<uint32_t>(targets_.size()), joined, &Joined::commit};
}

void DriverBase::set_target(uint32_t peer, Joined* joined) {
  const Layout layout{joined->geometry};
  const Peer& p = joined->peers[peer];
  // Which signal is the peer's own word; one that no driver asks for would end it, or stop it.
  const bool takes_signals = p.driver.kind != Kind::Poll && p.signalable && signal_is_usable(p.driver.signal_number);
  targets_[peer] = Target{reinterpret_cast<Doorbell*>(joined->world.base() + layout.doorbell(peer)),
                          takes_signals ? p.pid : 0,
                          p.tid,
                          takes_signals ? p.driver.signal_number : 0,
                          p.driver.vector,
                          p.event_fd.get(),
                          -1};
  joined->maps[peer].interruptible = targets_[peer].pid != 0;
}

void DriverBase::use_uitt_index(uint32_t peer, int32_t index, Joined* joined) {
  targets_[peer].uitt_index = index;
  joined->maps[peer].interruptible = true;
}

Ports DriverBase::ports() {
  Ports ports{};
  ports.self = &port_;
  ports.interrupt = interrupts() ? port_interrupt : port_no_interrupt;
  ports.wake = port_wake;
  ports.commit = port_commit;
  return ports;
}

void DriverBase::attach(Engine* engine) {
  entry_.upid = own_upid();
  entry_.vector = identity_.vector;
  entry_.self = engine;
  entry_.run = dispatch_engine;
  dispatch_touch();
  dispatch_add(&entry_);
  UINTR_FAILPOINT("driver.attached");
  attached_ = true;
  interrupt_self();
}

void DriverBase::fall_back() {
  if (port_.targets != nullptr) own_upid()->status.or_sc(kUpidSn);
  UINTR_FAILPOINT("driver.silenced");
}

void DriverBase::detach() {
  if (!attached_) return;
  attached_ = false;
  // Peers first: an interrupt that is under way finds the handler still in place.
  fall_back();  // NOLINT(clang-analyzer-optin.cplusplus.VirtualCall): likewise
  dispatch_remove(&entry_);
  UINTR_FAILPOINT("driver.detached");
}

const char* Driver::name() const {
  switch (kind()) {
    case Kind::Uintr:
      return "uintr";
    case Kind::Signal:
      return "signal";
    default:
      return "poll";
  }
}

}  // namespace uintr
