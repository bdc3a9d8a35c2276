// The rendezvous: one helper thread in the launcher, or in the process that came first to a named world. It collects
// every rank's hello, hands everybody's descriptors to everybody, and opens the barrier when all have mapped all.
// What comes in from its sockets is not trusted; what a rank may claim and what the kernel vouches for is in wire.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

class Hub {
 public:
  // For ranks that this process starts: (*sockets)[i] is the end to hand to rank i, close-on-exec, owned by the caller.
  // Close each after its child has it: a child that ends without joining is noticed by the hang-up. One of them may be
  // used for join() in this very process (JoinRequest::hub_fd). size: 1 … kMaxRanks.
  static std::unique_ptr<Hub> for_children(uint32_t size, std::vector<Fd>* sockets, JoinError* error);

  // For a named world: `listener` is a listening SOCK_SEQPACKET socket, `cleanup` whatever keeps the name (kept until
  // the hub goes). size comes with the first hello.
  static std::unique_ptr<Hub> for_name(const std::string& name, Fd listener, JoinError* error);

  // Ends the thread and closes everything; ranks that still wait see a hang-up.
  virtual ~Hub() = default;
};

}  // namespace uintr
