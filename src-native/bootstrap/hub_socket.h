// The socket by which a launcher's rank reaches the hub, until somebody takes it.
#pragma once

#include <cstdint>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

// Takes the socket `fd` over, under a number of the caller's own; empty if `fd` is no hub's socket, or (`inode` not 0)
// another one; *error says which. A descriptor belongs to all threads of a process, and several may know this number: the thread that is
// to be the rank, one that inherited its environment, the one that made the socket. The first has it.
Fd claim_hub_socket(int fd, uint64_t inode, JoinError* error = nullptr);

// Closes it if it still is that socket, for who will not claim it. Needs no descriptor.
void drop_hub_socket(int fd, uint64_t inode);

uint64_t inode_of(int fd);  // 0: none

}  // namespace uintr
