#include "drivers/signal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "drivers/disposition.h"

namespace uintr {

bool SignalDriver::open(const std::string& signal_name, JoinError* error) {
  if (!parse_signal(signal_name, &signal_number_, error) || !take_vector(error)) return false;
  dispatch_touch();
  if (!disposition_take(signal_number_, error)) return false;
  thread_mask_take(signal_number_);
  installed_ = true;
  identity_.kind = Kind::Signal;
  identity_.signal_number = signal_number_;
  return true;
}

SignalDriver::~SignalDriver() {
  detach();
  if (!installed_) return;
  thread_mask_give_back(signal_number_);
  disposition_give_back(signal_number_);
}

bool SignalDriver::still_ours() { return !fell_back_ && disposition_is_ours(signal_number_); }

void SignalDriver::fall_back() {
  DriverBase::fall_back();
  fell_back_ = true;
  disposition_spare(signal_number_);
}

void SignalDriver::interrupt_self() {
  // What came before the engine was there has set ON and found no one to clear it; without this, nobody would signal
  // again. A real signal, because the engine's handler entry belongs to a handler.
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal_number_);
}

}  // namespace uintr
