#include "bootstrap/probe.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

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

void probe_peer(const wire::Identity& identity, uint64_t hub_namespace, uint32_t own_rank, uint32_t allowed_copies,
                Peer* peer) {
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
  peer->cma_error = matches ? try_write(pid, identity.scratch_address + own_rank * sizeof(uint64_t)) : unreadable;
  if (peer->cma_error == 0) peer->copy_kinds |= kCopyCma;
}

}  // namespace uintr
