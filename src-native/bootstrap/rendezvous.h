// The hub's state: who has come, who is missing, and what to answer. Knows sockets but no thread and no poll loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/segments.h"
#include "bootstrap/wire.h"

namespace uintr {

class Rendezvous {
 public:
  // size 0: a named world, whose size the first hello brings. `name` empty: ranks that the launcher starts.
  Rendezvous(std::string name, uint32_t size) : name_(std::move(name)), size_(size) {}

  // A connection. `reserved`: the rank it is for, in a launched world.
  void add(Fd socket, uint32_t reserved);

  // For the poll loop: connections come and go only in add() and sweep().
  size_t connections() const { return members_.size(); }
  // -1: not to be listened to now. While a world forms, who comes late waits for the outcome.
  int socket(size_t i) const {
    const Member& m = *members_[i];
    return m.gone || (phase_ == Phase::Forming && !m.arrived) ? -1 : m.socket.get();
  }
  void readable(size_t i);
  // There were no descriptors for a rank. Who goes on waiting for it is told so in the end.
  void ran_short() { ran_short_ = true; }
  static constexpr const char* kTooManyOpenFiles =
      "the process that collects the ranks has too many open files (raise `ulimit -n`)";
  // Retries answers that could not be sent, drops who is gone or silent. Milliseconds until it wants to be called again
  // even if nothing comes in; -1: never.
  int sweep();

  // A launched world has nothing more to do (all have joined, or it failed).
  bool finished() const { return name_.empty() && members_.empty(); }

 private:
  enum class Phase { Gathering, Forming, Complete, Failed };
  struct Member {
    Fd socket;
    uint32_t reserved = kNone;  // launched worlds
    uint32_t rank = kNone;      // once wanted or assigned
    bool arrived = false;       // its hello was taken
    bool fetching = false;      // wants peers from `fetch_first` on
    bool placed = false;        // its header is written: it has fetched once
    bool mapped = false;
    bool gone = false;  // to be swept
    uint32_t fetch_first = 0;
    int64_t silent_until = 0;  // a connection that does not say hello by then is dropped (named worlds)
    uint64_t arrival = 0;
    wire::Identity identity{};
    Fd fds[wire::kFdsPerRank];
  };

  void take(Member* m, wire::Received* received);
  void hello(Member* m, wire::Received* received);
  bool admissible(Member* m, const wire::Hello& hello, std::string* why, uint32_t* code) const;
  void form();
  void answer_fetches();
  bool send_peers(Member* m);  // false: try again later
  void open_barrier();
  // Its connection is of no more use. `how` follows "rank 3 " where that ends it for the others too.
  void left(Member* m, const std::string& how = "ended before all ranks had joined");
  void turn_away(Member* m, const std::string& text, uint32_t code = wire::kJoin);
  void refuse(Member* m, const std::string& text, uint32_t code = wire::kJoin, bool retry = false);
  void refuse_late(Member* m);
  void fail_all(const std::string& text, uint32_t code);
  uint32_t arrived() const;
  std::string missing() const;
  std::string title() const { return name_.empty() ? "the world" : "world '" + name_ + "'"; }
  std::string complete_text() const;

  std::string name_;
  uint32_t size_;
  Geometry geometry_{};
  bool have_geometry_ = false;
  Phase phase_ = Phase::Gathering;
  uint64_t arrivals_ = 0;
  bool answers_waiting_ = false;
  bool ran_short_ = false;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Member*> ranks_;  // while Forming
  Segment world_;
};

}  // namespace uintr
