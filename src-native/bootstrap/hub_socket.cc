#include "bootstrap/hub_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>

namespace uintr {
namespace {

bool is_hub_socket(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

}  // namespace

Fd claim_hub_socket(int fd, uint64_t inode) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  if (!is_hub_socket(fd) || (inode != 0 && inode_of(fd) != inode)) return Fd();
  // Close-on-exec: a rank's own children get no rank by it.
  Fd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (own) close(fd);
  return own;
}

uint64_t inode_of(int fd) {
  struct statx status;
  return statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) == 0 ? status.stx_ino : 0;
}

}  // namespace uintr
