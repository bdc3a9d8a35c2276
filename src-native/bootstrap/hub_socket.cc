#include "bootstrap/hub_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

namespace uintr {
namespace {

std::mutex mutex;

bool is_hub_socket(int fd, uint64_t inode) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET &&
         (inode == 0 || inode_of(fd) == inode);
}

}  // namespace

Fd claim_hub_socket(int fd, uint64_t inode, JoinError* error) {
  std::lock_guard lock(mutex);
  if (!is_hub_socket(fd, inode)) {
    fail(error, "ERR_UINTR_JOIN",
         "descriptor " + std::to_string(fd) + " is not the launcher's socket (was it closed, or used before?)");
    return Fd();
  }
  // Close-on-exec: a rank's own children get no rank by it.
  Fd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) fail_syscall(error, "fcntl(F_DUPFD_CLOEXEC)", errno, "cannot take the launcher's socket, descriptor " + std::to_string(fd));
  // In any case: its hang-up tells the launcher that this rank will not come.
  close(fd);
  return own;
}

void drop_hub_socket(int fd, uint64_t inode) {
  std::lock_guard lock(mutex);
  if (inode != 0 && is_hub_socket(fd, inode)) close(fd);
}

uint64_t inode_of(int fd) {
  struct statx status;
  return statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) == 0 ? status.stx_ino : 0;
}

}  // namespace uintr
