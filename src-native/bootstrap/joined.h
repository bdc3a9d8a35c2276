// What a rank holds once it has joined, and the parts of which join() is made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bootstrap/client.h"
#include "bootstrap/hub.h"
#include "bootstrap/join.h"
#include "bootstrap/named.h"
#include "bootstrap/same_process.h"

namespace uintr {

class JoinedRank final : public Joined {
 public:
  ~JoinedRank() override;
  void leave() override;

  // Everything of its own: segments, eventfd, lifeline, nonce.
  bool make_own(const JoinRequest& request, JoinError* error);
  // A world of this rank alone.
  bool be_alone(const JoinRequest& request, JoinError* error);
  // From hello to go.
  Step converse(HubClient* client, const JoinRequest& request, JoinError* error);
  // Back to what make_own() left, for another try.
  void forget_peers();

  std::unique_ptr<Hub> hub;  // if this process hosts one for a name
  std::unique_ptr<NameHold> hold;

 private:
  bool begin(const JoinRequest& request, JoinError* error);  // rank is known: peers' tables, header, own entries
  bool adopt_peer(uint32_t peer, wire::Received* received, uint32_t index, const JoinRequest& request,
                  JoinError* error);
  void publish_exit();
  bool watch_peer(uint32_t peer, Fd lifeline, JoinError* error);

  OwnControl announced_;
  uint64_t nonce_ = 0;
  uint64_t hub_namespace_ = 0;
  Fd lifeline_read_, lifeline_write_;
  std::vector<Segment> mapped_;  // peers' control segments and heaps
};

}  // namespace uintr
