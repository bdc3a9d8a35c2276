// Every errno of the table, in each of the ABIs.
// run: UINTR_EMULATOR_ABI=next
// run: UINTR_EMULATOR_ABI=rfc
// run: UINTR_EMULATOR_ABI=rfc+1
#include <fcntl.h>

#include "uintr.h"

TEST("01 register_handler: EFAULT without a handler, EINVAL for a flag, EBUSY for a second one") {
  CHECK_EQ(uintr(kRegister, 0, 0), -EFAULT);
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler), 1), -EINVAL);
  CHECK_EQ(uintr(kRegister, 0, 1), -EINVAL);
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler)), 0);
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_handler)), -EBUSY);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("02 the waiting flags are uintr-next's alone") {
  for (const long flags : {0x1000, 0x2000, 0x3000}) {
    const long result = uintr(kRegister, reinterpret_cast<long>(count_handler), flags);
    CHECK_EQ(result, rfc() ? -EINVAL : 0);
    if (result == 0) CHECK_EQ(uintr(kUnregister), 0);
  }
}

TEST("03 unregister_handler: EINVAL without a handler and for a flag") {
  CHECK_EQ(uintr(kUnregister), -EINVAL);
  become_receiver();
  CHECK_EQ(uintr(kUnregister, 1), -EINVAL);
  CHECK_EQ(uintr(kUnregister), 0);
  CHECK_EQ(uintr(kUnregister), -EINVAL);
}

TEST("04 vector_fd: without a handler, above 63, with a flag; close-on-exec") {
  CHECK_EQ(uintr(kVectorFd, 0), rfc() ? -EFAULT : -EINVAL);
  become_receiver();
  CHECK_EQ(uintr(kVectorFd, 64), -ENOSPC);
  CHECK_EQ(uintr(kVectorFd, 0, 1), -EINVAL);
  const int first = vector_fd(0), last = vector_fd(63);
  CHECK(first != last);
  CHECK_EQ(fcntl(first, F_GETFD), FD_CLOEXEC);
  close(first);
  close(last);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("05 register_sender: EBADF, EOPNOTSUPP for another descriptor, EINVAL for a flag") {
  CHECK_EQ(uintr(kSender, 999), -EBADF);
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uintr(kSender, fds[0]), -EOPNOTSUPP);
  const int file = open("/proc/self/exe", O_RDONLY);
  CHECK_EQ(uintr(kSender, file), -EOPNOTSUPP);
  const int memory = memfd_create("other", 0);
  CHECK_EQ(uintr(kSender, memory), -EOPNOTSUPP);
  become_receiver();
  const int fd = vector_fd(1);
  CHECK_EQ(uintr(kSender, fd, 1), -EINVAL);
  for (const int f : {fds[0], fds[1], file, memory, fd}) close(f);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("06 the same descriptor twice: two indices, or EISCONN in the RFC") {
  become_receiver();
  const int fd = vector_fd(1);
  const uint64_t one = sender(fd);
  const long two = uintr(kSender, fd);
  if (rfc()) {
    CHECK_EQ(two, -EISCONN);
  } else {
    CHECK(two >= 0 && static_cast<uint64_t>(two) != one);
    CHECK_EQ(remove_sender(static_cast<uint64_t>(two), fd), 0);
  }
  // Another thread's table is another one in the RFC.
  Thread t{[&] { CHECK_EQ(remove_sender(sender(fd), fd), 0); }};
  t.join();
  CHECK_EQ(remove_sender(one, fd), 0);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("07 256 senders per process, then ENOSPC; closing descriptors frees no entry, unregistering does") {
  become_receiver();
  std::vector<int> fds;
  std::vector<uint64_t> indices;
  std::vector<bool> seen(256);
  // The RFC refuses a vector twice, so there are four receivers.
  const auto fill = [&] {
    for (int v = 0; v < 64; ++v) {
      fds.push_back(vector_fd(v));
      indices.push_back(sender(fds.back()));
      CHECK(indices.back() < 256 && !seen[indices.back()]);
      seen[indices.back()] = true;
    }
  };
  // With the RFC's kernels each thread has a table of its own.
  for (int i = 0; i < (rfc() ? 0 : 3); ++i) {
    Thread t{[&] {
      become_receiver();
      fill();
    }};
    t.join();
  }
  fill();
  const int more = memfd_create("more", 0);
  close(more);
  const int again = vector_fd(5);
  if (!rfc()) CHECK_EQ(uintr(kSender, again), -ENOSPC);
  for (size_t i = 0; i < indices.size(); ++i) {
    if (!rfc()) close(fds[i]);
  }
  const int last = vector_fd(6);
  if (!rfc()) CHECK_EQ(uintr(kSender, last), -ENOSPC);
  for (size_t i = 0; i < indices.size(); ++i) {
    CHECK_EQ(remove_sender(indices[i], fds[i]), 0);
    if (rfc()) close(fds[i]);
  }
  const uint64_t free_again = sender(last);
  CHECK_EQ(remove_sender(free_again, last), 0);
  close(again);
  close(last);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("08 unregister_sender: what is not registered") {
  become_receiver();
  const int fd = vector_fd(1);
  if (rfc()) {
    CHECK_EQ(uintr(kUnsender, 999), -EBADF);
    CHECK_EQ(uintr(kUnsender, 1), -EOPNOTSUPP);
    CHECK_EQ(uintr(kUnsender, fd), -EINVAL);
  } else {
    CHECK_EQ(uintr(kUnsender, 0), -EINVAL);
    CHECK_EQ(uintr(kUnsender, 256), -EINVAL);
    CHECK_EQ(uintr(kUnsender, -1), -EINVAL);
  }
  const uint64_t index = sender(fd);
  CHECK_EQ(uintr(kUnsender, rfc() ? fd : static_cast<long>(index), 1), -EINVAL);
  CHECK_EQ(remove_sender(index, fd), 0);
  CHECK_EQ(remove_sender(index, fd), -EINVAL);
  close(fd);
  CHECK_EQ(uintr(kUnregister), 0);
}

TEST("09 register_sender: ESHUTDOWN once the receiver's thread, or its process, has ended") {
  int fd = -1;
  Thread t{[&] {
    become_receiver();
    fd = vector_fd(1);
  }};
  t.join();
  CHECK_EQ(uintr(kSender, fd), -ESHUTDOWN);
  close(fd);
}

TEST("10 wait: EOPNOTSUPP without a handler, EINVAL for a flag and for more than 1000 s, 0 on timeout") {
  if (rfc()) {
    CHECK_EQ(uintr(kWait, 1), -EINVAL);
    CHECK_EQ(uintr(kWait, 0), -EOPNOTSUPP);
    return;
  }
  CHECK_EQ(uintr(kWait, 1000), -EOPNOTSUPP);
  become_receiver();
  CHECK_EQ(uintr(kWait, 1000, 1), -EINVAL);
  CHECK_EQ(uintr(kWait, 1'000'000'001), -EINVAL);
  CHECK_EQ(uintr(kWait, 1000), 0);
  CHECK_EQ(uintr(kUnregister), 0);
}

CHECK_MAIN("calls")
