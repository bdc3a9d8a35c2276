// Chooses a driver.
#include "drivers/driver.h"

#include "drivers/poll.h"
#include "drivers/signal.h"
#include "drivers/uintr.h"
#include "drivers/uintr_probe.h"

namespace uintr {

std::unique_ptr<Driver> Driver::prepare(const DriverOptions& options, JoinError* error) {
  using Choice = DriverOptions::Choice;
  switch (options.choice) {
    case Choice::Poll:
      return std::make_unique<PollDriver>();
    case Choice::Uintr:
    case Choice::Auto: {
      const UintrProbe& probe = uintr_probe();
      if (probe.abi != nullptr) {
        auto driver = std::make_unique<UintrDriver>();
        if (driver->open(*probe.abi, options.signal, error)) return driver;
        if (options.choice == Choice::Uintr) return nullptr;
        // Say another library has this thread's handler. What stands in the way of signals, too, is told below.
      } else if (options.choice == Choice::Uintr) {
        fail(error, "ERR_UINTR_UNSUPPORTED", "driver 'uintr': " + probe.reason);
        return nullptr;
      }
      [[fallthrough]];
    }
    case Choice::Signal: {
      auto driver = std::make_unique<SignalDriver>();
      if (!driver->open(options.signal, error)) return nullptr;
      return driver;
    }
  }
  return nullptr;
}

}  // namespace uintr
