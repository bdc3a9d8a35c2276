// The simulated computer: a few processors, each with one rank (a fiber), its
// interrupt handler and its store buffer, over shared memory. It knows nothing
// of the engine; world.h puts engines on it.
//
// Every access to shared memory is a point at which the choices may let another
// rank run, deliver an interrupt (the handler is called right there, on the
// fiber that was interrupted), end the rank for ever, or let a store buffer
// drain. What may happen is what x86 and Linux may do:
//   - a pending interrupt arrives at any later point, or only when its rank has
//     nothing else to do; several become one
//   - a handler is not interrupted by another interrupt, but may be preempted
//   - a store becomes visible later, but stores never change order, and a
//     read-modify-write finds the buffer empty
//   - a rank that dies has its stores drained, and executes nothing more
#pragma once

#include <cstdarg>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "choices.h"
#include "engine/shared.h"
#include "fiber.h"
#include "store_buffer.h"

namespace simulator {

constexpr uint32_t kMaxRanksHere = 4;

enum class State : uint8_t {
  Ready,      // has instructions to execute
  Computing,  // executes instructions that concern nobody: only interrupts matter
  Asleep,     // in the kernel, until its wake flag is set
  Finished,
  Dead,
};

// How a rank that had stopped comes to go on.
enum class Reason : uint8_t {
  Woken,      // its wake flag was set
  Quiescent,  // nobody could take a step, and the world let it go on
};

// Deliberate weaknesses, by the word they concern (mutants.h).
enum class Weakness : uint8_t {
  None,
  PlainStore,  // a read-modify-write becomes a load, then a plain store
  LoadStore,   // a read-modify-write becomes a load, then (not atomically) a store
  Early,       // a store becomes visible before those that came before it
  Lost,        // a store does not happen
};

class Machine {
 public:
  // What the world on top decides.
  struct World {
    virtual ~World() = default;
    // Nobody can take a step. Releases someone, or fails; if it does neither,
    // the run is over.
    virtual void quiescent() = 0;
    virtual void handler(uint32_t rank) = 0;
    // `rank` has just died; this runs on its stack, on nobody's behalf.
    virtual void died(uint32_t rank) = 0;
    // Before a copy reads, writes, and before what it wrote and what waited in
    // the store buffer becomes visible to others.
    virtual void check_read(uint32_t rank, const void* from, size_t n) = 0;
    virtual void check_write(uint32_t rank, const void* to, size_t n) = 0;
    virtual void check_visible(uint32_t rank, const void* to, size_t n) = 0;
    virtual std::string word(const void* address) = 0;   // its name, for traces
    virtual Weakness weakness(const void* address) = 0;  // asked only if `weakened`
    // The kernel copies between the current rank and a process: the bytes copied, or negative errno.
    virtual long process_vm(bool, int32_t, void*, uint64_t, uint64_t) { return -38; }  // ENOSYS
  };

  struct Rules {
    uint32_t ranks = 2;
    bool foreign_interrupts = false;      // also interrupts that nobody sent
    bool asleep_takes_interrupts = true;  // signals do, user interrupts do not
    bool interrupts = true;               // false: driver 'poll'
    uint32_t mortal = 0;                  // bit set: this rank may die
    uint32_t deaths = 1;                  // at most so many do
    uint32_t process = 0;                 // bit set: dies together with the others of these
    uint32_t max_steps = 200000;
    bool hold_stores = true;
    bool turns_cost = false;  // that another than the next rank goes on is of the bound, too
  };

  // Shared memory is what lies in [begin, end).
  void set_memory(const void* begin, const void* end) {
    begin_ = static_cast<const unsigned char*>(begin);
    end_ = static_cast<const unsigned char*>(end);
  }

  // One run: `program(rank)` on every rank until all have finished. Empty: ok.
  std::string run(const Rules& rules, Choices* choices, World* world, const std::function<void(uint32_t)>& program);

  // ---- for programs -------------------------------------------------------
  uint32_t current() const { return current_; }
  bool in_handler() const { return ranks_[current_].in_handler; }
  // Lets others run if they can: for loops that wait by looking.
  void yield();
  Reason block(State how);
  // A place without an access where a handler may run.
  void interruptible();
  // A step outside the engine: anything may happen before it.
  void step() { point(true); }
  // The current rank ends here for ever, or until it is started again.
  [[noreturn]] void die();
  [[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void trace(const char* format, ...) __attribute__((format(printf, 2, 3)));
  bool tracing = false;

  // ---- for the world ------------------------------------------------------
  void post_interrupt(uint32_t rank) { ranks_[rank].interrupt_pending = true; }
  void wake(uint32_t rank) { ranks_[rank].wake_flag = true; }
  bool take_wake(uint32_t rank) { return std::exchange(ranks_[rank].wake_flag, false); }
  // A rank that is dead begins again with its program, its handler and its store buffer as new.
  void start(uint32_t rank);
  void release(uint32_t rank) { ranks_[rank].released = true; }
  State state(uint32_t rank) const { return ranks_[rank].state; }
  uint64_t steps() const { return steps_; }
  bool weakened = false;

  // ---- what the engine's accesses become ----------------------------------
  uint64_t load(const void* address, size_t bytes);
  void store(void* address, size_t bytes, uint64_t value);
  uint64_t rmw(void* address, size_t bytes, uintr::sim::Rmw what, uint64_t operand);
  bool cas(void* address, size_t bytes, uint64_t* expected, uint64_t desired);
  void copy(void* to, const void* from, size_t n);
  // The current rank's store buffer is empty after this.
  void fence() { drain(current_); }
  // Between these the current rank executes a system call that no signal interrupts.
  void enter_kernel() { ranks_[current_].in_kernel = true; }
  void leave_kernel() { ranks_[current_].in_kernel = false; }
  // Does the kernel do the rarer of two things?
  bool rarely();
  World* world() { return world_; }
  // What the current rank sees there, without a step.
  void look(void* to, const void* from, size_t n) const;

 private:
  struct Rank {
    Fiber fiber;
    StoreBuffer stores;
    State state = State::Finished;
    bool in_handler = false;
    bool in_kernel = false;
    bool interrupt_pending = false;
    bool wake_flag = false;
    bool released = false;
  };

  bool shared(const void* p) const { return p >= begin_ && p < end_; }
  bool enabled(uint32_t rank) const;
  bool takes_interrupts(const Rank& r) const { return rules_.interrupts && !r.in_handler && !r.in_kernel; }
  bool deliverable(const Rank& r) const {
    return r.interrupt_pending && takes_interrupts(r) && (r.state != State::Asleep || rules_.asleep_takes_interrupts);
  }
  void point(bool visible);
  void put(void* to, const void* from, size_t n);
  uint64_t peek(const void* address, size_t bytes) const;
  void replace(void* address, size_t bytes, uint64_t value, Weakness weakness);
  void drain_one(uint32_t rank);
  void drain(uint32_t rank) {
    while (!ranks_[rank].stores.empty()) drain_one(rank);
  }
  // What a rank that stops does with its buffer: others may run before it drains.
  void settle_stores() {
    if (!ranks_[current_].stores.empty()) point(true);
    drain(current_);
  }
  void run_handler();
  void add_turn(Option* options, uint32_t* n, uint32_t rank) const;
  void switch_to(uint32_t rank);
  void switch_away();
  void run_rank(uint32_t rank);

  Rules rules_;
  Choices* choices_ = nullptr;
  World* world_ = nullptr;
  const std::function<void(uint32_t)>* program_ = nullptr;
  const unsigned char *begin_ = nullptr, *end_ = nullptr;
  Fiber main_;
  Rank ranks_[kMaxRanksHere];
  uint32_t current_ = 0;
  uint64_t steps_ = 0;
  uint32_t deaths_ = 0;
  bool running_ = false;  // before and after a run, accesses are plain ones
  std::string failure_;
  struct Start {
    Machine* machine;
    uint32_t rank;
  } starts_[kMaxRanksHere] = {};
};

// The one machine of this process, for the hooks.
extern Machine* the_machine;

}  // namespace simulator
