// Who decides, wherever a run of the simulator could go on in several ways.
//
// A run is a function of its choices: the program under test is deterministic,
// and whatever is not (schedule, store buffers, interrupts, deaths) is asked
// for here. Option 0 always is the quiet way: go on, deliver late, drain at
// once. So a run is written down as the few points where something else was
// chosen, "point=option,point=option", and replays from that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simulator {

// What an option stands for; random search gives each kind its own frequency.
enum class Step : uint8_t {
  Continue,
  Preempt,  // another rank runs
  Deliver,  // a pending interrupt arrives here
  Foreign,  // an interrupt nobody sent arrives here
  Die,      // this rank never executes anything again
  Hold,     // this store stays in the store buffer
  Drain,    // a store buffer gives out its oldest store
  Next,     // which of several ranks runs, when the one that ran cannot
  Reorder,  // of two things that have both happened, the later is seen first
  Rare,     // the kernel does what it seldom does: copies less than it was asked to, or refuses
};
constexpr int kSteps = 10;

struct Option {
  Step step;
  uint8_t rank;
  uint8_t cost;  // of the bound of an exhaustive search
};

class Choices {
 public:
  struct Taken {
    uint32_t point, option;
  };

  virtual ~Choices() = default;

  uint32_t choose(const Option* options, uint32_t count) {
    uint32_t option = count > 1 ? pick(points_, options, count) : 0;
    if (option != 0) taken_.push_back({points_, option});
    if (count > 1) ++points_;
    return option;
  }

  uint32_t points() const { return points_; }
  const std::vector<Taken>& taken() const { return taken_; }

 protected:
  virtual uint32_t pick(uint32_t point, const Option* options, uint32_t count) = 0;
  void restart() {
    points_ = 0;
    taken_.clear();
  }

 private:
  uint32_t points_ = 0;
  std::vector<Taken> taken_;
};

// Depth first through every run whose costs sum up to at most `bound`.
class Exhaustive : public Choices {
 public:
  explicit Exhaustive(uint32_t bound) : bound_(bound) {}
  // Prepares the next run. False: there is none left.
  bool next();

 protected:
  uint32_t pick(uint32_t point, const Option* options, uint32_t count) override;

 private:
  struct Branch {
    uint32_t chosen, count;  // among what the bound allows
  };
  const uint32_t bound_;
  uint32_t spent_ = 0;
  size_t depth_ = 0;
  bool first_ = true;
  std::vector<Branch> path_;
};

// splitmix64: small, and the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((next() >> 32) * n >> 32); }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// Each run draws its own temper first: how often each kind of step is taken, or
// (as PCT does) a handful of points at which exactly one thing happens, because
// frequent disturbance and rare disturbance find different bugs.
class Randomized : public Choices {
 public:
  // `expected_points`: about how many choices such a run has.
  void begin(uint64_t seed, uint32_t expected_points);

 protected:
  uint32_t pick(uint32_t point, const Option* options, uint32_t count) override;

 private:
  Random random_{0};
  uint32_t frequency_[kSteps] = {};  // of 65536
  std::vector<uint32_t> events_;     // points, ascending; empty: by frequency
  size_t event_ = 0;
  bool few_events_ = false;
};

class Replayed : public Choices {
 public:
  void begin(std::vector<Taken> taken) {
    restart();
    wanted_ = std::move(taken);
    at_ = 0;
  }

 protected:
  uint32_t pick(uint32_t point, const Option* options, uint32_t count) override;

 private:
  std::vector<Taken> wanted_;
  size_t at_ = 0;
};

std::string to_text(const std::vector<Choices::Taken>& taken);
std::vector<Choices::Taken> from_text(const std::string& text);

}  // namespace simulator
