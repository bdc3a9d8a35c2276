// A collective operation: everybody's numbers, added up.
#include "round.h"

#include "engine/schedule.h"
#include "reduction/reduction.h"

namespace kills::rounds {

using namespace uintr;

void collective(Member* m, uint32_t round) {
  constexpr uint32_t kNumbers = 9000;
  std::vector<uint32_t> own(kNumbers, m->rank() + 1), sum(own);
  std::vector<std::vector<uint32_t>> theirs(kRanks, std::vector<uint32_t>(kNumbers));
  std::vector<ScheduleStep> steps;
  const uint32_t add = reduce_kind(ReduceType::U32, ReduceOp::Sum);
  const uint64_t bytes = kNumbers * sizeof(uint32_t);
  auto bytes_of = [](std::vector<uint32_t>& v) { return reinterpret_cast<unsigned char*>(v.data()); };
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Receive, peer, bytes_of(theirs[peer]), nullptr, bytes, 0, 0});
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Send, peer, nullptr, bytes_of(own), bytes, 0, 0});
  steps.push_back({ScheduleStep::Kind::End, 0, nullptr, nullptr, 0, 0, 0});
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Reduce, 0, bytes_of(sum), bytes_of(theirs[peer]), bytes, add, 0});
  Schedule schedule{};
  schedule.steps = steps.data();
  schedule.count = static_cast<uint32_t>(steps.size());
  schedule.context = context_of(round, 0);
  for (const uint32_t peer : others(*m))
    if (m->revived(peer)) return;
  Op op;
  m->collective(&op, &schedule);
  bool given_up = false;
  m->until([&] {
    bool somebody = false;
    for (const uint32_t peer : others(*m)) somebody |= m->gone(peer);
    // As the layer above: whoever hears of a death gives it up, for the others have.
    if (somebody && !given_up && !op.over) {
      (*m)->cancel(op.posted.handle);
      given_up = true;
    }
    return op.over;
  });
  if (op.error() == Error::Cancelled) {
    HOLDS(given_up);
  } else if (op.error() != Error::None) {
    m->judge(op, op.outcome().source);
  } else {
    for (const uint32_t n : sum) HOLDS(n == 1 + 2 + 3);
  }
}

}  // namespace kills::rounds
