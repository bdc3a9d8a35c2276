// Driver 'poll': no interrupts; progress only from calls and the event loop. The busy-wait baseline.
#pragma once

#include "drivers/base.h"

namespace uintr {

class PollDriver final : public DriverBase {
 public:
  PollDriver() { identity_ = {Kind::Poll, 63, 0}; }
  void create(Joined* joined) override {
    DriverBase::create(joined);
    fall_back();  // tells peers, too, that there is nobody to interrupt
  }
  void attach(Engine*) override {}
};

}  // namespace uintr
