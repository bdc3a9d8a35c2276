// What MPI promises about which message meets which receive, kept beside the
// engine and compared with what it did.
//
// When two ranks work at once, the order in which a rank finds messages of
// different sources is the engine's business; what every order must keep is:
//   A  of two messages from one source that fit the same receive, the one sent
//      first is received first (non-overtaking), and
//   B  of two receives that fit the same message, the one posted first is
//      satisfied first.
// A receive tells which message it got by source, tag, length and contents,
// which are different for every message of a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types.h"

namespace simulator {

struct Message {
  uint32_t id;
  uint32_t source, dest, context, tag;
  uint64_t length;
  bool synchronous;
  bool over;  // its request has completed
  uintr::Error error;
  uint32_t received_by;  // receive id, or kNone
  uintr::Handle handle;
  bool ended;  // with the life of its source or its destination, and received by nobody
};

struct Receipt {
  uint32_t id;
  uint32_t rank, source, context, tag;  // source and tag as posted
  uint64_t capacity;
  bool allocate;
  bool over;
  uintr::Error error;
  uint32_t message;  // id, or kNone
  uintr::Handle handle;
  uint32_t given_up;  // how many receives there were when it was; 0: it was not
  bool ended;         // with the life of its rank
};

class Model {
 public:
  void clear() {
    messages_.clear();
    receipts_.clear();
  }

  Message& sent(uint32_t source, uint32_t dest, uint32_t context, uint32_t tag, uint64_t length, bool synchronous);
  Receipt& posted(uint32_t rank, uint32_t source, uint32_t context, uint32_t tag, uint64_t capacity, bool allocate);

  Message& message(uint32_t id) { return messages_[id]; }
  Receipt& receipt(uint32_t id) { return receipts_[id]; }
  void given_up(uint32_t id) { receipts_[id].given_up = static_cast<uint32_t>(receipts_.size()); }
  // A life of the rank is over: nothing of it receives anything any more,
  void end_life(uint32_t rank);
  // and the other rank knows: nothing between the two meets anything any more.
  void end_life(uint32_t rank, uint32_t other);
  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<Receipt>& receipts() const { return receipts_; }

  // The byte at `at` of a message.
  static unsigned char byte(uint32_t id, uint64_t at) {
    return static_cast<unsigned char>(at == 0 ? id + 1 : id * 37 + at * 11 + (at >> 8) * 5);
  }

  // A receive has completed with a message's bytes (or, with NoMemory, without
  // them). Empty, or what is wrong.
  std::string received(uint32_t receipt, const uintr::Completion& completion, const unsigned char* bytes);

  static bool fits(const Message& m, const Receipt& r);
  // Whether the two fit and neither has met another.
  bool could_meet(const Message& m, const Receipt& r) const;

  // Rules A and B over the whole run. `dead`: bit per rank; nobody saw what a
  // dead one received, and what it sent may be lost. Empty, or what is wrong.
  std::string check(uint32_t dead) const;

  std::string text(const Message& m) const;
  std::string text(const Receipt& r) const;

 private:
  bool lost(const Message& m, const Receipt& r) const;
  bool handed_back(const Message& m, const Receipt& r) const;

  std::vector<Message> messages_;
  std::vector<Receipt> receipts_;
};

}  // namespace simulator
