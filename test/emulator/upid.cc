#include "upid.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate.h"

namespace emulator {
namespace {

constexpr long kPidfdThread = O_EXCL;
constexpr int kFarAway = 900;

// The kernel's struct stat is the library's on this processor.
bool stat_of(long fd, struct stat* out) { return kernel(SYS_fstat, fd, out) == 0; }

}  // namespace

long reopen(int fd) {
  char path[32] = "/proc/self/fd/";
  char digits[12];
  int n = 0, at = 14;
  do {
    digits[n++] = static_cast<char>('0' + fd % 10);
    fd /= 10;
  } while (fd != 0);
  while (n > 0) path[at++] = digits[--n];
  path[at] = 0;
  return kernel(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
}

UpidPage* upid_map(int fd, uint32_t* vector, uint64_t* inode) {
  const long offset = kernel(SYS_lseek, fd, 0, SEEK_CUR);
  if (offset < kVectorOffset || offset >= kVectorOffset + static_cast<long>(kVectors)) return nullptr;
  // Only a sealed memfd of that size may be touched: any other could shrink under the mapping.
  if (kernel(SYS_fcntl, fd, F_GET_SEALS) != (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)) return nullptr;
  struct stat s;
  if (!stat_of(fd, &s) || s.st_size != static_cast<long>(kPageBytes)) return nullptr;
  const long at = kernel(SYS_mmap, 0, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at < 0 && at > -4096) return nullptr;
  auto* page = reinterpret_cast<UpidPage*>(at);
  if (page->magic != kPageMagic) {
    upid_unmap(page);
    return nullptr;
  }
  *vector = static_cast<uint32_t>(offset - kVectorOffset);
  *inode = s.st_ino;
  return page;
}

void upid_unmap(UpidPage* page) { kernel(SYS_munmap, page, kPageBytes); }

long out_of_the_way(long fd) {
  if (fd < 0) return fd;
  const long far = kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, kFarAway);
  if (far < 0) return fd;
  kernel(SYS_close, fd);
  return far;
}

long thread_fd(int tid) { return out_of_the_way(kernel(SYS_pidfd_open, tid, kPidfdThread)); }

uint64_t inode_of(int fd) {
  struct stat s;
  return stat_of(fd, &s) ? s.st_ino : 0;
}

}  // namespace emulator
