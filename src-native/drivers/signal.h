// Driver 'signal': an interrupt is a POSIX signal to the rank's thread (tgkill), SIGURG by default because that one is
// ignored where nobody handles it.
#pragma once

#include "drivers/base.h"

namespace uintr {

class SignalDriver : public DriverBase {
 public:
  bool open(const std::string& signal_name, JoinError* error);
  ~SignalDriver() override;
  bool still_ours() override;
  void fall_back() override;

 protected:
  void interrupt_self() override;

 private:
  // Whether signals reach this thread at all.
  bool signal_self(JoinError* error) const;
  int signal_number_ = 0;
  bool installed_ = false, fell_back_ = false;
};

}  // namespace uintr
