#include "litmus.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace simulator {
namespace {

using uintr::Shared;

struct Words {
  Shared<uint64_t> x, y, z;
  unsigned char bytes[256];
};
Words words;
uint64_t seen[2];
bool reached[2];

struct Litmus : Case, Machine::World {
  Litmus(std::string name, bool breaks, Machine::Rules rules, std::function<void(Machine&, uint32_t)> program,
         std::function<bool()> good, std::function<void(Machine&, uint32_t)> on_interrupt = {})
      : Case("litmus-" + std::move(name)),
        breaks(breaks),
        rules(rules),
        program(std::move(program)),
        good(std::move(good)),
        on_interrupt(std::move(on_interrupt)) {}

  std::string run(Machine* machine, Choices* choices) override {
    m = machine;
    std::memset(static_cast<void*>(&words), 0, sizeof words);
    std::memset(seen, 0, sizeof seen);
    std::memset(reached, 0, sizeof reached);
    machine->set_memory(&words, &words + 1);
    std::string failure = machine->run(rules, choices, this, [this](uint32_t rank) {
      program(*m, rank);
      reached[rank] = true;
    });
    if (failure.empty() && !good()) failure = "forbidden outcome";
    return failure;
  }

  void quiescent() override {}
  void handler(uint32_t rank) override { on_interrupt(*m, rank); }
  void died(uint32_t) override {}
  void check_read(uint32_t, const void*, size_t) override {}
  void check_write(uint32_t, const void*, size_t) override {}
  void check_visible(uint32_t, const void*, size_t) override {}
  std::string word(const void* address) override {
    return "+" + std::to_string(static_cast<const unsigned char*>(address) - reinterpret_cast<unsigned char*>(&words));
  }
  Weakness weakness(const void*) override { return Weakness::None; }

  const bool breaks;  // the outcome that `good` denies is possible
  const Machine::Rules rules;
  Machine* m = nullptr;
  std::function<void(Machine&, uint32_t)> program;
  std::function<bool()> good;
  std::function<void(Machine&, uint32_t)> on_interrupt;
};

Machine::Rules plain() { return {}; }
Machine::Rules mortal() {
  Machine::Rules rules;
  rules.mortal = 1;
  return rules;
}

const std::vector<std::unique_ptr<Litmus>>& all() {
  static std::vector<std::unique_ptr<Litmus>> tests;
  if (!tests.empty()) return tests;
  auto add = [](auto... arguments) { tests.push_back(std::make_unique<Litmus>(std::move(arguments)...)); };

  // Dekker: each writes its own word, then reads the other's. With plain stores
  // both may read the old value; with exchanges at least one reads the new.
  add(
      "dekker-plain", true, plain(),
      [](Machine&, uint32_t rank) {
        (rank == 0 ? words.x : words.y).release(1);
        seen[rank] = (rank == 0 ? words.y : words.x).load_sc();
      },
      [] { return seen[0] + seen[1] != 0; });
  add(
      "dekker-exchange", false, plain(),
      [](Machine&, uint32_t rank) {
        (rank == 0 ? words.x : words.y).exchange_sc(1);
        seen[rank] = (rank == 0 ? words.y : words.x).load_sc();
      },
      [] { return seen[0] + seen[1] != 0; });

  // Message passing: stores leave in order, so who sees the flag sees the data.
  add(
      "message-passing", false, plain(),
      [](Machine&, uint32_t rank) {
        if (rank == 0) {
          uint64_t data = 7;
          uintr::copy_bytes(words.bytes, &data, 8);
          words.x.release(1);
        } else if (words.x.acquire() == 1) {
          uintr::copy_bytes(&seen[1], words.bytes, 8);
        } else {
          seen[1] = 7;
        }
      },
      [] { return seen[1] == 7; });
  add(
      "message-passing-reversed", true, plain(),
      [](Machine&, uint32_t rank) {
        if (rank == 0) {
          words.x.release(1);
          words.y.release(7);
        } else {
          seen[1] = words.x.acquire() == 1 ? words.y.acquire() : 7;
        }
      },
      [] { return seen[1] == 7; });

  // A processor sees its own stores before anybody else does.
  add(
      "own-stores", false, plain(),
      [](Machine&, uint32_t rank) {
        if (rank != 0) return;
        words.x.release(0x1122334455667788);
        unsigned char two[2];
        uintr::copy_bytes(two, reinterpret_cast<unsigned char*>(&words.x) + 3, 2);
        seen[0] = two[0] == 0x55 && two[1] == 0x44;
      },
      [] { return seen[0] == 1; });

  // A long copy can be seen half done.
  add(
      "torn-copy", true, plain(),
      [](Machine&, uint32_t rank) {
        unsigned char ones[200];
        std::memset(ones, 1, sizeof ones);
        if (rank == 0) {
          uintr::copy_bytes(words.bytes, ones, 200);
        } else {
          unsigned char ends[2];
          uintr::copy_bytes(&ends[1], words.bytes + 199, 1);
          uintr::copy_bytes(&ends[0], words.bytes, 1);
          seen[1] = ends[0] != 1 || ends[1] == 1;
        }
      },
      [] { return seen[1] == 1; });

  // Two who claim by load and store may both win; by compare-and-swap not.
  add(
      "claim-load-store", true, plain(),
      [](Machine&, uint32_t rank) {
        if (words.x.acquire() == 0) {
          words.x.release(1);
          seen[rank] = 1;
        }
      },
      [] { return seen[0] + seen[1] == 1; });
  add(
      "claim-cas", false, plain(),
      [](Machine&, uint32_t rank) {
        uint64_t expected = 0;
        seen[rank] = words.x.cas_sc(&expected, 1);
      },
      [] { return seen[0] + seen[1] == 1; });

  // A handler between a load and a store of the thread it interrupts.
  auto count = [](Machine&, uint32_t rank) {
    if (rank == 0) {
      the_machine->post_interrupt(0);
      words.z.release(words.z.relaxed() + 1);
    }
  };
  auto count_by_rmw = [](Machine&, uint32_t rank) {
    if (rank == 0) {
      the_machine->post_interrupt(0);
      words.z.add_sc(1);
      the_machine->interruptible();
    }
  };
  auto bump = [](Machine&, uint32_t) { seen[1] = 1, words.z.add_sc(1); };
  auto counted = [] { return words.z.relaxed() == 1 + seen[1]; };
  add("handler-loses-update", true, plain(), count, counted, bump);
  add("handler-and-rmw", false, plain(), count_by_rmw, counted, bump);

  // To sleep: look, then sleep, is a lost wakeup; say so, look, then sleep is not.
  auto sleeper = [](bool announce, bool by_rmw) {
    return [=](Machine& m, uint32_t rank) {
      if (rank == 0) {
        words.x.or_sc(1);
        if (words.y.load_sc() != 0) m.wake(1);
        return;
      }
      if (!announce) {
        if (words.x.load_sc() != 0) return;
        words.y.exchange_sc(1);
      } else {
        if (by_rmw) {
          words.y.exchange_sc(1);
        } else {
          words.y.release(1);
        }
        if (words.x.load_sc() != 0) return;
      }
      m.block(State::Asleep);
    };
  };
  auto both = [] { return reached[0] && reached[1]; };
  add("sleep-look-first", true, plain(), sleeper(false, false), both);
  add("sleep-plain-store", true, plain(), sleeper(true, false), both);
  add("sleep-exchange", false, plain(), sleeper(true, true), both);

  // Death between the two steps of a send leaves the second step undone.
  add(
      "death-between-steps", true, mortal(),
      [](Machine& m, uint32_t rank) {
        if (rank == 0) {
          if (words.x.exchange_sc(1) == 0) {
            words.y.relaxed();
            m.wake(1);
          }
        } else {
          while (words.x.relaxed() == 0) {
            if (m.state(0) == State::Dead && words.x.relaxed() == 0) return;
            m.yield();
          }
          m.block(State::Asleep);
        }
      },
      [] { return reached[1]; });
  return tests;
}

}  // namespace

uint32_t run_litmus(Machine* machine, uint64_t* executions) {
  uint32_t wrong = 0;
  for (const auto& test : all()) {
    // Two things must happen at most: a store held back, a rank preempted.
    Outcome outcome = exhaust(machine, test.get(), 4, 1000000);
    *executions += outcome.executions;
    bool broke = !outcome.failure.empty();
    if (broke && outcome.failure != "forbidden outcome") broke = !test->breaks;
    if (broke == test->breaks) continue;
    ++wrong;
    std::printf("%s: %s after %llu executions; replay: %s:%s\n", test->name.c_str(),
                broke ? outcome.failure.c_str() : "the forbidden outcome was not found",
                static_cast<unsigned long long>(outcome.executions), test->name.c_str(),
                to_text(outcome.taken).c_str());
  }
  return wrong;
}

Case* find_litmus(const std::string& name) {
  for (const auto& test : all()) {
    if (test->name == name) return test.get();
  }
  return nullptr;
}

}  // namespace simulator
