// Two ranks which compute, each with a canary, while handlers move their messages.
#pragma once

#include <atomic>
#include <barrier>
#include <csignal>
#include <thread>

#include "exchange.h"
#include "frame.h"
#include "image.h"
#include "ticks.h"

namespace canary {

using Choice = DriverOptions::Choice;

struct Delivery {
  const char* name;
  Choice choice;
  bool by_frame;
  // Nanoseconds between ticks; 0: none.
  long tick;
  // Handler runs that have to interrupt the canary of each rank.
  uint64_t least;
};

class Canary {
 public:
  explicit Canary(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (Image& image : images_) fill(&image, random);
  }
  std::vector<std::string> run() {
    Image& want = images_[runs_++ % std::size(images_)];
    canary_run(&want, &seen_);
    return differences(want, seen_);
  }

 private:
  Image images_[16];
  Image seen_;
  uint64_t runs_ = 0;
};

// While it lives, the calling thread takes its interrupts by this delivery. All ranks of the process make and drop one.
class Delivered {
 public:
  Delivered(const Delivery& d, const Rank& rank, std::barrier<>* all) : by_frame_(d.by_frame), rank_(rank), all_(all) {
    if (by_frame_) frame_enter();
    all_->arrive_and_wait();
    if (by_frame_ && rank_.rank == 0) frame_install(SIGURG);
  }
  ~Delivered() {
    all_->arrive_and_wait();
    if (by_frame_ && rank_.rank == 0) frame_uninstall(SIGURG);
    all_->arrive_and_wait();
    if (by_frame_) frame_leave();
  }

 private:
  const bool by_frame_;
  const Rank& rank_;
  std::barrier<>* all_;
};

inline std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

struct Tally {
  std::atomic<uint64_t> handled{0}, sent{0}, received{0}, slices{0};
};

// One of two ranks; `least` handler runs have to interrupt the canary of each, and messages have to arrive.
inline void compute_under_interrupts(const Delivery& d, uint32_t kinds, uint64_t least, int hub_fd, std::barrier<>* both,
                              std::atomic<int>* enough, Tally* tally) {
  Rank rank(d.choice, kinds, 2, hub_fd);
  const Delivered delivered(d, rank, both);
  auto canary = std::make_unique<Canary>(rank.rank + 2);
  Exchange exchange(rank);
  auto ticks = d.tick == 0 ? nullptr : std::make_unique<Ticks>(SIGURG, d.tick);
  uint64_t handled = 0;
  for (bool told = false; enough->load() != 2;) {
    exchange.step();
    const uint64_t before = rank.counters().interrupts_handled;
    const auto found = canary->run();
    handled += rank.counters().interrupts_handled - before;
    if (!found.empty()) {
      fprintf(stderr, "changed by handlers (%s): %s\n", d.name, listed(found).c_str());
      _exit(1);
    }
    if (!told && handled >= least && rank.counters().receives >= least / 50) {
      told = true;
      enough->fetch_add(1);
    }
    // A last Fin has no interrupt of its own, and there may be nothing left to post.
    rank.engine->progress(Effort::Call);
  }
  tally->handled += handled;
  const Counters c = rank.counters();
  tally->sent += c.interrupts_sent;
  tally->received += c.receives;
  tally->slices += c.slices_in_handler;
  ticks.reset();
  rank.detach();
  // The other's handler may be copying out of this one's buffers.
  both->arrive_and_wait();
}

inline void nothing_changes(const Delivery& d, uint32_t kinds, uint64_t least) {
  std::vector<Fd> sockets;
  JoinError error;
  auto hub = Hub::for_children(2, &sockets, &error);
  CHECK_OK(hub != nullptr, error);
  std::barrier both(2);
  std::atomic<int> enough{0};
  Tally tally;
  auto body = [&](int hub_fd) { compute_under_interrupts(d, kinds, least, hub_fd, &both, &enough, &tally); };
  std::thread other(body, sockets[1].release());
  body(sockets[0].release());
  other.join();
  CHECK(tally.handled.load() >= 2 * least);
  CHECK(kinds == kCopyPipeline || tally.slices.load() > 0);
  printf("%s, copy kind %u: %lu handler runs, %lu interrupts sent, %lu messages, %lu slices in handlers\n", d.name, kinds,
         tally.handled.load(), tally.sent.load(), tally.received.load(), tally.slices.load());
}

inline void under_each_copy(const Delivery& d) {
  const char* factor = getenv("UINTR_STRESS_FACTOR");
  const double longer = factor == nullptr ? 1 : atof(factor);
  alarm(static_cast<unsigned>(120 * (1 + longer)));
  for (const uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, uint32_t{kCopyPipeline}}) {
    nothing_changes(d, kinds, static_cast<uint64_t>(static_cast<double>(d.least) * longer));
  }
}

}  // namespace canary
