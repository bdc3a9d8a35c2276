// Memory without a name, to be mapped by several processes: how it is made, and what is asked of one that came from
// another process before it is mapped. Nothing else makes a memfd, or maps one that it has not made.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <string>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

// What every such memory has: it can neither shrink under who has mapped it (SIGBUS), nor grow, and F_SEAL_SEAL closes
// the list: a peer, whose descriptor is as good as the owner's, cannot add seals of its own.
constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
// And what only its owner writes has this, from which on no other writable mapping can be made (Linux 5.1).
constexpr int kOwnersSeals = kSizeSeals | F_SEAL_FUTURE_WRITE;

// Creates, sizes, maps writable, and then seals: not the other way round, because F_SEAL_FUTURE_WRITE would refuse the
// own mapping. Sparse: nothing is committed. The memory is zeroed, and the mapping is the caller's. `what` ("cannot
// create …") opens the error message.
bool make_memfd(const char* name, uint64_t bytes, int seals, Fd* out, unsigned char** base, const std::string& what,
                JoinError* error);

// Makes its pages from `at` to `end` exist, so that a touch cannot raise SIGBUS; multiples of pages, but for the end of the
// memory. Repeating it is cheap. 0 or an errno (ENOSPC or ENOMEM: no memory).
int commit_memfd(int fd, uint64_t at, uint64_t end);

// A memfd of this user, of that size, with these seals at least, and of ordinary pages: to touch one of hugetlbfs is
// SIGBUS where no huge page is free. `whose` ("rank 3's heap") opens the error message.
bool check_memfd(int fd, uint64_t bytes, int seals, const std::string& whose, JoinError* error);

}  // namespace uintr
