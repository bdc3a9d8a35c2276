// What the drivers have in common: the table of targets, the own doorbell, the entry in the thread's dispatch list.
#pragma once

#include <vector>

#include "drivers/dispatch.h"
#include "drivers/driver.h"
#include "drivers/ports.h"

namespace uintr {

class DriverBase : public Driver {
 public:
  ~DriverBase() override;

  DriverIdentity identity() const override { return identity_; }
  Kind kind() const override { return identity_.kind; }
  bool interrupts() const override { return kind() != Kind::Poll; }
  bool interrupt_wakes() const override { return interrupts(); }
  int vector_fd() const override { return -1; }
  void create(Joined* joined) override;
  void replace(uint32_t peer, Joined* joined) override { set_target(peer, joined); }
  Ports ports() override;
  void attach(Engine* engine) override;
  void detach() override;
  bool still_ours() override { return true; }
  void fall_back() override;

 protected:
  Upid* own_upid() { return &port_.targets[rank_].doorbell->upid; }
  // After the entry is in the list: makes the handler run once.
  virtual void interrupt_self() {}
  bool take_vector(JoinError* error);
  // For create(): `peer` can be sent user interrupts.
  void use_uitt_index(uint32_t peer, int32_t index, Joined* joined);

  DriverIdentity identity_;

 private:
  void set_target(uint32_t peer, Joined* joined);

  uint32_t rank_ = 0;
  bool has_vector_ = false, attached_ = false;
  std::vector<Target> targets_;
  DriverPort port_{};
  DispatchEntry entry_{};
};

}  // namespace uintr
