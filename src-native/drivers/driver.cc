// Chooses a driver. The 'uintr' driver gets its place here (issue 3): first in Auto, if its probe succeeds.
#include "drivers/driver.h"

#include "drivers/poll.h"
#include "drivers/signal.h"

namespace uintr {

std::unique_ptr<Driver> Driver::prepare(const DriverOptions& options, JoinError* error) {
  using Choice = DriverOptions::Choice;
  switch (options.choice) {
    case Choice::Uintr:
      fail(error, "ERR_UINTR_UNSUPPORTED", "driver 'uintr': this build has no user interrupts");
      return nullptr;
    case Choice::Poll:
      return std::make_unique<PollDriver>();
    case Choice::Auto:
    case Choice::Signal: {
      auto driver = std::make_unique<SignalDriver>();
      if (!driver->open(options.signal, error)) return nullptr;
      return driver;
    }
  }
  return nullptr;
}

}  // namespace uintr
