// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "check.h"
#include "sync/mutex.h"
#include "sync/per_cpu.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

using namespace uintr;
using namespace uintr::sync;

TEST("01 smoke") {
  JoinError error;
  auto region = Region::create(65536, &error);
  CHECK(region != nullptr);
  auto again = Region::open(region->handle(), &error);
  std::printf("%s %s\n", region->handle().text().c_str(), error.message.c_str());
  CHECK(again != nullptr);
  CHECK_EQ(again->identity(), region->identity());
  ObjectHeader* made = region->find_or_make(Kind::Mutex, "jobs", &error);
  CHECK(made != nullptr);
  ObjectHeader* found = again->find_or_make(Kind::Mutex, "jobs", &error);
  CHECK_EQ(region->line_of(made), again->line_of(found));
  CHECK(again->find_or_make(Kind::SpinLock, "jobs", &error) == nullptr);
  Mutex one(region.get(), &words_of<MutexWords>(made), false), other(again.get(), &words_of<MutexWords>(found), true);
  Owner me = region->seat(Region::Use::Blocking, &error), you = again->seat(Region::Use::Blocking, &error);
  CHECK(me != you);
  CHECK(one.lock(me, ~0ull, true) == Attempt::Acquired);
  CHECK(one.lock(me, ~0ull, true) == Attempt::Deadlock);
  CHECK(other.lock(you, ~0ull, true) == Attempt::Waiting);
  CHECK(!other.unlock(you));
  region.reset();
  CHECK(other.lock(you, ~0ull, true) == Attempt::Inconsistent);
  CHECK(has_restartable_sequences());
  std::vector<PerCpuSlot> slots(possible_cpus());
  PerCpuCounter counter(slots.data(), possible_cpus());
  for (int i = 0; i < 1000000; ++i) counter.add(i % 2 ? ~0ull : 2);
  CHECK_EQ(counter.sum(), 500000u);
}
CHECK_MAIN("locks")
