#include "drivers/doorbell_sender.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "bootstrap/memfd.h"
#include "bootstrap/namespace.h"
#include "drivers/driver.h"
#include "drivers/start_time.h"
#include "drivers/uintr_probe.h"
#include "drivers/uintr_senders.h"

namespace uintr {
namespace {

// About a millisecond. The kernel hands out all other pids before it uses one again, and so not within that time.
constexpr uint64_t kLookCycles = 1 << 21;
// A receiver that has not answered for this long may never have been signalled.
constexpr uint64_t kOverdueCycles = 1 << 21;

bool no_doorbell(JoinError* error, int fd) {
  return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
              "'fd' must be a descriptor that createFd() of a process of this user made; it is " + std::to_string(fd));
}

bool receiver_gone(JoinError* error, int fd, int error_number) {
  fail(error, "ERR_UINTR_PEER_EXITED", "the receiver of the doorbell " + std::to_string(fd) + " is gone");
  if (error != nullptr) error->error_number = error_number;
  return false;
}

// The page of a doorbell, if `fd` is one that can be touched without harm; *why: there is no memory to map it.
DoorbellPage* map_page(int fd, int* why) {
  // Of this user, too: a sender that may signal everybody, root, signals nobody on another user's word.
  if (!check_memfd(fd, kDoorbellBytes, kSizeSeals, "", nullptr)) return nullptr;
  void* memory = mmap(nullptr, kDoorbellBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return *why = errno, nullptr;
  auto* page = static_cast<DoorbellPage*>(memory);
  if (page->identity.magic == kDoorbellMagic) return page;
  munmap(memory, kDoorbellBytes);
  return nullptr;
}

}  // namespace

std::unique_ptr<DoorbellSender> DoorbellSender::open(int fd, JoinError* error) {
  std::unique_ptr<DoorbellSender> sender(new DoorbellSender);
  int unmapped = 0;
  sender->page_ = fd < 0 ? nullptr : map_page(fd, &unmapped);
  if (unmapped != 0) {
    fail_syscall(error, "mmap", unmapped, "doorbell " + std::to_string(fd));
    return nullptr;
  }
  const bool opened = sender->page_ != nullptr ? sender->open_signal(fd, error) : sender->open_uintr(fd, error);
  return opened ? std::move(sender) : nullptr;
}

DoorbellSender::~DoorbellSender() {
  if (page_ != nullptr) munmap(page_, kDoorbellBytes);
  if (index_ >= 0) uintr_sender_give_back(*abi_, receiver_);
}

bool DoorbellSender::open_uintr(int fd, JoinError* error) {
  if (fd < 0 || fcntl(fd, F_GETFD) < 0) return no_doorbell(error, fd);
  abi_ = uintr_probe().abi;
  if (abi_ == nullptr) return no_doorbell(error, fd);
  int why = 0;
  // Again where another thread has made a sender of the same descriptor in between.
  for (int tries = 0; tries == 0 || (why == -EISCONN && tries < 2); ++tries) {
    why = 0;
    receiver_ = uintr_sender_name(*abi_, fd);
    index_ = uintr_sender_take(*abi_, receiver_, fd, &why);
  }
  switch (-why) {
    case 0:
      return true;
    case EOPNOTSUPP:
    case EBADF:
    case EINVAL:
      return no_doorbell(error, fd);
    case ESHUTDOWN:
    case ECONNRESET:
      return receiver_gone(error, fd, -why);
    default:
      return fail_syscall(error, "uintr_register_sender", -why, "doorbell " + std::to_string(fd));
  }
}

bool DoorbellSender::open_signal(int fd, JoinError* error) {
  to_ = page_->identity;
  if (to_.version != kDoorbellVersion) {
    return fail(error, "ERR_UINTR_UNSUPPORTED",
                "the doorbell " + std::to_string(fd) + " is of another version of this package");
  }
  // What a receiver never writes. Whoever holds the descriptor can write to it, and a sender signals nobody in a way
  // that a receiver would not have asked for.
  if (to_.vector > 63 || to_.pid <= 0 || to_.tid <= 0 || to_.start_time == 0 || !signal_is_usable(to_.signal_number)) {
    return no_doorbell(error, fd);
  }
  if (to_.pid_namespace != pid_namespace()) {
    return fail(error, "ERR_UINTR_UNSUPPORTED",
                "the receiver of the doorbell " + std::to_string(fd) +
                    " is in another PID namespace, where a signal cannot be sent to it");
  }
  if (page_->closed.acquire() != 0) return receiver_gone(error, fd, 0);
  // The pidfd first: what the start time confirms is the process that it stands for.
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, to_.pid, 0)));
  if (!pidfd_ && is_shortage(errno)) return fail_syscall(error, "pidfd_open", errno, "cannot watch the receiver");
  int short_of = 0;
  const bool begun_then = thread_start_time(to_.pid, to_.tid, &short_of) == to_.start_time;
  if (short_of != 0) return fail_syscall(error, "open", short_of, "cannot look at the receiver");
  if (!begun_then) return receiver_gone(error, fd, ESRCH);
  looked_at_ = arch::cycles();
  return true;
}

bool DoorbellSender::receiver_lives() {
  // Kernels before 5.3 have no pidfds.
  int short_of = 0;
  if (!pidfd_) return thread_start_time(to_.pid, to_.tid, &short_of) == to_.start_time || short_of != 0;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  return poll(&ended, 1, 0) == 0;
}

void DoorbellSender::send() {
  if (index_ >= 0) return arch::senduipi(static_cast<uint64_t>(index_));
  if (gone_) return;
  Upid& upid = page_->upid;
  // SYNC POINT: upid, as in ports_handler.cc.
  upid.pir.or_sc(uint64_t{1} << to_.vector);
  const uint32_t before = upid.status.or_sc(kUpidOn);
  // SN: it is closed, or looks by itself.
  if ((before & kUpidSn) != 0) return;
  if ((before & kUpidOn) == 0) {
    waiting_from_ = 0;
  } else {
    // The sender that set ON signals, unless it was killed before it could.
    const uint64_t now = arch::cycles();
    if (waiting_from_ == 0) waiting_from_ = now;
    if (now - waiting_from_ < kOverdueCycles) return;
    waiting_from_ = now;
  }
  const uint64_t now = arch::cycles();
  if (now - looked_at_ > kLookCycles) {
    if (!receiver_lives()) {
      gone_ = true;
      return;
    }
    looked_at_ = now;
  }
  if (arch::syscall(SYS_tgkill, to_.pid, to_.tid, to_.signal_number) == 0) return;
  // A queue of real-time signals can be full; with ON left set nobody would try again.
  upid.status.and_sc(~kUpidOn);
}

}  // namespace uintr
