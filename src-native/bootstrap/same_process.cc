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
  std::mutex mutex;
  std::vector<MadeFile> files;
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

}  // namespace

void OwnControl::announce(int fd) {
  file_ = file_of(fd);
  std::lock_guard lock(announced().mutex);
  announced().files.push_back(file_);
}

bool OwnControl::made(int fd) {
  const MadeFile file = file_of(fd);
  std::lock_guard lock(announced().mutex);
  const std::vector<MadeFile>& all = announced().files;
  return file != MadeFile{} && std::find(all.begin(), all.end(), file) != all.end();
}

OwnControl::~OwnControl() {
  std::lock_guard lock(announced().mutex);
  std::vector<MadeFile>& all = announced().files;
  const auto own = std::find(all.begin(), all.end(), file_);
  if (own != all.end()) all.erase(own);
}

}  // namespace uintr
