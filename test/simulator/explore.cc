#include "explore.h"

namespace simulator {

Outcome exhaust(Machine* machine, Case* c, uint32_t bound, uint64_t max_executions) {
  Exhaustive choices(bound);
  Outcome outcome;
  while (choices.next()) {
    if (outcome.executions == max_executions) {
      outcome.complete = false;
      return outcome;
    }
    ++outcome.executions;
    outcome.failure = c->run(machine, &choices);
    outcome.points += choices.points();
    if (!outcome.failure.empty()) {
      outcome.taken = choices.taken();
      outcome.complete = false;
      return outcome;
    }
  }
  return outcome;
}

Outcome randomize(Machine* machine, Case* c, uint64_t seed, uint32_t* expected_points) {
  Randomized choices;
  choices.begin(seed, *expected_points);
  Outcome outcome{1, 0, false, c->run(machine, &choices), {}};
  outcome.taken = choices.taken();
  *expected_points = choices.points();
  outcome.points = choices.points();
  return outcome;
}

Outcome replay(Machine* machine, Case* c, const std::vector<Choices::Taken>& taken) {
  Replayed choices;
  choices.begin(taken);
  Outcome outcome{1, 0, false, c->run(machine, &choices), {}};
  outcome.taken = choices.taken();
  return outcome;
}

Outcome shrink(Machine* machine, Case* c, Outcome failed) {
  // Whole stretches first, then single choices. What remains after a piece is
  // left out happens at other places, which is why some failure is enough.
  for (size_t piece = failed.taken.size(); piece > 0; piece /= 2) {
    for (size_t at = 0; at < failed.taken.size();) {
      std::vector<Choices::Taken> fewer = failed.taken;
      size_t end = at + piece < fewer.size() ? at + piece : fewer.size();
      fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(at), fewer.begin() + static_cast<ptrdiff_t>(end));
      Outcome again = replay(machine, c, fewer);
      ++failed.executions;
      if (!again.failure.empty() && again.taken.size() < failed.taken.size()) {
        failed.failure = again.failure;
        failed.taken = again.taken;
      } else {
        at += piece;
      }
    }
  }
  return failed;
}

}  // namespace simulator
