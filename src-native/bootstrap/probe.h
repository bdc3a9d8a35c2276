// What the kernel allows this process towards a peer, found out by trying it. A container's seccomp profile, Yama, a
// PID namespace: each shows as a result here, and no guess about the reason is needed.
#pragma once

#include <cstdint>
#include <string>

#include "bootstrap/join.h"
#include "bootstrap/wire.h"

namespace uintr {

// Where peers of this process may try process_vm_writev: one word per rank, never unmapped, because a peer may still
// try when this rank has long given up.
extern uint64_t probe_scratch[kMaxRanks];

// A word of that process's memory, by process_vm_readv and process_vm_writev. 0 or an errno; EFAULT also for a short copy.
int peek(int32_t pid, uint64_t address, uint64_t* word);
int poke(int32_t pid, uint64_t address, uint64_t word);

// Does that process have the segment mapped writable, at `address` too? 0, or an errno; ESRCH: no. Of a control segment
// only its maker can have that, so this is the process that the peer is, whoever says so.
int is_made_by(int32_t pid, const Segment& control, uint64_t address);

// Fills pid, tid, signalable, copy_kinds and cma_error of `peer`, of which same_process is known. `control`: the peer's,
// with its descriptor. `hub_namespace` is where identity.pid was told. `own_rank` says which scratch word is ours.
void probe_peer(const wire::Identity& identity, const Segment& control, uint64_t hub_namespace, uint32_t own_rank,
                uint32_t allowed_copies, Peer* peer);

}  // namespace uintr
