// What a rank's program does: the calls an addon makes, in the order it makes
// them (wait(), the event loop, test()), with every outcome checked.
//
// Lives outside the fiber that runs it, because a fiber that dies or fails is
// never unwound.
#pragma once

#include <deque>
#include <vector>

#include "world.h"

namespace simulator {

class Rank {
 public:
  Rank(World* world, uint32_t rank) : world_(world), rank_(rank) {}

  struct SendOptions {
    uint32_t tag = 1;
    uint32_t context = 1;
    bool synchronous = false;
    bool in_heap = false;
    bool lend = false;
    bool waits = false;
  };
  struct ReceiveOptions {
    uint32_t tag = 1;
    uint32_t context = 1;
    bool allocate = false;
    bool in_heap = false;
    bool waits = false;
  };

  // Requests are named by their order of posting on this rank.
  size_t isend(uint32_t dest, uint64_t length, SendOptions options);
  size_t isend(uint32_t dest, uint64_t length) { return isend(dest, length, {}); }
  size_t irecv(uint32_t source, uint64_t capacity, ReceiveOptions options);
  size_t irecv(uint32_t source, uint64_t capacity) { return irecv(source, capacity, {}); }
  bool cancel(size_t request);
  // A receive that waits for memory; its message is then as if it had not met it.
  bool give_up(size_t request);
  // A probe's answer must be what a receive then gets.
  bool probe(uint32_t source, uint32_t tag, uint32_t context = 1);

  // probe(): sleeps until there is such a message, and takes nothing. False: nobody could take a step, and there is none.
  bool await_message(uint32_t source, uint32_t tag);
  // Takes a message to receive it later; kNothing: there is none.
  static constexpr size_t kNothing = ~size_t{0};
  size_t improbe(uint32_t source, uint32_t tag);
  void imrecv(size_t request);
  // What is lent to it, by order of receipt: looks at it once more, and lets go of it. Nothing, where it holds none.
  void release(size_t loan = 0);
  void release_all();
  // Collective operations. `tag`: which it is, for all ranks.
  size_t iallreduce(uint64_t elements, uint32_t tag = 1);
  size_t ibcast(uint64_t elements, uint32_t root, uint32_t tag = 1);
  size_t ibarrier(uint32_t tag = 1);
  void cancel_collective(size_t index);

  bool over(size_t request) const { return requests_[request].over; }
  bool all_over() const { return unfinished_ == 0; }
  uintr::Error error(size_t request) const { return requests_[request].error; }
  size_t count() const { return requests_.size(); }

  // Lets the others run, if they can.
  void pause() { machine().yield(); }
  // One look, as test() and done do.
  void test();
  // wait(): polls a little, then sleeps. False: nobody could take a step, and
  // no request that is left can ever be met.
  // `abrupt`: turns from sleeping to computing without polling in between.
  bool wait_all(uint32_t spins = 0, bool abrupt = false) { return wait(nullptr, 0, spins, abrupt); }
  bool wait_one(size_t request, uint32_t spins = 0, bool abrupt = false) { return wait(&request, 1, spins, abrupt); }
  // The event loop: sleeps between prepare and check.
  bool loop_all();
  // Computes until everybody else stands still; only interrupts work for it.
  void compute();
  // The same, but in an I/O callback: its peers think it sleeps.
  void compute_in_callback();
  // Cancels what is left, then serves the others until they are through, too.
  void finish();
  // close(), as the addon does it: its own sends are finished, receives fail.
  void close();
  // What happens at the end of an environment: nothing is waited for, except
  // that the others let go.
  void abandon();
  // Closes without waiting for peers in the middle of a copy, and keeps its memory until all have let go of it.
  void leave_behind();
  // Is killed, at the latest.
  [[noreturn]] void vanish() { machine().die(); }

  // Sleeps until it is told that the other is gone; nothing is left that needs it.
  void await_end(uint32_t peer);
  // Clears what is pending for another rank, as no honest one does.
  void wipe_bits(uint32_t of) { world_->wipe_bits(of); }
  void reopen(uint32_t of, uint32_t slot) { world_->reopen(of, slot); }
  // That one keeps the protocol, whatever a third has written, and is not held for one that does not.
  void expect_peer(uint32_t peer);
  // It comes back in a new life, which runs the same program.
  void let_in(uint32_t peer);
  void begin_life();
  uint32_t life() const { return world_->life(rank_); }  // 0: the first

  uint64_t eager_sent();
  uintr::Engine* engine() { return world_->engine(rank_); }
  Machine& machine() { return world_->machine(); }
  uint32_t rank() const { return rank_; }

 private:
  struct Request {
    uintr::Handle handle;
    bool receive, allocate, in_heap, over;
    bool cancelled;
    bool given_up;
    uint32_t id;  // in the model
    unsigned char* buffer;
    uint64_t length;
    uintr::Error error;
    bool lend;
  };
  struct Loan {
    uintr::Handle handle;
    uint32_t message;
    const unsigned char* at;
    uint64_t length;
  };

  struct Collective {
    uintr::Handle handle;
    bool over, cancelled;
    World::CollectiveRun run;
    unsigned char* buffers[3];  // own values, others', sums
    unsigned char* called;      // which operation that is, and what others have called
    std::vector<uintr::ScheduleStep> steps;
    uintr::Schedule schedule;
  };

  enum class Slept { NotAtAll, Woken, Still };
  Slept sleep(uintr::Attention how, bool then_poll);
  bool wait(const size_t* requests, size_t n, uint32_t spins, bool abrupt);
  bool reached(const size_t* requests, size_t n) const;
  void look(uintr::Effort effort, bool* more);
  void collect();
  void complete(Request& r, const uintr::Completion& c);
  size_t collective(World::CollectiveRun run);
  void complete(Collective& c, const uintr::Completion& out);
  bool complete_collective(const uintr::Completion& out);
  void complete_receive(Request& r, const uintr::Completion& c);
  unsigned char* buffer(uint64_t bytes, bool* in_heap);
  void give_back(const Request& r);
  void borrow(const Request& r, const uintr::Completion& c);
  void check_loan(const Loan& loan);
  void forget_loans();
  void check_returned(const Request& r);
  [[noreturn]] void wrong(const Request& r, const uintr::Completion& c, const char* why);
  bool delivered(const Receipt& r) const;
  void check_allowed(const Request& r, const uintr::Completion& c);
  void check_clean();
  bool let_go(uintr::Attention how);

  World* world_;
  uint32_t rank_;
  uint32_t unfinished_ = 0;
  bool closing_ = false, abandoned_ = false;
  std::vector<Request> requests_;
  std::deque<Collective> collectives_;
  std::vector<Loan> loans_;
  bool keeps_ = true;  // what is lent to it, until it lets go
  std::vector<unsigned char> bytes_;
};

}  // namespace simulator
