// What a rank holds once it has joined, and the parts of which join() is made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bootstrap/client.h"
#include "bootstrap/copy_permission.h"
#include "bootstrap/door.h"
#include "bootstrap/hub.h"
#include "bootstrap/join.h"
#include "bootstrap/named.h"
#include "bootstrap/same_process.h"

namespace uintr {

class JoinedRank final : public Joined {
 public:
  ~JoinedRank() override;
  void leave() override;
  HeapMapping* heap_of(uint32_t peer) const override { return peer == rank ? heap : mapped_[peer].heap.get(); }

  // Everything of its own: segments, eventfd, lifeline, nonce.
  bool make_own(const JoinRequest& request, JoinError* error);
  // A world of this rank alone.
  bool be_alone(JoinError* error);
  // From hello to go.
  Step converse(HubClient* client, const JoinRequest& request, JoinError* error);
  // Whether a rank of another process may want to copy from or to this one, now or when it comes back.
  bool copied_by_others() const;
  // Back to what make_own() left, for another try.
  void forget_peers();

  // Listens at `place`: from then on whoever comes back finds this rank.
  bool open_door(JoinError* error);
  // A member of an elastic world that somebody is at, and a connection to it.
  struct Member {
    uint32_t rank;
    int32_t pid;
    Fd socket;
  };
  // From hello to go, with all of them. The caller sees to it that one rank at a time does that.
  Step come_back(std::vector<Member> members, const JoinRequest& request, Deadline deadline, JoinError* error);
  std::vector<uint32_t> answer_door(bool (*is_gone)(void*, uint32_t), void* self) override;
  bool let_in(uint32_t rank, Returning* who) override;
  void admitted(uint32_t rank) override;

  std::unique_ptr<Hub> hub;  // if this process hosts one for a name
  std::unique_ptr<NameHold> hold;
  std::unique_ptr<NameHold> place;  // of the own rank, in an elastic world
  CopyPermission permission;        // what the other ranks need to copy

 private:
  struct Mapped {
    Segment control;
    std::unique_ptr<HeapMapping, ReleaseHeap> heap;
  };
  bool begin(JoinError* error);  // rank is known: peers' tables, header, own entries
  // What peers need, as in a Hello; the descriptors to be sent beside it.
  wire::Identity identity() const;
  std::vector<int> descriptors() const;
  bool adopt_peer(uint32_t peer, Fd* fds, const wire::Identity& identity, JoinError* error);
  bool adopt_world(Fd fd, JoinError* error);
  void hear(Visitor* visitor);
  void take_hello(Visitor* visitor, wire::Received* received);
  void present(Visitor* visitor);
  bool is_returning(uint32_t peer) const;
  Doorbell& doorbell_of(uint32_t peer) const {
    return *reinterpret_cast<Doorbell*>(world.base() + Layout{geometry}.doorbell(peer));
  }
  void publish_exit();
  bool watch_peer(uint32_t peer, Fd lifeline, JoinError* error);

  OwnControl announced_;
  uint64_t nonce_ = 0;
  uint64_t hub_namespace_ = 0;
  Fd lifeline_read_, lifeline_write_;
  std::vector<Mapped> mapped_;  // of peers, by rank
  Mapped replaced_;             // until admitted()
  std::unique_ptr<Door> door_;
  // Of the request.
  int32_t tid_ = 0;
  DriverIdentity driver_;
  int vector_fd_ = -1;
  uint32_t copy_kinds_ = 0;
};

}  // namespace uintr
