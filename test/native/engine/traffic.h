// Random traffic between ranks that are threads. Both ends of a direction know
// from a common seed what comes in which order, so everything can be checked.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <thread>

#include "world.h"

namespace test {

struct Plan {
  uint32_t messages = 500;  // in each direction
  uint64_t seed = 1;
  uint64_t longest = 300000;
};

// The k-th message from one rank to another.
struct Item {
  uint64_t length;
  uint32_t tag;
  bool synchronous;
};
inline Item item(const Plan& plan, uint32_t from, uint32_t k) {
  std::mt19937_64 random(plan.seed * 1000003 + from * 7919 + k);
  static constexpr uint64_t kAround[] = {0, 1, 64, 500, 1024, 1025, 4000, 65536, 65537};
  uint64_t kind = random() % 12;
  uint64_t length = kind < 9 ? kAround[kind] + random() % 3 : random() % plan.longest;
  return {length, static_cast<uint32_t>(random() % 3), random() % 8 == 0};
}

class Traffic {
 public:
  Traffic(World& world, uint32_t me, const Plan& plan)
      : rank_(world[me]), peer_(1 - me), plan_(plan), random_(plan.seed * 77 + me) {}

  void run() {
    while (sent_ < plan_.messages || received_ < plan_.messages || !sending_.empty() || !receiving_.empty()) {
      if (sending_.size() < 12 && sent_ < plan_.messages && random_() % 2 == 0) {
        send();
      } else if (receiving_.size() < 12 && received_ < plan_.messages && random_() % 2 == 0) {
        receive();
      } else {
        pass_time();
      }
      take();
    }
    // The other may need this one's handler and its chunks until it is through.
    done_.fetch_add(1);
    while (done_.load() != 2) serve();
  }

  static void reset() { done_ = 0; }

 private:
  struct Active {
    Posted posted;
    uint32_t k;
    std::vector<unsigned char> bytes;
  };

  void send() {
    Item i = item(plan_, rank_.rank, sent_);
    sending_.push_back({{}, sent_, pattern(i.length, sent_ + rank_.rank * 100000)});
    Active& a = sending_.back();
    a.posted = rank_.send(peer_, a.bytes.data(), i.length, i.tag, 1, i.synchronous);
    ++sent_;
  }

  void receive() {
    Item i = item(plan_, peer_, received_);
    receiving_.push_back({{}, received_, std::vector<unsigned char>(i.length + 4, 0xee)});
    Active& a = receiving_.back();
    uint32_t source = random_() % 2 == 0 ? kAnySource : peer_;
    a.posted = rank_.recv(source, a.bytes.data(), a.bytes.size(), i.tag, 1);
    ++received_;
  }

  void take() {
    rank_.collect();
    auto finished = [this](Active& a) { return rank_.over(a.posted); };
    for (Active& a : sending_) {
      if (finished(a)) CHECK_EQ(rank_.error(a.posted), Error::None);
    }
    for (Active& a : receiving_) {
      if (!finished(a)) continue;
      Item i = item(plan_, peer_, a.k);
      CHECK_EQ(rank_.error(a.posted), Error::None);
      CHECK_EQ(rank_.outcome(a.posted).length, i.length);
      auto expected = pattern(i.length, a.k + peer_ * 100000);
      CHECK(std::equal(expected.begin(), expected.end(), a.bytes.begin()));
      CHECK_EQ(a.bytes.back(), 0xee);
    }
    // A buffer is used again, and with other contents, as soon as it is back.
    for (auto* list : {&sending_, &receiving_}) {
      for (Active& a : *list) {
        if (finished(a)) std::fill(a.bytes.begin(), a.bytes.end(), 0x55);
      }
      size_t before = list->size();
      list->erase(std::remove_if(list->begin(), list->end(), finished), list->end());
      if (list->size() != before) last_ = std::chrono::steady_clock::now();
    }
    if (std::chrono::steady_clock::now() - last_ > std::chrono::seconds(60)) {
      check::fail(__FILE__, __LINE__, "nothing has happened for a minute (rank " + std::to_string(rank_.rank) + ")");
    }
  }

  void pass_time() {
    switch (random_() % 4) {
      case 0:
        rank_.progress(Effort::Call);
        break;
      case 1:  // computes: only handlers run
        for (uint64_t i = random_() % 200; i > 0; --i) rank_.deliver();
        break;
      case 2:
        sleep(Attention::Blocked);
        break;
      default:
        sleep(Attention::Sleeping);
    }
  }

  void sleep(Attention how) {
    if (how == Attention::Blocked) rank_->begin_polling();
    while (rank_.progress(Effort::Idle)) {
    }
    rank_.woken = 0;
    if (!rank_->has_completions() && rank_->prepare_sleep(how)) {
      // An event loop's I/O may end its sleep at any time; a wait()'s slice, too.
      for (int i = 0; i < 20 && rank_.woken.load() == 0; ++i) {
        if (how == Attention::Sleeping) rank_.deliver();
        usleep(50);
      }
      rank_->resume(how == Attention::Blocked);
    }
    if (how == Attention::Blocked) rank_->resume(false);
  }

  void serve() {
    rank_.deliver();
    rank_.progress(Effort::Idle);
    usleep(20);
  }

  Rank& rank_;
  const uint32_t peer_;
  const Plan plan_;
  std::mt19937_64 random_;
  uint32_t sent_ = 0, received_ = 0;
  std::deque<Active> sending_, receiving_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  static inline std::atomic<int> done_{0};
};

}  // namespace test
