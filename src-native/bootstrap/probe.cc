#include "bootstrap/probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bootstrap/namespace.h"
#include "bootstrap/random.h"

namespace uintr {
namespace {

// 0: a write arrives where a read finds it. Tried more than once, because the same rank of another world may try on the
// same word at the same moment.
int try_write(int32_t pid, uint64_t address) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    uint64_t word = random_word(), found = 0;
    int failed = poke(pid, address, word);
    if (failed == 0) failed = peek(pid, address, &found);
    if (failed != 0) return failed;
    if (found == word) return 0;
  }
  return EIO;
}

}  // namespace

uint64_t probe_scratch[kMaxRanks];

int peek(int32_t pid, uint64_t address, uint64_t* word) {
  iovec local{word, sizeof *word};
  iovec remote{reinterpret_cast<void*>(address), sizeof *word};
  const ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
  return n == sizeof *word ? 0 : n < 0 ? errno : EFAULT;
}

int poke(int32_t pid, uint64_t address, uint64_t word) {
  iovec local{&word, sizeof word};
  iovec remote{reinterpret_cast<void*>(address), sizeof word};
  const ssize_t n = process_vm_writev(pid, &local, 1, &remote, 1, 0);
  return n == sizeof word ? 0 : n < 0 ? errno : EFAULT;
}

int is_made_by(int32_t pid, const Segment& control, uint64_t address) {
  struct statx file;
  if (statx(control.fd(), "", AT_EMPTY_PATH, STATX_INO, &file) != 0) return errno;
  FILE* maps = fopen(("/proc/" + std::to_string(pid) + "/maps").c_str(), "re");
  if (maps == nullptr) return errno;
  int failed = ESRCH;
  char line[512], mode[5];
  unsigned long from, to, inode;
  unsigned major, minor;
  bool whole = true;  // the line before it: the rest of a long one, a path, is none
  while (failed != 0 && fgets(line, sizeof line, maps) != nullptr) {
    const bool begins = whole;
    whole = strchr(line, '\n') != nullptr;
    if (!begins || sscanf(line, "%lx-%lx %4s %*x %x:%x %lu", &from, &to, mode, &major, &minor, &inode) != 6) continue;
    if (from > address) break;  // they are in order
    if (inode != file.stx_ino || major != file.stx_dev_major || minor != file.stx_dev_minor) continue;
    if (mode[1] == 'w' && mode[3] == 's' && address >= from && address < to) failed = 0;
  }
  fclose(maps);
  return failed;
}

void probe_peer(const wire::Identity& identity, const Segment& control, uint64_t hub_namespace, uint32_t own_rank,
                uint32_t allowed_copies, Peer* peer) {
  peer->tid = identity.tid;
  peer->driver = identity.driver;
  peer->copy_kinds = kCopyPipeline | (allowed_copies & kCopyHeap);

  // A pid the kernel told the hub means the same here only in the hub's namespace, and a tid that the peer told only in
  // the peer's own.
  const uint64_t here = pid_namespace();
  int32_t pid = identity.pid;
  if (hub_namespace != here || identity.pid_namespace != here) pid = 0;
  if (peer->same_process) pid = getpid();
  if (pid <= 0) return;

  uint64_t found = 0;
  const int unreadable = peek(pid, identity.nonce_address, &found);
  const bool matches = unreadable == 0 && found == identity.nonce;
  // Read and different, or nothing there: some other process. Not allowed to read: then the namespaces vouch for the
  // pid, if they are known.
  const bool refuted = !matches && (unreadable == 0 || unreadable == ESRCH || unreadable == EFAULT || here == 0);
  if (refuted && !peer->same_process) return;
  peer->pid = pid;
  peer->signalable = syscall(SYS_tgkill, pid, peer->tid, 0) == 0;
  if (peer->same_process) peer->copy_kinds |= allowed_copies & kCopyDirect;
  if ((allowed_copies & kCopyCma) == 0 || (refuted && unreadable == 0)) return;
  // Whoever collects the ranks tells the pid, and could name a third process that has such a word there: nothing is
  // written to it before the kernel has said that the peer's control segment is its own. Where the write goes is that
  // owner's word.
  const bool known = peer->same_process;  // by its own record of what its threads have made
  peer->cma_error = !matches ? unreadable : known ? 0 : is_made_by(pid, control, identity.nonce_address);
  if (matches && peer->cma_error == 0) {
    const uint64_t scratch = reinterpret_cast<const ControlHeader*>(control.base())->scratch_address;
    peer->cma_error = try_write(pid, scratch + own_rank * sizeof(uint64_t));
  }
  if (peer->cma_error == 0) peer->copy_kinds |= kCopyCma;
}

}  // namespace uintr
