// Driver 'uintr': an interrupt is one instruction, senduipi, with no system call on either side. Where it cannot go to a
// peer (its own driver is another, the target table is full) that pair uses the signal, which is installed too: it also
// frees a peer that a dead sender left half interrupted.
#pragma once

#include <vector>

#include "drivers/signal.h"
#include "drivers/uintr_abi.h"

namespace uintr {

class UintrDriver final : public SignalDriver {
 public:
  bool open(const UintrAbi& abi, const std::string& signal_name, JoinError* error);
  ~UintrDriver() override;

  int vector_fd() const override { return vector_fd_.get(); }
  bool interrupt_wakes() const override { return false; }
  void create(Joined* joined) override;
  void replace(uint32_t peer, Joined* joined) override;
  // Without the signal only those peers are heard late that cannot send user interrupts.
  bool still_ours() override;

 private:
  const UintrAbi* abi_ = nullptr;  // not null: this thread's handler is registered
  Fd vector_fd_;
  void take_sender(uint32_t peer, Joined* joined);

  struct Sender {
    uint32_t peer;
    uint64_t receiver;
  };
  std::vector<Sender> senders_;  // whose entries this driver uses
};

}  // namespace uintr
