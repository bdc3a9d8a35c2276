// Whether two processes of this program may copy from and to each other's memory, found out with two that are started
// for it: between a process and itself the kernel never asks for permission.
#pragma once

#include <string>

namespace uintr {

struct CopyTrial {
  bool works = false;
  std::string reason;  // of a refusal: which call on whom, errno, and what is known of the cause
};

// Tried once per process. Any thread.
const CopyTrial& copies_between_processes();

}  // namespace uintr
