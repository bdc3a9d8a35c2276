#include "rounds.h"

#include "round.h"

namespace kills {

bool run_rounds(Member* m) {
  const Plan& plan = m->plan();
  for (uint32_t round = 0; round < plan.rounds.size(); ++round) {
    m->board()->where[m->rank()] = round;
    const uint32_t left_before = m->board()->closing.load() | m->board()->exiting.load();
    if (round == plan.leaves_in && m->rank() == plan.leaver && (left_before >> m->rank() & 1) == 0) {
      rounds::leave_in_traffic(m, round);
      return false;
    }
    switch (plan.rounds[round]) {
      case Kind::Traffic:
        rounds::traffic(m, round);
        break;
      case Kind::Wildcards:
        rounds::wildcards(m, round);
        break;
      case Kind::Collective:
        rounds::collective(m, round);
        break;
      case Kind::Lend:
        rounds::lend(m, round);
        break;
      case Kind::Probe:
        rounds::probe(m, round);
        break;
      case Kind::Cancel:
        rounds::cancel(m, round);
        break;
      case Kind::Stall:
        rounds::stall(m, round);
        break;
      case Kind::Flood:
        rounds::flood(m, round);
        break;
    }
  }
  m->board()->where[m->rank()] = static_cast<uint32_t>(plan.rounds.size());
  return true;
}

}  // namespace kills
