// Ranks of elastic worlds, as the layers above bootstrap make them.
#pragma once

#include <vector>

#include "tools.h"

namespace test {

using namespace uintr;

inline std::string directory;  // of names

inline JoinRequest as_rank(const char* name, uint32_t size, uint32_t rank) {
  JoinRequest r = named(name, size, directory);
  r.wanted_rank = rank;
  r.geometry.elastic = 1;
  return r;
}

// A rank that does what the layers above do of it.
struct Rank {
  explicit Rank(const JoinRequest& request) : gone(request.geometry.size) {
    JoinError error;
    CHECK_OK(join(request, &joined, &error), error);
    for (uint32_t i = 0; i < gone.size(); ++i) gone[i] = joined->maps[i].absent;
  }

  // Waits for something to happen.
  void notice() {
    for (const uint32_t dead : joined->liveness.drain(100).dead) gone[dead] = true;
  }
  // Likewise, and returns who is to be let in.
  std::vector<uint32_t> look() {
    notice();
    auto is_gone = [](void* self, uint32_t rank) { return bool{static_cast<Rank*>(self)->gone[rank]}; };
    return joined->answer_door(is_gone, this);
  }
  bool let_in(uint32_t rank) {
    if (!joined->let_in(rank, &last)) return false;
    CHECK(last.rank == rank && gone[rank]);
    CHECK(last.incarnation == joined->incarnations[rank]);
    if (last.failed) return false;
    gone[rank] = false;
    joined->admitted(rank);
    return true;
  }
  // Returns who was let in, or kNone.
  uint32_t turn() {
    uint32_t in = kNone;
    for (const uint32_t rank : look()) in = let_in(rank) ? rank : in;
    return in;
  }
  void until_in(uint32_t rank) {
    while (turn() != rank) continue;
  }
  // Lets nobody in, who might be that rank's next life.
  void until_gone(uint32_t rank) {
    while (!gone[rank]) notice();
  }

  std::unique_ptr<Joined> joined;
  std::vector<bool> gone;
  Joined::Returning last{};
};

inline void ends(pid_t pid) {
  kill(pid, SIGKILL);
  was_killed(pid, SIGKILL);
}

[[noreturn]] inline void stay() {
  for (;;) pause();
}

// Rank 0 of two, of which the other is gone.
struct Survivor {
  explicit Survivor(const char* name)
      : other(child([=] {
          Rank r(as_rank(name, 2, 1));
          stay();
        })),
        rank(as_rank(name, 2, 0)) {
    ends(other);
    rank.until_gone(1);
  }
  const pid_t other;
  Rank rank;
};

}  // namespace test
