// One rank, as the layers above the engine make it: driver, join, engine, the order in which ends are noticed and told,
// and how it goes.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "board.h"
#include "bootstrap/bootstrap.h"
#include "drivers/driver.h"
#include "engine/engine.h"
#include "plan.h"

namespace kills {

// Ends the process with what is wrong; the runner tells the seed.
[[noreturn]] void wrong(const char* file, int line, const std::string& what);
#define HOLDS(condition)                                                      \
  do {                                                                        \
    if (!(condition)) ::kills::wrong(__FILE__, __LINE__, "not true: " #condition); \
  } while (false)

uint64_t now_us();

// A request, until its outcome is known.
struct Op {
  uintr::Posted posted{};
  bool over = true;
  uintr::Error error() const { return posted.completion.error; }
  const uintr::Completion& outcome() const { return posted.completion; }
};

class Member {
 public:
  Member(const Plan& plan, Board* board, uint32_t rank, uint32_t life, int nudge);
  ~Member();

  // False: there is no world, for the reason in *error.
  bool join(uintr::JoinRequest request, uintr::JoinError* error);

  uintr::Engine* operator->() const { return engine_; }
  uint32_t rank() const { return rank_; }
  uint32_t size() const { return kRanks; }
  const Plan& plan() const { return plan_; }
  Board* board() const { return board_; }
  uintr::Joined& joined() const { return *joined_; }
  Random& random() { return random_; }
  // For the rounds, which another life of a rank has no part in.
  bool gone(uint32_t peer) const { return revived_[peer] || engine_->peer_is_gone(peer); }
  bool revived(uint32_t peer) const { return revived_[peer]; }

  // The operation must stay where it is until it is over.
  void post(Op* op, uintr::Posted posted);
  void send(Op* op, uint32_t dest, uint32_t context, uint32_t tag, const void* data, uint64_t length,
            bool synchronous = false, bool lend = false);
  void receive(Op* op, uint32_t source, uint32_t context, uint32_t tag, void* data, uint64_t length,
               bool allocate = false);
  void collective(Op* op, uintr::Schedule* schedule);

  // Passes some time in one of the ways in which a program does, and takes what is over. `may_sleep`: until something
  // comes, and so if there is nothing that this rank could do by itself.
  void step(bool may_sleep = false);
  template <class Condition>
  void until(Condition condition) {
    while (!condition()) step(true);
  }
  void until_over(const Op& op) {
    until([&] { return op.over; });
  }

  // What may be wrong with a request that needs `peer`; anything else ends the test.
  void judge(const Op& op, uint32_t peer);

  // Thrown out of the rounds when this rank has ended in their midst, by itself (How::Thread).
  struct Ended {};

  // Ends the membership: with a close(), or as an environment that ends without.
  void leave(bool close);

 private:
  void collect();
  void look(int timeout_ms);
  void answer_door();
  void compute();
  void poll_a_while();
  void block(bool may_sleep);
  void sleep();
  void say_what_is_under_way();
  bool to_another_life(Op* op, uint32_t peer, uint32_t context);

  const Plan& plan_;
  Board* board_;
  const uint32_t rank_, life_;
  const int nudge_;  // becomes readable when the board has news
  Random random_;
  std::unique_ptr<uintr::Driver> driver_;
  std::unique_ptr<uintr::Joined> joined_;
  uintr::Engine* engine_ = nullptr;
  void* memory_ = nullptr;
  uint64_t memory_bytes_ = 0;
  std::unordered_map<uintr::Handle, Op*> ops_;
  std::vector<bool> told_gone_, revived_;
  int kick_ms_ = 1;
  bool said_ = false;
};

}  // namespace kills
