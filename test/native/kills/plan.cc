#include "plan.h"

#include <algorithm>

#include "engine/types.h"

namespace kills {

using namespace uintr;
using Choice = DriverOptions::Choice;

namespace {

constexpr uint32_t kDirectly = kCopyDirect | kCopyHeap | kCopyCma | kCopyPipeline;

template <class Test>
uint32_t ranks_where(Test test) {
  uint32_t ranks = 0;
  for (uint32_t rank = 0; rank < kRanks; ++rank)
    if (test(rank)) ranks |= 1u << rank;
  return ranks;
}

// 1 … typical, each order of magnitude as often as another.
uint32_t hit_within(Random* r, uint32_t typical) {
  uint32_t bits = 0;
  while (typical >> bits > 1) ++bits;
  const uint32_t most = 1u << r->below(bits + 1);
  return 1 + r->below(std::min(most, std::max(typical, 1u)));
}

// What others meet that go on meanwhile, shows where they would else have heard of the end first.
How how_within(Random* r, const std::string& group) {
  if ((group == "advert" || group == "rts" || group == "claim") && r->one_in(2)) return How::StopKill;
  constexpr How kOften[] = {How::Kill, How::Kill, How::Kill, How::Exit, How::Exec, How::Stop, How::StopKill, How::StopKill};
  return kOften[r->below(std::size(kOften))];
}

// At any step of a rank's membership.
Arm any_time(Random* r) { return {"*", hit_within(r, 3000), How::Kill}; }

Meeting meeting_for(Random* r, const std::string& group) {
  if (group == "back" || group == "door" || group == "place" || group == "revive") return Meeting::Elastic;
  if (group == "name") return r->one_in(2) ? Meeting::Named : Meeting::Elastic;
  if (group == "hub" || group == "join") return static_cast<Meeting>(r->below(3));
  const uint32_t n = r->below(10);
  return n < 6 ? Meeting::Launched : n < 8 ? Meeting::Named : Meeting::Elastic;
}

}  // namespace

uint32_t Plan::mortal() const {
  return ranks_where([this](uint32_t rank) {
    return std::any_of(arms[process_of(rank)], arms[process_of(rank)] + kMostLives,
                       [](const Arm& arm) { return arm.deadly(); });
  });
}

uint32_t Plan::stoppable() const {
  return ranks_where([this](uint32_t rank) {
    return std::any_of(arms[process_of(rank)], arms[process_of(rank)] + kMostLives,
                       [](const Arm& arm) { return arm.how == How::Stop || arm.how == How::StopKill; });
  });
}

uint32_t Plan::early() const {
  if (meeting == Meeting::Elastic) return 0;
  return ranks_where([this](uint32_t rank) {
    const Arm& arm = arm_of(rank);
    return rank == leaver || (!arm.name.empty() && arm.how != How::Thread);
  });
}

uint32_t Plan::unsteady() const {
  return stoppable() | mortal() | early() | ranks_where([this](uint32_t rank) { return rank == leaver; });
}

Plan plan_for(uint64_t seed, const std::string& failpoint, uint32_t typical, Choice driver, bool of_a_thread) {
  Random random(seed);
  Random* r = &random;
  const std::string group = failpoint.substr(0, failpoint.find('.'));
  Plan p;
  p.seed = seed;
  p.meeting = of_a_thread ? Meeting::Launched : meeting_for(r, group);
  p.driver = driver != Choice::Auto ? driver : r->one_in(4) ? Choice::Poll : Choice::Signal;
  const bool by_interrupt = group == "interrupt" || group == "dispatch" || group == "handler" || failpoint == "mask.noted" ||
                            group == "inside" || failpoint == "notice.interrupting";
  if (by_interrupt && driver == Choice::Auto) p.driver = Choice::Signal;
  constexpr uint32_t kCopies[] = {kDirectly, kDirectly, kCopyHeap | kCopyPipeline, kCopyPipeline};
  p.copies = group == "pipeline" || failpoint == "ring.wants_space" ? uint32_t{kCopyPipeline}
             : group == "chunk" || group == "baton" || group == "advert"
                 ? kDirectly
                 : kCopies[r->below(std::size(kCopies))];
  p.heap_buffers = p.copies == (kCopyHeap | kCopyPipeline) || r->one_in(8);
  p.threads = of_a_thread || (p.meeting == Meeting::Launched && r->one_in(3));

  for (uint32_t n = 2 + r->below(3); n > 0; --n)
    p.rounds.push_back(r->one_in(2) ? Kind::Traffic : static_cast<Kind>(r->below(kKinds)));
  auto have = [&](Kind kind) {
    if (std::find(p.rounds.begin(), p.rounds.end(), kind) == p.rounds.end())
      p.rounds[r->below(static_cast<uint32_t>(p.rounds.size()))] = kind;
  };
  if (group == "lend") have(Kind::Lend);
  if (group == "schedule") have(Kind::Collective);
  if (group == "probe") have(Kind::Probe);
  if (failpoint == "receive.stalled" || failpoint == "receive.handed_back" || failpoint == "receive.copied_out")
    have(Kind::Stall);
  if (failpoint == "reply.queued" || failpoint == "ring.wants_space") have(Kind::Flood);
  if (failpoint == "send.withdrawn" || group == "advert") have(Kind::Cancel);

  // Who comes to that step, and what has to have happened before.
  const uint32_t rank = r->below(kRanks), other = (rank + 1 + r->below(kRanks - 1)) % kRanks;
  const Arm arm{failpoint, hit_within(r, typical), how_within(r, group)};
  const bool of_launcher = p.meeting == Meeting::Launched && group == "hub";
  const bool after_return = group == "back";
  const bool after_a_death = group == "peer_gone" || group == "door" || group == "revive" || group == "kick" ||
                             failpoint == "schedule.failed";
  if (of_a_thread || (p.threads && !of_launcher && !after_a_death && r->one_in(2))) {
    p.leaver = 1 + r->below(2);
    p.leaves_in = kNone;
    p.arms[1][0] = {failpoint, hit_within(r, typical), How::Thread, p.leaver};
    return p;
  }
  if (of_launcher || (failpoint == "*" && p.meeting == Meeting::Launched && r->one_in(12))) {
    p.arms[kLauncher][0] = arm;
  } else if (after_return || (p.meeting == Meeting::Elastic && r->one_in(3) && !after_a_death)) {
    p.arms[rank][0] = any_time(r);
    p.arms[rank][1] = arm;
    if (r->one_in(2)) p.arms[rank][2] = {"*", hit_within(r, 500), How::Kill};
  } else {
    if (after_a_death) p.threads = false;
    p.arms[p.process_of(rank)][0] = arm;
    if (after_a_death) p.arms[other][0] = any_time(r);
  }
  // In an elastic world nobody goes for good; who goes there comes back.
  const bool leaving = group == "abandon" || failpoint == "end.said" ||
                       (p.meeting == Meeting::Elastic && (group == "close" || group == "leave"));
  if (failpoint == "closed.seen" || leaving || r->one_in(10)) {
    p.leaver = leaving ? rank : other;
    p.leaves_in = r->below(static_cast<uint32_t>(p.rounds.size()));
    p.rounds[p.leaves_in] = Kind::Traffic;  // in which every request is judged by itself
  }
  if (p.meeting == Meeting::Launched && p.arms[kLauncher][0].name.empty() && r->one_in(6)) {
    p.launcher_outlived_by = r->below(kRanks);
    p.launcher_outlived_in = r->below(static_cast<uint32_t>(p.rounds.size()));
  }
  return p;
}

std::string Plan::text() const {
  constexpr const char* kMeetings[] = {"launched", "named", "elastic"};
  constexpr const char* kRoundNames[] = {"traffic", "wildcards", "collective", "lend", "probe", "cancel", "stall", "flood"};
  constexpr const char* kDrivers[] = {"auto", "uintr", "signal", "poll"};
  std::string s = std::string(kMeetings[static_cast<uint32_t>(meeting)]) + ", driver " +
                  kDrivers[static_cast<uint32_t>(driver)] + ", copies " + std::to_string(copies) +
                  (threads ? ", ranks 1 and 2 are threads" : "") + "; rounds:";
  for (const Kind kind : rounds) s += std::string(" ") + kRoundNames[static_cast<uint32_t>(kind)];
  for (uint32_t process = 0; process <= kRanks; ++process) {
    for (uint32_t life = 0; life < kMostLives; ++life) {
      const Arm& arm = arms[process][life];
      if (arm.name.empty()) continue;
      s += std::string("; ") + (process == kLauncher ? "launcher" : "process " + std::to_string(process)) + " life " +
           std::to_string(life) + ": " + name_of(arm.how) + (arm.rank != kNone ? " (rank " + std::to_string(arm.rank) + ")" : "") + " at " + arm.name + ", time " + std::to_string(arm.hit);
    }
  }
  if (leaver != kNone && leaves_in != kNone)
    s += "; rank " + std::to_string(leaver) + " goes in round " + std::to_string(leaves_in);
  if (launcher_outlived_by != kNone)
    s += "; launcher is killed when rank " + std::to_string(launcher_outlived_by) + " is in round " +
         std::to_string(launcher_outlived_in);
  return s;
}

}  // namespace kills
