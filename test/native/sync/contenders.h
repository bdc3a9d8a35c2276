// Who contends for a lock in these tests, and what the lock guards. One table of the four kinds: what is true of one is
// tested of all.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <memory>
#include <variant>

#include "check.h"
#include "children.h"
#include "sync/mutex.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

namespace test {

using namespace uintr;
using namespace uintr::sync;

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitizer = true;
#else
constexpr bool kSanitizer = kThreadSanitizer;
#endif

constexpr Kind kLocks[] = {Kind::Mutex, Kind::AdaptiveMutex, Kind::SpinLock, Kind::TicketLock};

constexpr uint64_t kMicrosecond = 1000, kMillisecond = 1000 * kMicrosecond;

class AnyLock {
 public:
  // Who is asked whether an owner lives, and where the words lie.
  AnyLock(Kind kind, Region* region, ObjectHeader* object) : lock_(make(kind, region, object)) {}

  Attempt try_lock(Owner me) {
    return std::visit([&](auto& lock) { return lock.try_lock(me); }, lock_);
  }
  Attempt lock(Owner me, uint64_t ns, bool first) {
    return std::visit([&](auto& lock) { return lock.lock(me, ns, first); }, lock_);
  }
  void give_up(Owner me) {
    std::visit([&](auto& lock) { lock.give_up(me); }, lock_);
  }
  bool unlock(Owner me) {
    return std::visit([&](auto& lock) { return lock.unlock(me); }, lock_);
  }
  void make_consistent() {
    std::visit([](auto& lock) { lock.make_consistent(); }, lock_);
  }
  Owner owner() const {
    return std::visit([](auto& lock) { return lock.owner(); }, lock_);
  }
  Holder holder() const {
    return std::visit([](auto& lock) { return lock.holder(); }, lock_);
  }

 private:
  using Lock = std::variant<Mutex, SpinLock, TicketLock>;
  static Lock make(Kind kind, Region* region, ObjectHeader* object) {
    if (kind == Kind::SpinLock) return SpinLock(region, &words_of<SpinLockWords>(object));
    if (kind == Kind::TicketLock) return TicketLock(region, &words_of<TicketLockWords>(object));
    return Mutex(region, &words_of<MutexWords>(object), kind == Kind::AdaptiveMutex);
  }
  Lock lock_;
};

// Memory that a test shares with its children, zeroed, besides any region.
template <class T>
T* shared_with_children() {
  void* at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  return static_cast<T*>(at);
}

// What a lock guards: plain words, so that two who are inside at once lose a count, break a pair, or are seen by the
// thread sanitizer.
struct Guarded {
  uint64_t count;
  alignas(64) uint64_t first;
  alignas(64) uint64_t second;  // as `first`, whenever nobody is inside

  // `linger`: gives the processor away in the middle, so that others come upon a lock that is held.
  void use(bool linger) {
    CHECK_EQ(first, second);
    ++first;
    if (linger) sched_yield();
    ++second;
    ++count;
  }
};

// A region with one lock, by what others find it.
class Site {
 public:
  explicit Site(Kind kind) : kind(kind), guarded(shared_with_children<Guarded>()) {
    JoinError error;
    region = Region::create(65536, &error);
    if (region == nullptr) check::fail(__FILE__, __LINE__, error.message);
    ObjectHeader* object = region->find_or_make(kind, "the lock", &error);
    CHECK(object != nullptr);
    handle = region->handle();
    line = region->line_of(object);
  }
  Site(const Site&) = delete;
  ~Site() { munmap(guarded, sizeof *guarded); }

  // Of a process that has it.
  ObjectHeader* object() const { return region->at(line, kind); }

  const Kind kind;
  Guarded* const guarded;
  std::shared_ptr<Region> region;  // not a child's
  Handle handle;
  uint32_t line;
};

inline std::shared_ptr<Region> open_region(const Handle& handle) {
  JoinError error;
  std::shared_ptr<Region> region = Region::open(handle, &error);
  if (region == nullptr) check::fail(__FILE__, __LINE__, error.message);
  return region;
}

// A thread as the product has it: with a region of its own, and a seat.
class Contender {
 public:
  // `home`: where the threads of a process find the words under the thread sanitizer, which knows memory by its address.
  explicit Contender(const Site& site, Region* home = nullptr)
      : region(open_region(site.handle)),
        me(seat_in(region.get())),
        lock(site.kind, region.get(), words_in(home != nullptr && kThreadSanitizer ? home : region.get(), site)) {}

  Attempt try_lock() { return lock.try_lock(me); }
  Attempt wait(uint64_t ns, bool first = true) { return lock.lock(me, ns, first); }
  bool unlock() { return lock.unlock(me); }
  void give_up() { lock.give_up(me); }

  // Until it has the lock, or never could have. In waits so short that the dead are found soon.
  Attempt acquire(uint64_t ns = kMillisecond) {
    Attempt attempt = wait(ns);
    while (attempt == Attempt::Waiting) attempt = wait(ns, false);
    return attempt;
  }

  std::shared_ptr<Region> region;
  Owner me;
  AnyLock lock;

 private:
  static ObjectHeader* words_in(Region* region, const Site& site) { return region->at(site.line, site.kind); }
  static Owner seat_in(Region* region) {
    JoinError error;
    const Owner owner = region->seat(Region::Use::Blocking, &error);
    if (owner == kNobody) check::fail(__FILE__, __LINE__, error.message);
    return owner;
  }
};

// The same sequence for the same seed (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return next() % n; }

 private:
  uint64_t state_;
};

}  // namespace test
