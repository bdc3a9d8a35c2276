// Counts are exact, whatever comes between the instructions that count: by atomic additions, and by plain ones in
// restartable sequences, without which these would get lost.
//
// sources: src-native/sync/per_cpu.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S
#include <dlfcn.h>
#include <linux/rseq.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <algorithm>

#include "bootstrap/symbol.h"
#include "drivers/restartable.h"
#include "storm.h"
#include "sync/counter.h"
#include "sync/per_cpu.h"

using namespace uintr;
using namespace uintr::sync;

namespace {

// As with a C library that has no restartable sequences. They are looked up once per process, when first wanted.
bool nothing_is_found = false;

}  // namespace

void* uintr::symbol_of_program(const char* name) { return nothing_is_found ? nullptr : dlsym(RTLD_DEFAULT, name); }

namespace {

constexpr uint32_t kSlots = 256;

// What all processes of a test see.
struct Common {
  PerCpuSlot slots[kSlots];
  AtomicCounterWords atomic;
  Shared<uint64_t> total;  // what the counter should come to
};

class Shm {
 public:
  Shm() {
    void* at = mmap(nullptr, sizeof(Common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    common_ = static_cast<Common*>(at);
  }
  ~Shm() { munmap(common_, sizeof(Common)); }
  Common* operator->() const { return common_; }
  Common* get() const { return common_; }

  uint64_t sum_of(uint64_t (*word)(const PerCpuSlot&)) const {
    uint64_t sum = 0;
    for (const PerCpuSlot& slot : common_->slots) sum += word(slot);
    return sum;
  }
  bool any(bool (*holds)(const PerCpuSlot&)) const {
    return std::any_of(std::begin(common_->slots), std::end(common_->slots), holds);
  }

 private:
  Common* common_;
};

uint32_t slots() { return std::min(possible_cpus(), kSlots); }

enum class How { Restartable, Without, Atomic, Both };

// A thread whose registration is taken back: as one that the C library did not register.
bool unregister() {
  RseqArea* area = rseq_area();
  if (area == nullptr) return false;
  // With the size that it was registered with: as of old, or what the kernel asks for.
  constexpr unsigned long kFeatureSize = 27;  // AT_RSEQ_FEATURE_SIZE
  const unsigned long wanted = (getauxval(kFeatureSize) + 31) / 32 * 32;
  for (const unsigned long size : {32ul, wanted}) {
    if (syscall(SYS_rseq, area, size, RSEQ_FLAG_UNREGISTER, 0x53053053) == 0) return true;
  }
  return false;
}

void count(const Shm& shm, How how, uint32_t disturbances, uint32_t threads, uint64_t least, uint32_t cpus) {
  nothing_is_found = how == How::Without;
  std::atomic<uint32_t> order{0};
  PerCpuCounter counter(shm->slots, cpus);
  const uint64_t total = storm::count_in(disturbances, threads, least, [&](uint64_t n) {
    if (how == How::Atomic) return static_cast<void>(shm->atomic.value.add_sc(n));
    // Half of the threads.
    static thread_local const bool without = how == How::Both && order++ % 2 == 0 && unregister();
    if (without) CHECK(!has_restartable_sequences());
    counter.add(n);
  });
  shm->total.add_sc(total);
}

// Each in processes of its own, because a process finds out once what it has.
void counts_are_exact(std::initializer_list<How> processes, uint32_t disturbances, uint32_t threads, uint64_t least,
                      uint32_t cpus) {
  const Shm shm;
  std::vector<pid_t> children;
  for (const How how : processes) {
    children.push_back(test::child([&] { count(shm, how, disturbances, threads, least, cpus); }));
  }
  for (const pid_t one : children) test::ended_well(one);
  // By itself: a counter here would find out, also for the children of later tests, what this process has.
  const uint64_t sum = shm.sum_of([](const PerCpuSlot& slot) { return slot.here.load_sc() + slot.anywhere.load_sc(); }) +
                       shm->atomic.value.load_sc();
  if (sum != shm->total.load_sc()) fprintf(stderr, "%lu is missing\n", shm->total.load_sc() - sum);
  CHECK(sum == shm->total.load_sc());
  const auto is = [&](How how) { return std::find(processes.begin(), processes.end(), how) != processes.end(); };
  const auto restarted = [](const PerCpuSlot& slot) { return slot.here.load_sc() != 0; };
  const auto locked = [](const PerCpuSlot& slot) { return slot.anywhere.load_sc() != 0; };
  // Each was added by what it says.
  if (!is(How::Restartable) && !is(How::Both)) CHECK(!shm.any(restarted));
  if (is(How::Without)) CHECK(shm.any(locked));
  if (processes.size() == 1 && is(How::Restartable) && cpus == slots()) CHECK(!shm.any(locked));
}

void on_one_slot_too() {
  // All processors but the first find no slot of theirs.
  counts_are_exact({How::Restartable, How::Restartable}, storm::kAll, 2, 20000, 1);
}

// Where a thread was when a handler moved it, it adds nothing more: each addition ends where it was begun. One thread
// alone shows that, because nobody else changes a slot.
namespace moved {
PerCpuSlot* slots;
uint64_t seen[kSlots];
uint64_t astray = 0;
int cpu = -1;

void see(int except) {
  for (uint32_t i = 0; i < kSlots; ++i) {
    const uint64_t now = slots[i].here.relaxed();
    astray += static_cast<int>(i) != except && now != seen[i];
    seen[i] = now;
  }
}
void on_tick() {
  see(cpu);
  storm::move_on();
  cpu = sched_getcpu();
}
}  // namespace moved

void a_moved_thread_adds_where_it_is() {
  test::ended_well(test::child([&] {
    const Shm shm;
    PerCpuCounter counter(shm->slots, slots());
    moved::slots = shm->slots;
    storm::on_tick = moved::on_tick;
    const uint64_t total = storm::count_in(storm::kTicked, 1, 20000, [&](uint64_t n) {
      if (moved::cpu < 0) {
        storm::move(0, storm::all_processors[0]);
        moved::cpu = sched_getcpu();
      }
      counter.add(n | 1);
      counter.add(n);
    });
    CHECK(moved::astray == 0);
    CHECK(counter.sum() > total);
  }));
}

void a_thread_that_sums_sees_no_count_go_back() {
  const Shm shm;
  PerCpuCounter counter(shm->slots, slots());
  constexpr uint64_t kEach = 50000;
  constexpr uint32_t kThreads = 3;
  std::vector<std::thread> counting;
  for (uint32_t i = 0; i < kThreads; ++i) {
    counting.emplace_back([&] {
      for (uint64_t n = 0; n < kEach; ++n) counter.add(1);
    });
  }
  for (uint64_t last = 0; last < kThreads * kEach;) {
    const uint64_t sum = counter.sum();
    CHECK(sum >= last && sum <= kThreads * kEach);
    last = sum;
  }
  for (std::thread& one : counting) one.join();
  CHECK(counter.sum() == kThreads * kEach);
}

void it_wraps() {
  const Shm shm;
  PerCpuCounter counter(shm->slots, slots());
  counter.add(~uint64_t{0});
  CHECK(counter.sum() == ~uint64_t{0});
  counter.add(3);
  CHECK(counter.sum() == 2);
  counter.add(static_cast<uint64_t>(-5));
  CHECK(static_cast<int64_t>(counter.sum()) == -3);
  CHECK(shm->atomic.value.add_sc(~uint64_t{0}) == 0);
  CHECK(shm->atomic.value.add_sc(2) == ~uint64_t{0});
  CHECK(shm->atomic.value.exchange_sc(9) == 1 && shm->atomic.value.load_sc() == 9);
}

// Each thread has an area of its own, which says where it runs: one that is older than the first look-up as well as a
// younger one, and a forked child's.
void every_thread_is_found() {
  std::atomic<int> step{0};
  const std::vector<int> cpus = storm::processors();
  auto is_where_it_says = [&cpus] {
    const RseqArea* area = rseq_area();
    for (const int cpu : cpus) {
      CHECK(storm::move(0, cpu));
      CHECK(current_cpu() == static_cast<uint32_t>(cpu));
      CHECK(area == nullptr || area->cpu_id.relaxed() == static_cast<uint32_t>(cpu));
    }
    return area;
  };
  const RseqArea *older = nullptr, *younger = nullptr;
  std::thread before([&] {
    while (step == 0) sched_yield();
    older = is_where_it_says();
  });
  const RseqArea* own = rseq_area();
  step = 1;
  before.join();
  std::thread([&] { younger = is_where_it_says(); }).join();
  if (own == nullptr) {
    CHECK(older == nullptr && younger == nullptr);
    return;
  }
  CHECK(older != nullptr && younger != nullptr && older != own && younger != own);
  CHECK(has_restartable_sequences());
  test::ended_well(test::child([&] { CHECK(is_where_it_says() == own && has_restartable_sequences()); }));
  test::ended_well(test::child([&] {
    CHECK(unregister());
    // A thread that is not registered has no number there, and yet runs somewhere.
    CHECK(!has_restartable_sequences());
    for (const int cpu : cpus) {
      CHECK(storm::move(0, cpu));
      CHECK(current_cpu() == static_cast<uint32_t>(cpu));
    }
  }));
}

// As the C library's own switch has it: the names are there, and the size is 0.
void switched_off(const char* self) {
  test::ended_well(test::child([&] {
    setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
    execl(self, self, "--switched-off", nullptr);
    _exit(1);
  }));
}
int with_it_switched_off() {
  alarm(60);
  CHECK(!has_restartable_sequences());
  counts_are_exact({How::Restartable, How::Restartable}, storm::kAll, 2, 5000, slots());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--switched-off") == 0) return with_it_switched_off();
  alarm(120);
  // Before anything has looked for an area in this process, whose children are to look for themselves.
  const auto most = static_cast<uint32_t>(2 * storm::processors().size());
  // A process of threads, processes of a thread, and both; in a calm, in each storm, and in all of them.
  for (const uint32_t storm : {0u, uint32_t{storm::kMovesItself}, uint32_t{storm::kIsMoved},
                               uint32_t{storm::kSignalled}, uint32_t{storm::kTicked}, uint32_t{storm::kAll}}) {
    counts_are_exact({How::Restartable}, storm, most, 20000, slots());
  }
  counts_are_exact({How::Restartable, How::Restartable, How::Restartable}, storm::kAll, 1, 20000, slots());
  counts_are_exact({How::Restartable, How::Restartable}, storm::kAll, most, 20000, slots());
  counts_are_exact({How::Atomic, How::Atomic}, storm::kAll, 2, 20000, slots());
  // Without restartable sequences, and threads that have them and threads that have not on one counter.
  counts_are_exact({How::Without, How::Without}, storm::kAll, 2, 20000, slots());
  counts_are_exact({How::Without, How::Restartable}, storm::kAll, 2, 20000, slots());
  counts_are_exact({How::Both, How::Both}, storm::kAll, 2, 20000, slots());
  on_one_slot_too();
  switched_off("/proc/self/exe");
  every_thread_is_found();
  it_wraps();
  a_moved_thread_adds_where_it_is();
  a_thread_that_sums_sees_no_count_go_back();
  return test::report("counters");
}
