#include "scenarios.h"

namespace simulator {

const std::vector<Scenario>& scenarios() {
  static const Scenarios made = [] {
    Scenarios add;
    for (auto* theme : {one_message, order, adverts, cancel, flow, memory, probes, in_the_heap, copies, lend, deaths, rejoin, threads,
                        ends, three_ranks, mischief, collective, three_collectives}) {
      theme(add);
    }
    return add;
  }();
  return made.all;
}

}  // namespace simulator
