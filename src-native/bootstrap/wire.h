// What ranks and hub say to each other: one SOCK_SEQPACKET packet per message, descriptors beside it (SCM_RIGHTS).
//
//   rank → hub   Hello, with [control, heap, eventfd, lifeline, vector or, for want of one, the eventfd again]
//   hub → rank   Welcome, with [world], when all ranks are there
//   rank → hub   Fetch, with the own header written; the hub answers once every rank has sent one
//   hub → rank   Peers, some at a time (a packet carries at most 253 descriptors), until all are fetched
//   rank → hub   Mapped: peers are mapped and tried
//   hub → rank   Go, when all have said so: from here on anybody may write to anybody. It stands in the world segment
//                too (Formed), for those whose hub ends before they are told
//
// and at any time Refused from the hub, and AskMissing / Missing.
//
// A rank that comes back to an elastic world says this to each of its members, which listen at their places (named.h):
//
//   rank → member   Hello, as to the hub
//   member → rank   Present, with its own five and [world], once it knows that the rank of before is gone
//   rank → member   Return, when all have answered and are mapped and tried
//   member → rank   Mapped: from here on the two may write to each other
//
// The kernel vouches for pid and uid (SCM_CREDENTIALS); the rest of a Hello is its sender's word. Addresses in it are
// used only with that pid and only by process_vm_readv / writev, so a liar can harm nobody but itself.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "bootstrap/fd.h"
#include "bootstrap/join.h"
#include "engine/layout.h"

namespace uintr::wire {

constexpr uint32_t kMagic = 0x6a746e75;  // "untj"
constexpr uint16_t kVersion = 5;
constexpr uint32_t kFdsPerRank = 5;
constexpr uint32_t kPeersPerMessage = 50;  // 250 descriptors; SCM_MAX_FD is 253
constexpr uint32_t kMaxFds = kFdsPerRank * kPeersPerMessage;
constexpr uint32_t kTextBytes = 512;

enum class Type : uint16_t {
  Hello = 1,
  Fetch,
  Mapped,
  AskMissing,
  Return,
  Welcome = 16,
  Peers,
  Go,
  Refused,
  Missing,
  Present
};

struct Head {
  uint32_t magic = kMagic;
  uint16_t version = kVersion;
  Type type;
};

// What a rank tells about itself, passed on to its peers with the pid the kernel told.
struct Identity {
  int32_t pid;
  int32_t tid;
  uint64_t pid_namespace;  // inode of /proc/self/ns/pid, 0: unknown
  uint64_t nonce;
  uint64_t nonce_address;    // where it can be read (process_vm_readv)
  DriverIdentity driver;
  uint32_t padding;
};

struct Hello {
  Head head{.type = Type::Hello};
  uint32_t wanted_rank;
  uint32_t padding;
  Geometry geometry;
  Identity identity;
};
struct Fetch {
  Head head{.type = Type::Fetch};
  uint32_t first;
};
struct Plain {  // Mapped, AskMissing, Go
  Head head;
};
struct Welcome {
  Head head{.type = Type::Welcome};
  uint32_t rank;
  uint32_t padding;
  uint64_t pid_namespace;  // of the hub: the namespace in which Identity::pid is meant
};
struct Peers {
  Head head{.type = Type::Peers};
  uint32_t first, count;
  Identity identity[kPeersPerMessage];
};
struct Present {
  Head head{.type = Type::Present};
  uint32_t rank;
  uint32_t padding;
  Identity identity;  // pid: the kernel's word beside it (SCM_CREDENTIALS)
  uint32_t incarnations[kMaxRanks];
};
struct Return {
  Head head{.type = Type::Return};
  uint32_t incarnation;
};
struct Text {  // Refused, Missing
  Head head;
  uint32_t retry;  // Refused: the world fell apart while it was set up; a named one may form again
  uint32_t code;   // Refused: index into kCodes
  char text[kTextBytes];
};
constexpr const char* kCodes[] = {"ERR_UINTR_JOIN", "ERR_UINTR_NO_MEMORY", "ERR_UINTR_INVALID_ARGUMENT",
                                  "ERR_UINTR_PROTOCOL", "ERR_UINTR_COMPLETE"};
enum Code : uint32_t { kJoin, kNoMemory, kInvalidArgument, kProtocol, kComplete };

union AnyMessage {
  AnyMessage() {}
  Head head;
  Hello hello;
  Fetch fetch;
  Welcome welcome;
  Peers peers;
  Present present;
  Return returning;
  Text text;
};

// Sends without blocking and without SIGPIPE. 0 or an errno; EAGAIN and ETOOMANYREFS may pass with time.
int send(int socket, const void* message, size_t bytes, const int* fds = nullptr, uint32_t fd_count = 0);

struct Received {
  enum class What { Message, Nothing, Closed, Garbage } what = What::Nothing;
  AnyMessage message;
  Fd fds[kMaxFds];  // the first fd_count; closed with this
  uint32_t fd_count = 0;
  ucred credentials{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};  // pid 0, uid -1: not told
  bool out_of_descriptors = false;  // Garbage, because this process has too many open
};
// Takes one packet without blocking. Only whole messages of a known type and exactly its length come out as Message.
void receive(int socket, Received* out);

// Asks the kernel to attach the sender's credentials to what this socket receives.
bool want_credentials(int socket);

std::string text_of(const Text& message);
Text make_text(Type type, const std::string& text, uint32_t code = kJoin, bool retry = false);

}  // namespace uintr::wire
