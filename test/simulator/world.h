// A few ranks with the real engine, on the simulated machine: their segments,
// their drivers (the two steps of an interrupt, word by word), their eventfds,
// and what is watched while they run.
#pragma once

#include <string>

#include "buffers.h"
#include "engine/engine.h"
#include "machine.h"
#include "model.h"
#include "mutants.h"
#include "schedules.h"

namespace simulator {

enum class Driver : uint8_t { Signal, Uintr, Poll };

struct Settings {
  uint32_t ranks = 2;
  Driver driver = Driver::Signal;
  uint32_t copy_kinds = uintr::kCopyDirect | uintr::kCopyPipeline;
  uint32_t kinds_of[kMaxRanksHere] = {};  // by rank, what it can use on others' buffers; 0: copy_kinds
  uint32_t eager_limit = 256;
  uint32_t ring_bytes = 1024;
  uint32_t credit_blocks = 2;
  uint32_t max_requests = 16;
  uint64_t heap_bytes = 32768;
  uint64_t heap_committable = 32768;  // beyond this commit() fails
  uint32_t slice_bytes = 0;
  bool foreign_interrupts = false;
  bool trusts_bitmap = true;  // false: some rank clears bits of others
  bool forged = false;        // some rank writes to match words of others: their requests may fail, or wait for ever
  bool refuses = false;       // the kernel may refuse to copy between processes at any time
  uint32_t mortal = 0;        // bit per rank
  bool executes = false;      // it dies by executing another program, which has its pid
  uint32_t deaths = 1;        // at most so many
  uint32_t process = 0;       // bit per rank: threads of one process, which copy directly and die together
  bool elastic = false;  // one that is dead may come back
  bool closing = false;  // some rank closes: requests may end with Closed or PeerExited
  bool turns_cost = false;
  uint32_t max_steps = 60000;
};

class World : public Machine::World {
 public:
  World();

  // A fresh world; the machine is told its memory.
  void reset(const Settings& settings, Machine* machine);
  Machine::Rules rules() const;

  uintr::Engine* engine(uint32_t rank) { return engines_[rank]; }
  unsigned char* heap(uint32_t rank) { return heaps_[rank]; }
  Machine& machine() { return *machine_; }
  const Settings& settings() const { return settings_; }

  Model model;
  Buffers buffers;

  // ---- ranks and the world ------------------------------------------------
  // Ranks that are dead, or have exited, and that `rank` has not been told of.
  uint32_t take_deaths(uint32_t rank);
  bool dead(uint32_t rank) const { return (dead_ >> rank & 1) != 0; }
  uint32_t dead_ranks() const { return dead_; }
  // A rank has cancelled what it could and waits for the rest.
  void begin_finish(uint32_t rank) { finishing_ |= 1u << rank; }
  bool all_finishing() const { return (finishing_ | done_ | dead_ | left_) == (1u << settings_.ranks) - 1; }
  // A rank's program is through; true once all living ones' are.
  void program_done(uint32_t rank);
  bool all_done() const;
  // The machine stood still: a waiter's millisecond is over.
  bool take_kick(uint32_t rank) { return std::exchange(kick_[rank], false); }
  // Whether a rank waits for its requests, to be judged if all stand still.
  void set_waiting(uint32_t rank, bool waiting) { waiting_[rank] = waiting; }
  // A closing rank receives nothing new, but what it has sent may still come;
  // one that has left does neither.
  bool gone(uint32_t rank) const { return ((dead_ | left_) >> rank & 1) != 0; }
  bool deaf(uint32_t rank) const { return ((dead_ | left_ | closing_) >> rank & 1) != 0; }
  // It is closing, or gone, or was so in a life before.
  bool left_ever(uint32_t rank) const { return deaf(rank) || lives_[rank] != 0; }
  void begin_close(uint32_t rank) { closing_ |= 1u << rank; }
  void leave(uint32_t rank) { left_ |= 1u << rank; }
  // Its process has ended: pidfd and lifeline tell the others.
  void exit(uint32_t rank);
  // May `peer` still touch the memory that `rank` has, or had in the life that is over?
  bool holds(uint32_t peer, uint32_t rank) const;
  // Rank `member` lets one in again that is dead: in memory of its own, and with its program from the beginning, once all
  // who are there have let it in.
  void let_in(uint32_t rank, uint32_t member);
  // The first thing that a rank does in a new life.
  void begin_life(uint32_t rank);
  uint32_t life(uint32_t rank) const { return lives_[rank]; }  // 0: its first one

  // ---- lent messages, and who looks at them ------------------------------
  void borrow(uint32_t rank, uint32_t message) { loans_.push_back({rank, message}); }
  void let_go(uint32_t rank, uint32_t message);
  // A rank that is there and looks at the message; kNone: none does.
  uint32_t borrower(uint32_t message) const;

  // ---- collective operations ----------------------------------------------
  struct CollectiveRun {
    uint32_t rank, tag;
    Operation operation;
    uint32_t root;
    uint64_t elements;
    uintr::Handle handle;
  };
  size_t begin_collective(const CollectiveRun& run) {
    collectives_.push_back(run);
    return collectives_.size() - 1;
  }
  void posted_collective(size_t begun, uintr::Handle handle) { collectives_[begun].handle = handle; }
  bool begun_by_all(const CollectiveRun& run) const;
  // Some ranks have called something else.
  bool disagreed(const CollectiveRun& run) const;
  // Some rank has given it up, or it has failed there: it need not end elsewhere.
  void spoil_collective(uint32_t tag) { spoilt_ |= 1u << tag; }
  // The kernel has refused a copy: an operation may have failed, and its rank not know yet.
  bool refused() const { return has_refused_; }
  bool collective_spoilt(uint32_t tag) const { return (spoilt_ >> tag & 1) != 0; }

  // What a malicious rank may do: what others have announced to this one seems not to be there.
  void wipe_bits(uint32_t rank) { bell(rank)->pending[0].exchange_sc(0); }
  // And what has been matched seems not to be.
  void reopen(uint32_t rank, uint32_t slot) {
    auto* m = reinterpret_cast<uintr::MatchWord*>(world_segment_ + layout_.match_word(rank, slot));
    m->word.exchange_sc(m->word.load_sc() >> 32 << 32);
  }

  // From now on commit() succeeds, and who waits for memory may try again.
  void more_memory() {
    committable_ = settings_.heap_bytes;
    memory_came_back_ = true;
    for (uint32_t i = 0; i < settings_.ranks; ++i) machine_->wake(i);
  }
  bool memory_came_back() const { return memory_came_back_; }

  // ---- Machine::World -----------------------------------------------------
  void quiescent() override;
  void handler(uint32_t rank) override;
  void died(uint32_t rank) override;
  void check_read(uint32_t rank, const void* from, size_t n) override;
  void check_write(uint32_t rank, const void* to, size_t n) override;
  void check_visible(uint32_t rank, const void* to, size_t n) override;
  std::string word(const void* address) override;
  Weakness weakness(const void* address) override;
  long process_vm(bool read, int32_t pid, void* local, uint64_t remote, uint64_t n) override;

 private:
  static constexpr size_t kMemory = 4 << 20;
  static constexpr size_t kBufferBytes = 1 << 20;

  struct Port {
    World* world;
    uint32_t rank;
  };
  uintr::Doorbell* bell(uint32_t rank) {
    return reinterpret_cast<uintr::Doorbell*>(world_segment_ + layout_.doorbell(rank));
  }
  unsigned char* carve(uint64_t bytes);
  void make_memory(uint32_t rank);
  void make_engine(uint32_t rank);
  uintr::PeerMap map_of(uint32_t peer, uint32_t rank) const;
  uintr::ControlHeader* header(uint32_t rank) const;
  int32_t pid_of(uint32_t rank) const;
  bool same_process(uint32_t a, uint32_t b) const {
    return a == b || ((settings_.process >> a & 1) != 0 && (settings_.process >> b & 1) != 0);
  }
  void begin_lives();
  // `member` has let in a life that has not begun.
  bool awaited(uint32_t rank, uint32_t member) const {
    return (returning_ >> rank & 1) != 0 && (let_in_by_[rank] >> member & 1) != 0;
  }
  void send_interrupt(uint32_t from, uint32_t to, bool force);
  void send_wake(uint32_t from, uint32_t to);
  bool commit(uintr::Ports::Segment segment, uint64_t offset, uint64_t bytes);
  void tell_gone(uint32_t rank);
  uintr::RequestView::State state_of(uint32_t rank, uintr::Handle handle) const;
  bool stalled(const Message& m) const;
  const Receipt* partner(const Message& m) const;
  std::string unmet(uint32_t rank) const;
  std::string unfinished_transfer() const;
  std::string unfinished_collective() const;
  static void reduce(uint32_t reduction, void* inout, const void* in, uint64_t elements);

  Settings settings_;
  Machine* machine_ = nullptr;
  uintr::Layout layout_{};
  unsigned char* memory_;
  unsigned char* private_;
  size_t used_ = 0, private_used_ = 0;  // by the last run, hence to be zeroed
  unsigned char* world_segment_ = nullptr;
  unsigned char* controls_[kMaxRanksHere] = {};
  unsigned char* heaps_[kMaxRanksHere] = {};
  uintr::Engine* engines_[kMaxRanksHere] = {};
  Port ports_[kMaxRanksHere] = {};
  uint32_t lives_[kMaxRanksHere] = {};
  bool has_refused_ = false;
  uint32_t returning_ = 0;                            // new lives that somebody has let in, and that have not begun
  uint32_t let_in_by_[kMaxRanksHere] = {};            // and who has
  uint32_t absent_[kMaxRanksHere] = {};               // who was gone when this life began
  uint32_t let_go_[kMaxRanksHere][kMaxRanksHere] = {};  // [peer][rank]: PeerMap::let_go
  uint32_t dead_ = 0, left_ = 0, exited_ = 0, closing_ = 0, done_ = 0, finishing_ = 0;
  uint32_t untold_deaths_[kMaxRanksHere] = {};
  bool waiting_[kMaxRanksHere] = {};
  bool kick_[kMaxRanksHere] = {};
  bool kicked_ = false;  // since they last stood still
  uint64_t committable_ = 0;
  bool memory_came_back_ = false;
  std::vector<CollectiveRun> collectives_;
  struct Loan {
    uint32_t rank, message;
  };
  std::vector<Loan> loans_;
  uint32_t spoilt_ = 0;  // bit per tag
};

}  // namespace simulator
