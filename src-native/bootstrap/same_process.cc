#include "bootstrap/same_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace uintr {
namespace {

// Never destroyed: a thread may leave a world while the process ends.
struct Announced {
  struct Control {
    MadeFile file, world;
  };
  std::mutex mutex;
  std::vector<Control> controls;
};

Announced& announced() {
  static Announced* it = new Announced;
  return *it;
}

// As if this process had made it; all zero: the kernel does not say.
MadeFile file_of(int fd) {
  struct statx status;  // not fstat, as in segments.cc
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) != 0) return {};
  return {uint64_t{status.stx_dev_major} << 32 | status.stx_dev_minor, status.stx_ino, getpid()};
}

auto find(std::vector<Announced::Control>& all, const MadeFile& file) {
  return std::find_if(all.begin(), all.end(), [&](const Announced::Control& c) { return c.file == file; });
}

}  // namespace

void OwnControl::announce(int fd) {
  file_ = file_of(fd);
  std::lock_guard lock(announced().mutex);
  announced().controls.push_back({file_, {}});
}

void OwnControl::enter(int world_fd) {
  const MadeFile world = file_of(world_fd);
  std::lock_guard lock(announced().mutex);
  const auto own = find(announced().controls, file_);
  if (own != announced().controls.end()) own->world = world;
}

OwnControl::Made OwnControl::made(int fd, int world_fd) {
  const MadeFile file = file_of(fd), world = file_of(world_fd);
  std::lock_guard lock(announced().mutex);
  const auto found = find(announced().controls, file);
  if (file == MadeFile{} || found == announced().controls.end()) return Made::No;
  return world != MadeFile{} && found->world == world ? Made::Here : Made::InAnotherWorld;
}

OwnControl::~OwnControl() {
  std::lock_guard lock(announced().mutex);
  const auto own = find(announced().controls, file_);
  if (own != announced().controls.end()) announced().controls.erase(own);
}

}  // namespace uintr
