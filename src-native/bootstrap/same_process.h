// Which peers are threads of this process, so that addresses mean the same to both. A pid does not prove it: it may be of
// another namespace, and what a peer says of itself is its word. The control segment does: the kernel tells by its inode
// that this process has made it, and nobody else can ever have mapped it writable (F_SEAL_FUTURE_WRITE). A stranger that
// shows it as its own can say nothing there; every address in it is this process's.
#pragma once

#include <cstdint>

namespace uintr {

struct MadeFile {
  uint64_t device = 0, inode = 0;
  int32_t by = 0;  // a forked child inherits the list, and is another process

  bool operator==(const MadeFile&) const = default;
};

// While it lives, other threads of this process recognize the control segment.
class OwnControl {
 public:
  OwnControl() = default;
  OwnControl(const OwnControl&) = delete;
  ~OwnControl();

  // `fd`: of a memfd that this process has just made. Where the kernel does not tell, no peer will recognize it.
  void announce(int fd);
  // Its rank is in the world with this segment.
  void enter(int world_fd);
  // Any thread. Was it announced, and is its rank still there; and in that world? A peer may have the descriptor from
  // another one.
  enum class Made { No, Here, InAnotherWorld };
  static Made made(int fd, int world_fd);

 private:
  MadeFile file_;
};

}  // namespace uintr
