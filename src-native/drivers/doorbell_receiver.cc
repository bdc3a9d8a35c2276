#include "drivers/doorbell_receiver.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "bootstrap/memfd.h"
#include "bootstrap/namespace.h"
#include "drivers/disposition.h"
#include "drivers/doorbell_page.h"
#include "drivers/driver.h"
#include "drivers/start_time.h"
#include "drivers/uintr_probe.h"
#include "drivers/uintr_thread.h"
#include "drivers/vectors.h"

namespace uintr {

std::unique_ptr<DoorbellReceiver> DoorbellReceiver::open(Choice choice, const std::string& signal, JoinError* error) {
  std::unique_ptr<DoorbellReceiver> receiver(new DoorbellReceiver);
  receiver->event_fd_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!receiver->event_fd_) {
    fail_syscall(error, "eventfd", errno, "no descriptor for the receiver");
    return nullptr;
  }
  receiver->state_.event_fd = receiver->event_fd_.get();
  dispatch_touch();
  if (choice != Choice::Signal) {
    const UintrProbe& probe = uintr_probe();
    if (probe.abi != nullptr) {
      if (receiver->open_uintr(*probe.abi, error)) return receiver;
      if (choice == Choice::Uintr) return nullptr;
      // Say another library has this thread's handler.
    } else if (choice == Choice::Uintr) {
      fail(error, "ERR_UINTR_UNSUPPORTED", "driver 'uintr': " + probe.reason);
      return nullptr;
    }
  }
  return receiver->open_signal(signal, error) ? std::move(receiver) : nullptr;
}

bool DoorbellReceiver::open_uintr(const UintrAbi& abi, JoinError* error) {
  if (!uintr_thread_open(abi, error)) return false;
  abi_ = &abi;
  return true;
}

bool DoorbellReceiver::open_signal(const std::string& signal, JoinError* error) {
  int number = 0;
  if (!parse_signal(signal, &number, error) || !disposition_take(number, error)) return false;
  signal_number_ = number;
  thread_mask_take(number);
  signal_changes_ = disposition_changes();
  return true;
}

// Senders first: a signal that is under way finds the handler still in place.
DoorbellReceiver::~DoorbellReceiver() {
  for (auto& slot : slots_) {
    if (slot == nullptr) continue;
    const uint32_t vector = slot->vector.entry.vector;
    slot.reset();
    vector_give_back(vector);
  }
  if (signal_number_ != 0) {
    thread_mask_give_back(signal_number_);
    disposition_give_back(signal_number_);
  }
  if (abi_ != nullptr) uintr_thread_close(*abi_);
}

DoorbellReceiver::Slot::~Slot() {
  if (page != nullptr) {
    page->closed.exchange_sc(1);
    page->upid.status.or_sc(kUpidSn);
  }
  dispatch_remove(&vector.entry);
  if (page != nullptr) munmap(page, kDoorbellBytes);
}

int DoorbellReceiver::create_fd(uint32_t vector, JoinError* error) {
  if (!vector_take_this(vector)) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT",
         "'vector' must be one that this thread does not use; it is " + std::to_string(vector));
    return -1;
  }
  auto slot = std::make_unique<Slot>();
  Fd page_fd;
  if (abi_ == nullptr) {
    page_fd.reset(create_page(vector, slot.get(), error));
    if (!page_fd) {
      vector_give_back(vector);
      return -1;
    }
  }
  slot->vector.state = &state_;
  slot->vector.entry.upid = slot->page == nullptr ? nullptr : &slot->page->upid;
  slot->vector.entry.vector = vector;
  slot->vector.entry.run = doorbell_run;
  slot->vector.entry.self = &slot->vector;
  dispatch_add(&slot->vector.entry);
  // Not before there is somebody to take what it sends.
  const int fd = abi_ == nullptr ? page_fd.release() : uintr_thread_fd(*abi_, vector, error);
  if (fd < 0) {
    slot.reset();
    vector_give_back(vector);
    return -1;
  }
  slots_[vector] = std::move(slot);
  return fd;
}

int DoorbellReceiver::create_page(uint32_t vector, Slot* slot, JoinError* error) const {
  const auto tid = static_cast<int32_t>(syscall(SYS_gettid));
  int short_of = 0;
  const DoorbellIdentity identity{kDoorbellMagic, kDoorbellVersion,
                                  vector,         getpid(),
                                  tid,            signal_number_,
                                  0,              thread_start_time(getpid(), tid, &short_of),
                                  pid_namespace()};
  if (short_of != 0) {
    fail_syscall(error, "open", short_of, "no memory for a doorbell");
    return -1;
  }
  if (identity.start_time == 0 || identity.pid_namespace == 0) {
    fail(error, "ERR_UINTR_UNSUPPORTED", "doorbells by signals need /proc: senders tell by it whom they signal");
    return -1;
  }
  Fd fd;
  unsigned char* memory = nullptr;
  // A sender may touch every byte of what it has mapped.
  if (!make_memfd("uintr-doorbell", kDoorbellBytes, kSizeSeals, &fd, &memory, "no memory for a doorbell", error)) {
    return -1;
  }
  slot->page = reinterpret_cast<DoorbellPage*>(memory);
  slot->page->identity = identity;
  if (lost_) slot->page->upid.status.or_sc(kUpidSn);
  return fd.release();
}

uint64_t DoorbellReceiver::count(uint32_t vector) const {
  return vector < 64 && slots_[vector] != nullptr ? slots_[vector]->vector.count.acquire() : 0;
}

bool DoorbellReceiver::arm() {
  look();
  return doorbell_arm(&state_);
}

void DoorbellReceiver::disarm() {
  if (!doorbell_disarm(&state_)) return;
  uint64_t rings;
  [[maybe_unused]] const ssize_t n = read(event_fd_.get(), &rings, sizeof rings);
}

void DoorbellReceiver::look() {
  if (signal_number_ == 0) return;
  for (auto& slot : slots_) {
    if (slot == nullptr) continue;
    const Upid& upid = slot->page->upid;
    if ((upid.status.relaxed() & kUpidOn) != 0 || upid.pir.relaxed() != 0) dispatch_entry(&slot->vector.entry);
  }
}

void DoorbellReceiver::check_signal() {
  if (signal_number_ == 0 || lost_) return;
  if (disposition_is_ours(signal_number_)) return;
  lost_ = true;
  // Nobody would hear a signal but the program, to which it means something else.
  for (auto& slot : slots_) {
    if (slot != nullptr) slot->page->upid.status.or_sc(kUpidSn);
  }
  disposition_spare(signal_number_);
}

}  // namespace uintr
