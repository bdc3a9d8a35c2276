#include "drivers/uintr_senders.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <utility>

#include "bootstrap/fd.h"
#include "bootstrap/random.h"

namespace uintr {
namespace {

struct Entry {
  uint32_t index;
  unsigned users;
  Fd fd;  // of a kernel that unregisters by descriptor: one of our own, which lives as long as the entry
};
using Key = std::pair<long, uint64_t>;  // thread, 0 where all share one table; receiver
std::mutex mutex;
std::map<Key, Entry>& entries() {
  static auto* all = new std::map<Key, Entry>;  // never destroyed: threads may end after main()
  return *all;
}

Key key_of(const UintrAbi& abi, uint64_t receiver) {
  return {abi.table_per_thread ? syscall(SYS_gettid) : 0, receiver};
}

bool same_file(int a, int b) { return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b) == 0; }

}  // namespace

uint64_t uintr_sender_name(const UintrAbi& abi, int fd) {
  std::lock_guard lock(mutex);
  const long thread = key_of(abi, 0).first;
  for (const auto& [key, entry] : entries()) {
    if (key.first == thread && entry.fd && same_file(entry.fd.get(), fd)) return key.second;
  }
  return random_word();
}

int32_t uintr_sender_take(const UintrAbi& abi, uint64_t receiver, int fd, int* why) {
  std::lock_guard lock(mutex);
  const Key key = key_of(abi, receiver);
  auto found = entries().find(key);
  if (found == entries().end()) {
    Fd own;
    if (abi.unregisters_by_fd) own.reset(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const long got = abi.unregisters_by_fd && !own ? -errno : uintr_register_sender(abi, fd);
    if (got < 0) {
      if (why != nullptr) *why = static_cast<int>(got);
      return kNoUittIndex;
    }
    found = entries().emplace(key, Entry{static_cast<uint32_t>(got), 0, std::move(own)}).first;
  }
  ++found->second.users;
  return static_cast<int32_t>(found->second.index);
}

void uintr_sender_give_back(const UintrAbi& abi, uint64_t receiver) {
  std::lock_guard lock(mutex);
  auto found = entries().find(key_of(abi, receiver));
  if (found == entries().end() || --found->second.users > 0) return;
  uintr_unregister_sender(abi, found->second.index, found->second.fd.get());
  entries().erase(found);
}

}  // namespace uintr
