// Entries of the target table, with system calls that are everywhere in the place of those for user interrupts: an
// "entry" is a descriptor, made by dup().
//
// sources: src-native/bootstrap/error.cc src-native/drivers/uintr_abi.cc src-native/drivers/uintr_senders.cc
#include "drivers/uintr_senders.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "../check.h"

using namespace uintr;

namespace {

constexpr UintrAbi kProcessTable{"process", 0, 0, 0, SYS_dup, SYS_close, false, false};
constexpr UintrAbi kThreadTable{"thread", 0, 0, 0, SYS_dup, SYS_sched_yield, true, true};
constexpr uint64_t kReceiver = 7;

bool in_use(int32_t index) { return fcntl(index, F_GETFD) >= 0; }

int32_t taken_elsewhere(const UintrAbi& abi, int fd) {
  int32_t index = kNoUittIndex;
  std::thread([&] { index = uintr_sender_take(abi, kReceiver, fd, nullptr); }).join();
  return index;
}

}  // namespace

TEST("01 the threads of a process share an entry, which goes with its last user") {
  const int fd = eventfd(0, EFD_CLOEXEC);
  const int32_t index = uintr_sender_take(kProcessTable, kReceiver, fd, nullptr);
  CHECK(index >= 0);
  CHECK_EQ(taken_elsewhere(kProcessTable, fd), index);
  uintr_sender_give_back(kProcessTable, kReceiver);
  CHECK(in_use(index));
  uintr_sender_give_back(kProcessTable, kReceiver);
  CHECK(!in_use(index));
  close(fd);
}

TEST("02 where each thread has a table of its own none uses another's entry") {
  const int fd = eventfd(0, EFD_CLOEXEC);
  const int32_t index = uintr_sender_take(kThreadTable, kReceiver, fd, nullptr);
  CHECK(index >= 0);
  CHECK(taken_elsewhere(kThreadTable, fd) != index);
  CHECK_EQ(uintr_sender_take(kThreadTable, kReceiver, fd, nullptr), index);
  uintr_sender_give_back(kThreadTable, kReceiver);
  uintr_sender_give_back(kThreadTable, kReceiver);
  // Given back: another one is made. `index` is still the number of a descriptor.
  CHECK(uintr_sender_take(kThreadTable, kReceiver, fd, nullptr) != index);
}

TEST("03 a descriptor of nobody gives none, with the reason") {
  int why = 0;
  CHECK_EQ(uintr_sender_take(kProcessTable, kReceiver, -1, &why), kNoUittIndex);
  CHECK_EQ(why, -EBADF);
}

CHECK_MAIN("senders")
