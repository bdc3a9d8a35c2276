#include "uitt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"
#include "inject.h"
#include "refuse.h"
#include "stats.h"

namespace emulator {
namespace {

enum State : uint32_t { Free, Claimed, Valid };

// Of the process: a forked child has a copy, pidfds and mappings included.
struct Entry {
  uint32_t state;
  uint32_t users;  // senduipi that are under way
  UpidPage* page;
  uint64_t inode;
  int task;        // pidfd of the receiver; -1: this kernel has none for threads
  uint32_t vector;
  long owner;      // owner_now() of who registered
};
Entry table[kUittEntries];
uint32_t valid_entries;

bool valid(const Entry& e) { return __atomic_load_n(&e.state, __ATOMIC_SEQ_CST) == Valid; }

// Whose table: in uintr-next the process's, with the RFC's kernels each thread's own.
long owner_now() { return config.abi == Abi::Next ? 0 : kernel(SYS_gettid); }

bool usable(const Entry& e) { return valid(e) && e.owner == owner_now(); }

// The pidfd of the thread that registered; -ESHUTDOWN: it is gone, and maybe its number is another's by now.
long open_task(const UpidPage* page) {
  if (__atomic_load_n(&page->ended, __ATOMIC_SEQ_CST) != 0) return -ESHUTDOWN;
  const long fd = thread_fd(page->tid);
  if (fd == -EINVAL && page->task == 0) return kernel(SYS_tgkill, page->pid, page->tid, 0) == 0 ? -1 : -ESHUTDOWN;
  if (fd < 0) return fd == -EMFILE || fd == -ENFILE ? fd : -ESHUTDOWN;
  pollfd ended{static_cast<int>(fd), POLLIN, 0};
  if (inode_of(static_cast<int>(fd)) == page->task && kernel(SYS_poll, &ended, 1, 0) == 0) return fd;
  kernel(SYS_close, fd);
  return -ESHUTDOWN;
}

Entry* claim() {
  for (Entry& e : table) {
    uint32_t expected = Free;
    if (__atomic_compare_exchange_n(&e.state, &expected, Claimed, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return &e;
  }
  return nullptr;
}

bool connected(uint64_t inode, uint32_t vector) {
  for (const Entry& e : table) {
    if (usable(e) && e.inode == inode && e.vector == vector) return true;
  }
  return false;
}

void drop(Entry& e) {
  // SYNC POINT: uitt-users. The state was changed first; who counted itself in before may still write.
  while (__atomic_load_n(&e.users, __ATOMIC_SEQ_CST) != 0) kernel(SYS_sched_yield);
  upid_unmap(e.page);
  if (e.task >= 0) kernel(SYS_close, e.task);
  __atomic_store_n(&e.state, Free, __ATOMIC_SEQ_CST);
}

void notify(Entry& e) {
  const long result = e.task >= 0 ? kernel(SYS_pidfd_send_signal, e.task, e.page->signal_number, 0, 0)
                                  : kernel(SYS_tgkill, e.page->pid, e.page->tid, e.page->signal_number);
  if (result == -ESRCH) {
    count(k_undeliverable);
  } else if (result != 0) {
    refuse("the notification of thread %d failed (errno %ld)", e.page->tid, -result);
  }
}

}  // namespace

long uitt_add(int fd) {
  if (const long flags = kernel(SYS_fcntl, fd, F_GETFD); flags < 0) return flags;
  uint32_t vector;
  uint64_t inode;
  UpidPage* page = upid_map(fd, &vector, &inode);
  if (page == nullptr) return -EOPNOTSUPP;
  long result = open_task(page);
  Entry* e = nullptr;
  if (result >= -1) {
    const int task = static_cast<int>(result);
    if (config.abi != Abi::Next && connected(inode, vector)) {
      result = -EISCONN;
    } else if (e = claim(); e == nullptr) {
      result = -ENOSPC;
    } else {
      e->page = page;
      e->inode = inode;
      e->task = task;
      e->vector = vector;
      e->owner = owner_now();
      __atomic_fetch_add(&valid_entries, 1, __ATOMIC_SEQ_CST);
      __atomic_store_n(&e->state, Valid, __ATOMIC_SEQ_CST);
      return e - table;
    }
    if (task >= 0) kernel(SYS_close, task);
  }
  upid_unmap(page);
  return result;
}

long uitt_remove(uint64_t index) {
  uint32_t expected = Valid;
  if (index >= kUittEntries || !__atomic_compare_exchange_n(&table[index].state, &expected, Claimed, false,
                                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    return -EINVAL;
  }
  __atomic_fetch_sub(&valid_entries, 1, __ATOMIC_SEQ_CST);
  drop(table[index]);
  return 0;
}

long uitt_remove_fd(int fd) {
  if (const long flags = kernel(SYS_fcntl, fd, F_GETFD); flags < 0) return flags;
  uint32_t vector;
  uint64_t inode;
  UpidPage* page = upid_map(fd, &vector, &inode);
  if (page == nullptr) return -EOPNOTSUPP;
  upid_unmap(page);
  for (uint32_t i = 0; i < kUittEntries; ++i) {
    if (usable(table[i]) && table[i].inode == inode && table[i].vector == vector) return uitt_remove(i);
  }
  return -EINVAL;
}

void uitt_after_fork() {
  for (Entry& e : table) {
    e.users = 0;
    e.owner = owner_now();  // the copy's only thread
  }
}

bool uitt_in_use() {
  if (config.abi == Abi::Next) return __atomic_load_n(&valid_entries, __ATOMIC_SEQ_CST) != 0;
  for (const Entry& e : table) {
    if (usable(e)) return true;
  }
  return false;
}

bool uitt_valid(uint64_t index) { return index < kUittEntries && usable(table[index]); }

void uitt_send(Thread& t, uint64_t index) {
  Entry& e = table[index];
  // SYNC POINT: uitt-users. Counted in, then looked whether the entry still is; drop() changes the state, then waits.
  __atomic_fetch_add(&e.users, 1, __ATOMIC_SEQ_CST);
  if (valid(e)) {
    count(k_sends);
    // SYNC POINT: emulated-upid, emulated-sn. The bit in PIR first, then ON and SN.
    __atomic_fetch_or(&e.page->pir, uint64_t{1} << e.vector, __ATOMIC_SEQ_CST);
    inject_between_steps(t);
    uint32_t status = __atomic_load_n(&e.page->status, __ATOMIC_SEQ_CST);
    while ((status & (kOn | kSn)) == 0 &&
           !__atomic_compare_exchange_n(&e.page->status, &status, status | kOn, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
    }
    if ((status & kSn) != 0) {
      count(k_suppressed);
    } else if ((status & kOn) != 0) {
      count(k_coalesced);
    } else {
      count(k_notifications);
      inject_before_notification(t);
      notify(e);
    }
  }
  __atomic_fetch_sub(&e.users, 1, __ATOMIC_SEQ_CST);
}

}  // namespace emulator
