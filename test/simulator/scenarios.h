// The fixed scenarios: small, each about one thing, explored exhaustively.
// Those of one theme stand in one file of scenarios/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine_case.h"

namespace simulator {

struct Scenario {
  std::unique_ptr<EngineCase> engine_case;
  uint32_t bound;  // of a normal run
};

class Scenarios {
 public:
  void operator()(std::string name, uint32_t bound, Settings settings, std::function<void(Rank&)> program) {
    all.push_back({std::make_unique<EngineCase>(std::move(name), settings, std::move(program)), bound});
  }
  std::vector<Scenario> all;
};

const std::vector<Scenario>& scenarios();

// ---- one for each theme
void one_message(Scenarios& add);
void order(Scenarios& add);
void adverts(Scenarios& add);
void cancel(Scenarios& add);
void flow(Scenarios& add);
void memory(Scenarios& add);
void probes(Scenarios& add);
void in_the_heap(Scenarios& add);
void copies(Scenarios& add);
void lend(Scenarios& add);
void deaths(Scenarios& add);
void rejoin(Scenarios& add);
void threads(Scenarios& add);
void ends(Scenarios& add);
void three_ranks(Scenarios& add);
void mischief(Scenarios& add);
void collective(Scenarios& add);
void three_collectives(Scenarios& add);

}  // namespace simulator
