#include "receiver.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "dispositions.h"
#include "gate.h"
#include "inject.h"
#include "stats.h"
#include "strict.h"

namespace emulator {
namespace {

constexpr uint64_t kWaitingReceiver = 0x1000, kWaitingSender = 0x2000;

long make_upid(Thread& t) {
  const long fd = out_of_the_way(kernel(SYS_memfd_create, "uintr-upid", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd < 0) return fd;
  long at = kernel(SYS_ftruncate, fd, kPageBytes);
  if (at == 0) at = kernel(SYS_mmap, 0, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at < 0 && at > -4096) {
    kernel(SYS_close, fd);
    return at;
  }
  kernel(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  auto* page = reinterpret_cast<UpidPage*>(at);
  page->pid = static_cast<int>(kernel(SYS_getpid));
  page->tid = t.tid;
  page->ndst = static_cast<uint32_t>(t.tid);
  page->signal_number = config.notify_signal;
  const long task = thread_fd(t.tid);
  if (task >= 0) {
    page->task = inode_of(static_cast<int>(task));
    kernel(SYS_close, task);
  }
  page->magic = kPageMagic;
  t.upid = page;
  t.memfd = static_cast<int>(fd);
  thread_watch_end(t);
  return 0;
}

}  // namespace

long receiver_register(Thread& t, uint64_t handler, uint64_t flags) {
  const uint64_t known = config.abi == Abi::Next ? kWaitingReceiver | kWaitingSender : 0;
  if ((flags & ~known) != 0) return -EINVAL;
  if (handler == 0) return -EFAULT;
  if (t.registered) return -EBUSY;
  if (t.upid == nullptr) {
    if (const long error = make_upid(t); error != 0) return error;
  }
  t.handler = handler;
  t.flags = static_cast<uint32_t>(flags);
  t.uif = false;
  t.uirr = 0;
  t.registered = true;
  // What was posted since the last registration is still in PIR.
  unsuppress(t);
  if (config.strict && flags == 0) dispatch_on(t);
  inject_timer_on(t);
  count(k_registrations);
  return 0;
}

long receiver_unregister(Thread& t) {
  if (!t.registered) return -EINVAL;
  inject_timer_off(t);
  suppress(t);
  dispatch_off(t);
  t.registered = false;
  t.uif = false;
  __atomic_fetch_or(&t.upid->pir, t.uirr, __ATOMIC_SEQ_CST);
  t.uirr = 0;
  return 0;
}

long receiver_vector_fd(Thread& t, uint64_t vector) {
  if (vector >= kVectors) return -ENOSPC;
  if (!t.registered) return config.abi == Abi::Next ? -EINVAL : -EFAULT;
  const long fd = reopen(t.memfd);
  if (fd >= 0) kernel(SYS_lseek, fd, kVectorOffset + static_cast<long>(vector), SEEK_SET);
  return fd;
}

long receiver_wait(Thread& t, uint64_t mask, const uint64_t* microseconds) {
  if (!t.registered) return -EOPNOTSUPP;
  const uint64_t notification = bit_of(config.notify_signal);
  timespec deadline{}, now{}, left{};
  if (microseconds != nullptr) {
    kernel(SYS_clock_gettime, CLOCK_MONOTONIC, &deadline);
    const uint64_t nanoseconds = static_cast<uint64_t>(deadline.tv_nsec) + *microseconds % 1'000'000 * 1000;
    deadline.tv_sec += static_cast<long>(*microseconds / 1'000'000 + nanoseconds / 1'000'000'000);
    deadline.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  }
  // The program's handlers run meanwhile, as they do in any call that can be interrupted; the notification is taken
  // synchronously.
  const uint64_t during = mask | notification;
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &during, 0, 8);
  long result = 0;
  for (;;) {
    recognise(t);
    if (t.uirr != 0) {
      result = -EINTR;
      break;
    }
    if (microseconds != nullptr) {
      kernel(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
      left = {deadline.tv_sec - now.tv_sec, deadline.tv_nsec - now.tv_nsec};
      if (left.tv_nsec < 0) left = {left.tv_sec - 1, left.tv_nsec + 1'000'000'000};
      if (left.tv_sec < 0) break;
    }
    const long got = kernel(SYS_rt_sigtimedwait, &notification, 0, microseconds != nullptr ? &left : nullptr, 8);
    if (got == -EINTR) {
      result = -EINTR;
      break;
    }
  }
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, 0, 8);
  return result;
}

void recognise(Thread& t) {
  if (!t.registered) return;
  // SYNC POINT: emulated-upid. ON is cleared, then PIR is taken; a sender sets its bit, then ON. So a bit that is not
  // taken here belongs to a sender that finds ON clear, and notifies.
  __atomic_fetch_and(&t.upid->status, ~kOn, __ATOMIC_SEQ_CST);
  t.uirr |= __atomic_exchange_n(&t.upid->pir, 0, __ATOMIC_SEQ_CST);
}

void suppress(Thread& t) {
  if (t.upid != nullptr) __atomic_fetch_or(&t.upid->status, kSn, __ATOMIC_SEQ_CST);
}

void unsuppress(Thread& t) {
  if (t.upid == nullptr) return;
  // SYNC POINT: emulated-sn. SN is cleared, then PIR is looked at; a sender sets its bit, then reads SN.
  __atomic_fetch_and(&t.upid->status, ~kSn, __ATOMIC_SEQ_CST);
  recognise(t);
}

bool deliver(Thread& t, Context* c, Record* record) {
  if (!t.registered || !t.uif || t.uirr == 0) return false;
  const uint32_t vector = 63 - static_cast<uint32_t>(__builtin_clzll(t.uirr));
  t.uirr &= ~(uint64_t{1} << vector);
  t.uif = false;
  record->rsp = static_cast<uint64_t>(reg(c, REG_RSP));
  record->rflags = static_cast<uint64_t>(reg(c, REG_EFL));
  record->rip = static_cast<uint64_t>(reg(c, REG_RIP));
  record->vector = vector;
  record->handler = t.handler;
  // Four words for the hardware's frame, and below it one for the jump.
  record->frame = ((record->rsp - 128) & ~uint64_t{15}) - 4 * 8 - 8;
  reg(c, REG_RIP) = word(emulator_deliver);
  reg(c, REG_RSP) = word(record);
  count(k_deliveries);
  return true;
}

void undo_delivery(Thread& t, Context* c) {
  // The bits that UIRET takes from the frame (SDM, UIRET).
  constexpr uint64_t kFlags = 0x254dd5;
  const auto* frame = reinterpret_cast<const uint64_t*>(reg(c, REG_RSP));
  const uint64_t rflags = static_cast<uint64_t>(reg(c, REG_EFL));
  reg(c, REG_EFL) = static_cast<greg_t>((rflags & ~kFlags) | (frame[1] & kFlags));
  reg(c, REG_RIP) = static_cast<greg_t>(frame[0]);
  reg(c, REG_RSP) = static_cast<greg_t>(frame[2]);
  t.uif = true;
  count(k_returns);
}

}  // namespace emulator
