// The program's own vectors on the calling thread (lib/doorbell.ts), by user interrupts or by signals. All functions
// belong to the thread that opened it.
#pragma once

#include <memory>
#include <string>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "drivers/doorbell.h"
#include "drivers/uintr_abi.h"

namespace uintr {

struct DoorbellPage;

class DoorbellReceiver {
 public:
  enum class Choice { Auto, Uintr, Signal };

  // Null with *error: user interrupts were asked for and do not work here, or a handler of the program's own is in the
  // way.
  static std::unique_ptr<DoorbellReceiver> open(Choice choice, const std::string& signal, JoinError* error);
  ~DoorbellReceiver();

  const char* driver() const { return abi_ != nullptr ? "uintr" : "signal"; }
  // A descriptor of the caller's, close-on-exec, by which others may send that vector. -1 with *error.
  int create_fd(uint32_t vector, JoinError* error);
  uint64_t count(uint32_t vector) const;
  bool pending() const { return state_.pending.acquire() != 0; }
  uint64_t take() { return state_.pending.exchange_sc(0); }

  // ---- sleeping: on event_fd(), if arm() says so
  int event_fd() const { return event_fd_.get(); }
  bool arm();
  void disarm();
  // An interrupt ends a sleep. Else only a return from the kernel shows what came.
  bool interrupt_wakes() const { return abi_ == nullptr && !lost_; }
  // Takes what was announced and not signalled: its sender was killed between the two steps, or there is no handler.
  void look();

  // Notices that the program has put its own handler in the place of ours. From then on look() is all there is.
  void check_signal();
  bool lost() const { return lost_; }

 private:
  // Of a vector that has a descriptor. The page is of the signal driver only.
  struct Slot {
    DoorbellVector vector{};
    DoorbellPage* page = nullptr;
    ~Slot();
  };

  DoorbellReceiver() = default;
  bool open_signal(const std::string& signal, JoinError* error);
  bool open_uintr(const UintrAbi& abi, JoinError* error);
  int create_page(uint32_t vector, Slot* slot, JoinError* error) const;

  DoorbellState state_{};
  Fd event_fd_;
  std::unique_ptr<Slot> slots_[64];
  const UintrAbi* abi_ = nullptr;  // not null: user interrupts, and the thread is registered
  int signal_number_ = 0;          // not 0: its handler is installed
  bool lost_ = false;
  uint32_t signal_changes_ = 0;  // of disposition_changes()
};

}  // namespace uintr
