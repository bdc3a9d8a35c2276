// Collective operations of three ranks.
#include "parts.h"

namespace simulator {

using namespace uintr;

namespace {

using Begin = std::function<void(Rank&)>;

// One that has failed somewhere is given up by all at the end, as lib tells all ranks to do.
Program begins(const Begin& operation, Way first, Way others) {
  return [=](Rank& r) {
    operation(r);
    pass(r, r.rank() == 0 ? first : others);
    r.finish();
  };
}

// Rank `who` does something else after it has begun; the others compute, or wait.
Program leaves(const Begin& operation, uint32_t who, std::function<void(Rank&)> otherwise) {
  return [=](Rank& r) {
    operation(r);
    if (r.rank() == who) return otherwise(r);
    pass(r, r.rank() == (who + 1) % 3 ? Way::Compute : Way::Wait);
    r.finish();
  };
}

}  // namespace

void three_collectives(Scenarios& add) {
  const Settings s = with_turns(three(signal)), u = with_turns(three(user)), p = with_turns(three(pipeline));
  auto sum = [](uint64_t elements) { return [=](Rank& r) { r.iallreduce(elements); }; };
  auto bcast = [](uint64_t elements) { return [=](Rank& r) { r.ibcast(elements, 1); }; };
  auto barrier = [](Rank& r) { r.ibarrier(); };
  constexpr uint64_t kFew = 4, kLong = 200;  // by recursive doubling; around the ring, in messages of two chunks
  add("barrier-wait", 1, s, begins(barrier, Way::Wait, Way::Wait));
  add("barrier-compute", 2, s, begins(barrier, Way::Compute, Way::Compute));
  add("barrier-loop-uintr", 1, u, begins(barrier, Way::Compute, Way::Loop));
  add("bcast-compute", 1, s, begins(bcast(kFew), Way::Compute, Way::Compute));
  add("bcast-chunks-uintr", 1, u, begins(bcast(kLong), Way::Wait, Way::Compute));
  add("sum-wait", 1, s, begins(sum(kFew), Way::Wait, Way::Wait));
  add("sum-compute", 1, s, begins(sum(kFew), Way::Compute, Way::Compute));
  add("sum-compute-uintr", 1, u, begins(sum(kFew), Way::Compute, Way::Loop));
  add("sum-ring-wait", 1, s, begins(sum(kLong), Way::Wait, Way::Wait));
  add("sum-ring-compute", 1, s, begins(sum(kLong), Way::Compute, Way::Compute));
  add("sum-ring-uintr", 1, u, begins(sum(kLong), Way::Compute, Way::Loop));
  add("sum-ring-pipeline", 1, p, begins(sum(kLong), Way::Compute, Way::Wait));
  Settings cma = s;
  cma.copy_kinds = kCopyCma | kCopyPipeline;
  add("sum-ring-cma", 1, cma, begins(sum(kLong), Way::Compute, Way::Wait));
  add("sum-and-bcast", 1, s, begins([](Rank& r) {
        r.iallreduce(kFew, 1);
        r.ibcast(kLong, 2, 2);
      }, Way::Wait, Way::Compute));
  // They do not agree: on what goes where, or only in name.
  add("mismatch", 1, s, begins([](Rank& r) { r.rank() == 0 ? r.ibcast(kFew, 1) : r.iallreduce(kFew); }, Way::Wait,
                               Way::Compute));
  add("mismatch-in-name", 2, s, begins([](Rank& r) { r.rank() == 0 ? r.ibcast(0, 1) : r.ibarrier(); }, Way::Wait,
                                       Way::Compute));

  for (const Settings& driver : {s, u}) {
    const std::string name = driver.driver == Driver::Uintr ? "-uintr" : "";
    for (uint32_t who = 0; who < 3; ++who) {
      const std::string rank = "-" + std::to_string(who) + name;
      add("sum-dies" + rank, 1, mortal(driver, 1u << who), begins(sum(kFew), Way::Compute, Way::Wait));
      add("sum-ring-dies" + rank, 1, mortal(driver, 1u << who), begins(sum(kLong), Way::Compute, Way::Wait));
    }
    add("bcast-root-dies" + name, 1, mortal(driver, 2), begins(bcast(kLong), Way::Compute, Way::Wait));
    add("barrier-dies" + name, 1, mortal(driver, 4), begins(barrier, Way::Compute, Way::Wait));
    auto closes = [](Rank& r) { r.close(); };
    auto abandons = [](Rank& r) { r.test(), r.abandon(); };
    auto cancels = [](Rank& r) {
      r.pause();
      r.cancel_collective(0);
      r.wait_all();
      r.finish();
    };
    add("sum-closes" + name, 1, closing(driver), leaves(sum(kFew), 0, closes));
    add("sum-ring-closes" + name, 1, closing(driver), leaves(sum(kLong), 1, closes));
    add("sum-ring-abandons" + name, 1, closing(driver), leaves(sum(kLong), 2, abandons));
    add("sum-cancels" + name, 1, driver, leaves(sum(kFew), 2, cancels));
    add("sum-ring-cancels" + name, 1, driver, leaves(sum(kLong), 1, cancels));
    add("bcast-root-cancels" + name, 1, driver, leaves(bcast(kLong), 1, cancels));
  }
  cma.driver = Driver::Signal;
  add("sum-ring-cma-dies", 1, mortal(cma, 2), begins(sum(kLong), Way::Compute, Way::Wait));
}

}  // namespace simulator
