#include "bootstrap/memfd.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>

namespace uintr {
namespace {

constexpr uint64_t kPage = 4096;
constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL, Linux 6.3

// Not to be executed by anybody, where the kernel knows of that; hardened ones make no other (vm.memfd_noexec).
int create(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal);
  return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

}  // namespace

bool make_memfd(const char* name, uint64_t bytes, int seals, Fd* out, unsigned char** base, const std::string& what,
                JoinError* error) {
  Fd fd(create(name));
  if (!fd) return fail_syscall(error, "memfd_create", errno, what);
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return fail_syscall(error, "ftruncate", errno, what);
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (at == MAP_FAILED) return fail_syscall(error, "mmap", errno, what);
  if (fcntl(fd.get(), F_ADD_SEALS, seals) != 0) {
    const int failed = errno;
    munmap(at, bytes);
    return fail_syscall(error, "fcntl(F_ADD_SEALS)", failed, what);
  }
  *out = std::move(fd);
  *base = static_cast<unsigned char*>(at);
  return true;
}

int commit_memfd(int fd, uint64_t at, uint64_t end) {
  // In pieces, because a signal makes the kernel give up and undo the whole call (mm/shmem.c, shmem_fallocate): under a
  // stream of interrupts a long call would never end, while a page at a time always does.
  uint64_t piece = uint64_t{2} << 20;
  while (at < end) {
    const uint64_t n = end - at < piece ? end - at : piece;
    if (fallocate(fd, 0, static_cast<off_t>(at), static_cast<off_t>(n)) == 0) {
      at += n;
    } else if (errno != EINTR) {
      return errno;
    } else if (piece > kPage) {
      piece /= 2;
    }
  }
  return 0;
}

bool check_memfd(int fd, uint64_t bytes, int seals, const std::string& whose, JoinError* error) {
  const int found = fcntl(fd, F_GET_SEALS);
  if (found < 0) return fail(error, "ERR_UINTR_PROTOCOL", whose + " is not a memfd");
  if ((found & seals) != seals) {
    return fail(error, "ERR_UINTR_PROTOCOL",
                whose + " lacks seals: it has " + std::to_string(found) + ", needed are " + std::to_string(seals));
  }
  // statx, because fstat of a current glibc has a symbol version that older systems lack.
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_UID, &status) != 0) {
    return fail_syscall(error, "statx", errno, whose);
  }
  if (status.stx_size != bytes) {
    return fail(error, "ERR_UINTR_PROTOCOL",
                whose + " has " + std::to_string(status.stx_size) + " bytes instead of " + std::to_string(bytes));
  }
  if (status.stx_uid != geteuid()) {
    return fail(error, "ERR_UINTR_PROTOCOL",
                whose + " was made by user " + std::to_string(status.stx_uid) + ", this is user " +
                    std::to_string(geteuid()));
  }
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return fail_syscall(error, "fstatfs", errno, whose);
  return system.f_type != HUGETLBFS_MAGIC || fail(error, "ERR_UINTR_PROTOCOL", whose + " is made of huge pages");
}

}  // namespace uintr
