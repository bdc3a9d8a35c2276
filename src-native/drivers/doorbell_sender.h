// The other end of a doorbell's descriptor. Any thread may open and use one, one at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "drivers/doorbell_page.h"
#include "drivers/uintr_abi.h"

namespace uintr {

class DoorbellSender {
 public:
  // Keeps what it needs; `fd` stays the caller's. Null with *error: it is no doorbell's, the receiver is gone, or the
  // target table of this process is full.
  static std::unique_ptr<DoorbellSender> open(int fd, JoinError* error);
  ~DoorbellSender();

  // To a receiver that is gone: nothing, as senduipi does.
  void send();

 private:
  DoorbellSender() = default;
  bool open_signal(int fd, JoinError* error);
  bool open_uintr(int fd, JoinError* error);
  bool receiver_lives();

  // By user interrupts.
  const UintrAbi* abi_ = nullptr;
  uint64_t receiver_ = 0;  // as uintr_senders.h knows it
  int32_t index_ = -1;

  // By signals.
  DoorbellPage* page_ = nullptr;
  DoorbellIdentity to_{};
  Fd pidfd_;
  bool gone_ = false;
  uint64_t looked_at_ = 0;     // cycles
  uint64_t waiting_from_ = 0;  // cycles; 0: the receiver answered
};

}  // namespace uintr
