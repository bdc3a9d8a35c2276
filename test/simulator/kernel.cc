// The kernel's part in copying between processes (process_vm_readv, process_vm_writev): whole or in part, interrupted by
// nothing but the other ranks, and what it says when the process is not there, or is another program, or not to be copied
// from. It holds on to the memory that it copies, so an end of its process in the middle does not end a copy.
#include "engine/copy.h"
#include "world.h"

namespace simulator {

using namespace uintr;

long World::process_vm(bool read, int32_t pid, void* local, uint64_t remote, uint64_t n) {
  constexpr long kEperm = 1;
  machine_->enter_kernel();
  machine_->step();
  const uint32_t peer = static_cast<uint32_t>(pid - 1000) % 100;  // the first of its threads
  auto* at = reinterpret_cast<unsigned char*>(remote);
  bool nonce = false, in_heap = false, alive = false;
  for (uint32_t i = 0; i < settings_.ranks; ++i) {
    if (!same_process(i, peer)) continue;
    alive |= ((dead_ | exited_) >> i & 1) == 0;
    nonce |= at >= controls_[i] && at + n <= controls_[i] + 4096;
    in_heap |= at >= heaps_[i] && at + n <= heaps_[i] + layout_.g.heap_bytes;
  }
  long result = 0;
  if (peer >= settings_.ranks || pid != pid_of(peer)) {
    result = -kEsrch;
  } else if (dead(peer) && settings_.executes) {
    // At most addresses there is nothing now; where there is, it is something else.
    result = -kEfault;
    if (nonce && read && machine_->rarely()) {
      const uint64_t other = 0;
      machine_->copy(local, &other, n);
      result = static_cast<long>(n);
    }
  } else if (!alive) {
    result = -kEsrch;
  } else if (settings_.refuses && machine_->rarely()) {
    result = -kEperm;
    has_refused_ = true;
  }
  if (result == 0) {
    const uint32_t owner = buffers.owner(at, n);
    if (!nonce && !(owner == kNone ? in_heap : same_process(owner, peer)))
      machine_->fail("a copy goes to memory that process %d has not named", pid);
    // Not both in one run: what a part has brought is copied again by whoever takes the chunk that was given back, which
    // is right, but would pass for a chunk that both ends have copied.
    if (n > 1 && !settings_.refuses && machine_->rarely()) n /= 2;
    machine_->trace("the kernel copies %llu bytes", static_cast<unsigned long long>(n));
    read ? machine_->copy(local, at, n) : machine_->copy(at, local, n);
    result = static_cast<long>(n);
  }
  if (result < 0) machine_->trace("the kernel refuses to copy: errno %ld", -result);
  machine_->leave_kernel();
  return result;
}

}  // namespace simulator
