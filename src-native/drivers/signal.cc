#include "drivers/signal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "drivers/disposition.h"

namespace uintr {

bool SignalDriver::open(const std::string& signal_name, JoinError* error) {
  if (!parse_signal(signal_name, &signal_number_, error) || !take_vector(error)) return false;
  dispatch_touch();
  if (!disposition_take(signal_number_, error)) return false;
  thread_mask_take(signal_number_);
  installed_ = true;
  if (!signal_self(error)) return false;
  identity_.kind = Kind::Signal;
  identity_.signal_number = signal_number_;
  return true;
}

bool SignalDriver::signal_self(JoinError* error) const {
  if (syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal_number_) == 0) return true;
  const int failed = errno;
  fail_syscall(error, "tgkill", failed, "signal " + std::to_string(signal_number_));
  if (failed == EAGAIN && error != nullptr) {
    error->message +=
        " (the queue of real-time signals is full: raise `ulimit -i`, or take a signal that needs none, as SIGURG)";
  }
  return false;
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
  if (!signal_self(nullptr)) own_upid()->status.and_sc(~kUpidOn);
}

}  // namespace uintr
