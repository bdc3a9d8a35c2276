// Entering a world: what a rank does to become one. Blocking; the addon calls it on a helper thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "bootstrap/liveness.h"
#include "bootstrap/segments.h"
#include "engine/engine.h"

namespace uintr {

// How a rank may be interrupted, as it tells its peers (drivers/driver.h fills it).
struct DriverIdentity {
  enum class Kind : uint32_t { Poll = 0, Signal = 1, Uintr = 2 };
  Kind kind = Kind::Poll;
  uint32_t vector = 63;
  int32_t signal_number = 0;  // 0 with Poll
};

constexpr uint32_t kAllCopyKinds = kCopyDirect | kCopyHeap | kCopyCma | kCopyPipeline;

struct JoinRequest {
  // Where the hub is. hub_fd: the inherited socket (join() owns it from here on, and closes it). Else name: a named
  // world. Neither: a world of size 1 alone.
  int hub_fd = -1;
  uint64_t hub_inode = 0;  // of that socket, by which it is told from what has its number since; 0: not known
  std::string name;
  uint32_t wanted_rank = kNone;  // named worlds: kNone = by arrival; to be given where geometry.elastic is set

  Geometry geometry{};  // checked with Engine::valid by the caller
  int32_t tid = 0;      // of the rank's JavaScript thread (not of the thread that calls join)
  DriverIdentity driver;
  int vector_fd = -1;  // with Uintr: by which peers may send `driver.vector`. Not owned.
  uint32_t copy_kinds = kAllCopyKinds;  // what the option `copy` allows; pipeline always works and is always in
  int timeout_ms = 30000;               // > 0
  int cancel_fd = -1;                   // an eventfd; once readable join() fails with ERR_UINTR_CLOSED. Not owned.

  // Values of XDG_RUNTIME_DIR and HOME ("" if unset); named worlds only. fill_directories() reads them; call it on the
  // JavaScript thread, because getenv must not run beside a setenv.
  std::string runtime_dir, home;
};
void fill_directories(JoinRequest* request);

struct Peer {
  int32_t pid = 0;  // 0: means nothing here (another PID namespace): no cma, no signal for this pair
  int32_t tid = 0;
  DriverIdentity driver;
  bool same_process = false;  // a thread of this process
  bool signalable = false;    // tgkill(pid, tid, 0) was allowed
  Fd event_fd;                // non-blocking; write 8 bytes to wake
  Fd vector_fd;               // of a peer with Uintr: as it says, by which to send it user interrupts
  uint64_t nonce = 0;         // of the peer, unlike any other rank's
  uint32_t copy_kinds = 0;    // tried and found to work from here towards it
  int cma_error = 0;  // errno why kCopyCma is missing; 0 if it is there, not allowed, or the nonce was another's
};

// Everything a rank holds after joining. The destructor closes and unmaps all but heap() if others retain it, and ends
// the hub thread if this process hosts it. Destroy only after the engine and the driver are gone.
class Joined {
 public:
  virtual ~Joined() = default;
  // Only what peers see of it: they learn that this rank is gone, and a name that this process holds is free. What is
  // mapped stays, and so does liveness.
  virtual void leave() = 0;
  // Where that rank's arena is mapped; retain it for every buffer that may outlive the world, or the rank. Null: it was
  // gone before this rank came.
  virtual HeapMapping* heap_of(uint32_t peer) const = 0;

  uint32_t rank = 0;
  Geometry geometry{};
  Fd event_fd;  // the own eventfd, non-blocking; liveness holds it too
  Liveness liveness;
  Segment control;  // own; header written, rings for replies committed
  Segment world;
  HeapMapping* heap = nullptr;  // own; retain it for every buffer that may outlive the world
  std::vector<Peer> peers;      // geometry.size; the own entry has own pid, tid, eventfd copy and copy kinds
  std::vector<PeerMap> maps;    // for Setup::peers; includes self
  std::string hosted_name;      // not empty: this process hosts the hub of that named world
  std::vector<uint32_t> incarnations;  // by rank: how often it has come back, as far as is known here

  // ---- elastic worlds: ranks that come back ----
  struct Returning {
    uint32_t rank;
    int32_t pid;
    uint32_t incarnation;
    bool failed;  // it could not be let in, and was refused; and yet this was a life of it
  };
  // Answers those at the door whose rank is_gone(self, rank). Returns the ranks that want to be let in; each is told
  // once.
  virtual std::vector<uint32_t> answer_door(bool (*is_gone)(void*, uint32_t), void* self) = 0;
  // Puts the new life of that rank in the place of the old one, in `peers`, `maps` and `liveness`; what was mapped of
  // the old one stays until admitted(). False: nobody waits to be let in as that rank. With Returning::failed nothing
  // is replaced, and whoever waits behind it is to be answered.
  virtual bool let_in(uint32_t rank, Returning* who) = 0;
  // The engine and the driver know it: it may go on.
  virtual void admitted(uint32_t rank) = 0;

  // For Ports::commit, with self = Joined*. World: any row.
  static bool commit(void* self, Ports::Segment segment, uint64_t offset, uint64_t bytes);
};

// False, with *error filled: nothing is left behind.
bool join(const JoinRequest& request, std::unique_ptr<Joined>* out, JoinError* error);

}  // namespace uintr
