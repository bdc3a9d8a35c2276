// Collective operations whose shape an input gives, and those of two honest ranks, which have to come out right.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/schedule.h"
#include "engine/world.h"
#include "input.h"

namespace fuzz {

using namespace test;

constexpr uint32_t kSumU8 = 1 * 16;
// A reduction, as the engine calls it.
inline void add_bytes(uint32_t kind, void* inout, const void* in, uint64_t elements) {
  CHECK_EQ(kind, kSumU8);
  auto* to = static_cast<unsigned char*>(inout);
  auto* from = static_cast<const unsigned char*>(in);
  for (uint64_t i = 0; i < elements; ++i) to[i] = static_cast<unsigned char>(to[i] + from[i]);
}

// One rank's part of one.
class Collective {
 public:
  using Kind = ScheduleStep::Kind;

  Collective(uint32_t rank, uint32_t context, uint32_t tag, uint64_t length)
      : rank(rank),
        length(length),
        // Exactly as long as what is sent and received, so that a sanitizer sees the first byte beside it.
        own(std::make_unique<unsigned char[]>(length)),
        got(std::make_unique<unsigned char[]>(length)) {
    schedule_.context = context;
    schedule_.tag = tag;
    std::memset(own.get(), static_cast<int>(rank + 1), length);
  }

  void send(uint32_t peer) { steps_.push_back({Kind::Send, peer, nullptr, own.get(), length, 0, 0}); }
  void receive(uint32_t peer) { steps_.push_back({Kind::Receive, peer, got.get(), nullptr, length, 0, 0}); }
  // What comes has to be what this rank has.
  void hear(uint32_t peer) {
    const auto most = static_cast<uint32_t>(std::min<uint64_t>(length, kMostCompared));
    steps_.push_back({Kind::Receive, peer, got.get(), own.get(), length, 0, most});
  }
  void add() { steps_.push_back({Kind::Reduce, 0, own.get(), got.get(), length, kSumU8, 0}); }
  void copy() { steps_.push_back({Kind::Copy, 0, own.get(), got.get(), length, 0, 0}); }
  void end() { steps_.push_back({Kind::End, 0, nullptr, nullptr, 0, 0, 0}); }

  bool post(World& w) {
    schedule_.steps = steps_.data();
    schedule_.count = static_cast<uint32_t>(steps_.size());
    posted = w[rank]->post_schedule(&schedule_);
    return posted.handle != kNoHandle;
  }
  // Over: what it has left behind is noted. Only what is received changes where nothing is combined.
  void settle() {
    settled = true;
    then_.assign(own.get(), own.get() + length);
    then_.insert(then_.end(), got.get(), got.get() + length);
  }
  bool is_as_it_was() const {
    return std::equal(own.get(), own.get() + length, then_.begin()) &&
           std::equal(got.get(), got.get() + length, then_.begin() + static_cast<std::ptrdiff_t>(length));
  }
  bool holds(unsigned char wanted) const {
    return std::all_of(own.get(), own.get() + length, [&](unsigned char b) { return b == wanted; });
  }

  const uint32_t rank;
  const uint64_t length;
  std::unique_ptr<unsigned char[]> own, got;
  Posted posted{};
  bool settled = false;

 private:
  Schedule schedule_{};
  std::vector<ScheduleStep> steps_;
  std::vector<unsigned char> then_;
};

// All of a run.
class Collectives {
 public:
  explicit Collectives(World& w) : world_(w) {}

  // Of any shape, with messages that a liar may answer.
  void post(Input& in, uint32_t rank, uint64_t length) {
    Collective& c = *all_.emplace_back(std::make_unique<Collective>(rank, 0, in.pick(3), length));
    for (uint32_t rounds = 1 + in.pick(3); rounds != 0; --rounds) {
      const uint8_t how = in.byte();
      if ((how & 1) != 0) c.copy();
      for (uint32_t peer = 0; peer < world_.size(); ++peer)
        if (peer != rank && (how >> peer & 2) != 0) (how & 16) != 0 ? c.hear(peer) : c.receive(peer);
      for (uint32_t peer = 0; peer < world_.size(); ++peer)
        if (peer != rank && (how >> peer & 32) != 0) c.send(peer);
      c.end();
      if ((how & 1) == 0) c.add();
    }
    if (!c.post(world_)) all_.pop_back();
  }

  // Each of two adds up what both have.
  void post_pair(uint32_t context, uint64_t length) {
    const auto tag = static_cast<uint32_t>(pairs_.size());
    Collective* both[2];
    for (uint32_t i = 0; i < 2; ++i) {
      Collective& c = *all_.emplace_back(std::make_unique<Collective>(1 + i, context, tag, length));
      both[i] = &c;
      c.receive(2 - i);
      c.send(2 - i);
      c.end();
      c.add();
      if (c.post(world_)) continue;
      all_.pop_back();
      // For want of a slot. The other one waits in vain.
      if (i == 1) world_[1]->cancel(both[0]->posted.handle);
      return;
    }
    pairs_.push_back({both[0], both[1]});
  }

  void cancel(Input& in, uint32_t rank) {
    if (all_.empty()) return;
    const Collective& c = *all_[in.byte() % all_.size()];
    const bool of_pair = std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.first == &c || p.second == &c; });
    if (c.rank == rank && !of_pair) world_[rank]->cancel(c.posted.handle);
  }

  void settle() {
    for (auto& c : all_)
      if (c->rank != 0 && !c->settled && world_[c->rank].over(c->posted)) c->settle();
  }
  void check_pairs() const {
    for (const Pair& p : pairs_) {
      for (const Collective* c : {p.first, p.second}) {
        CHECK(c->settled);
        CHECK_EQ(world_[c->rank].error(c->posted), Error::None);
        CHECK(c->holds(2 + 3));
      }
    }
  }
  void check_all_over() const {
    for (const auto& c : all_) {
      if (c->rank == 0) continue;
      CHECK(c->settled && c->is_as_it_was());
    }
  }

 private:
  struct Pair {
    const Collective *first, *second;
  };
  World& world_;
  std::vector<std::unique_ptr<Collective>> all_;
  std::vector<Pair> pairs_;
};

}  // namespace fuzz
