// Random programs of threads that take turns, against a sequential model of every primitive: after each step the result,
// and what can be seen of the object, is what the model says. Threads also end with what they own, and begin anew.
//
//   model [SEED]   a program is its seed; that of one that fails is in the failure's text
// sources: src-native/sync/region.cc src-native/sync/mutex.cc src-native/sync/spin_lock.cc src-native/sync/ticket_lock.cc
// sources: src-native/sync/lock.cc src-native/sync/running.cc src-native/sync/completion.cc src-native/sync/per_cpu.cc
// sources: src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <sys/syscall.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "contenders.h"
#include "sync/completion.h"
#include "sync/counter.h"
#include "sync/per_cpu.h"

using namespace uintr;
using namespace uintr::sync;
using test::AnyLock;

namespace {

constexpr uint32_t kThreads = 4, kPrograms = 25, kSteps = 250;
constexpr uint64_t kLong = 5'000'000;

bool is_lock(Kind kind) {
  return kind == Kind::Mutex || kind == Kind::AdaptiveMutex || kind == Kind::SpinLock || kind == Kind::TicketLock;
}

// A thread that does one thing at a time, and only when it is asked to.
class Turns {
 public:
  Turns() : thread_([this] { run(); }) {}
  ~Turns() {
    ask({});
    thread_.join();
  }
  void operator()(const std::function<void()>& what) {
    ask(what);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !asked_; });
  }

 private:
  void ask(const std::function<void()>& what) {
    const std::lock_guard lock(mutex_);
    what_ = what;
    asked_ = true;
    changed_.notify_all();
  }
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return asked_; });
      if (!what_) return;
      what_();
      asked_ = false;
      changed_.notify_all();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> what_;
  bool asked_ = false;
  std::thread thread_;
};

// As the users of the product: a life is a number that never comes again.
struct User {
  uint32_t life = 0;  // 0: its region is not open
  std::shared_ptr<Region> region;
  Owner me = kNobody;
  Turns turn;
};

// What there is to know of an object between two steps. Nobody waits then, and a place in a ticket lock's queue that was
// given up is in nobody's way.
struct Model {
  std::string name;
  Kind kind;
  uint32_t line;
  uint64_t value = 0;  // of a counter, or what is done
  uint32_t owner = 0;  // a life, maybe an ended one; 0: nobody
  bool inconsistent = false;
};

class Program {
 public:
  explicit Program(uint64_t seed) : random_(seed) {
    JoinError error;
    keeper_ = Region::create(65536, &error);
    CHECK(keeper_ != nullptr);
    for (uint64_t step = 0; step < kSteps; ++step) {
      text_ = "the program of seed " + std::to_string(seed) + ", step " + std::to_string(step);
      check::current = text_.c_str();
      User& user = users_[random_() % kThreads];
      const uint64_t choice = random_();
      user.turn([&] { one_step(user, choice); });
    }
    check::current = "";
  }

 private:
  void one_step(User& user, uint64_t choice) {
    if (user.life == 0) begin(user);
    if (choice % 40 == 0) return end(user);
    if (models_.empty() || choice % 8 == 0) return find_or_make(user);
    Model& model = models_[random_() % models_.size()];
    ObjectHeader* object = user.region->at(model.line, model.kind);
    CHECK(object != nullptr);
    if (is_lock(model.kind)) return lock_step(user, model, object);
    const uint64_t n = random_() % 3 == 0 ? random_() : random_() % 5;
    if (model.kind == Kind::AtomicCounter) {
      Shared<uint64_t>& value = words_of<AtomicCounterWords>(object).value;
      CHECK_EQ(n % 4 == 0 ? value.exchange_sc(n) : value.add_sc(n), model.value);
      model.value = n % 4 == 0 ? n : model.value + n;
      CHECK_EQ(value.load_sc(), model.value);
    } else if (model.kind == Kind::PerCpuCounter) {
      PerCpuCounter counter(&words_of<PerCpuSlot>(object), user.region->lines_at(object));
      counter.add(n);
      model.value += n;
      CHECK_EQ(counter.sum(), model.value);
    } else {
      completion_step(model, Completion(&words_of<CompletionWords>(object)));
    }
  }

  void begin(User& user) {
    JoinError error;
    user.region = Region::open(keeper_->handle(), &error);
    CHECK(user.region != nullptr);
    user.me = user.region->seat(Region::Use::Blocking, &error);
    CHECK(user.me != kNobody);
    user.life = ++lives_;
  }
  void end(User& user) {
    user.region.reset();
    user.life = 0;
  }
  bool is_alive(uint32_t life) const {
    return std::any_of(std::begin(users_), std::end(users_), [life](const User& user) { return user.life == life; });
  }

  void find_or_make(User& user) {
    const auto kind = static_cast<Kind>(1 + random_() % 7);
    const std::string name = random_() % 8 == 0 ? "" : std::string(1, static_cast<char>('a' + random_() % 12));
    JoinError error;
    ObjectHeader* object = user.region->find_or_make(kind, name, &error);
    const auto known = std::find_if(models_.begin(), models_.end(),
                                    [&](const Model& model) { return !name.empty() && model.name == name; });
    if (known != models_.end()) {
      CHECK_EQ(object != nullptr, known->kind == kind);
      if (object != nullptr) CHECK_EQ(user.region->line_of(object), known->line);
      return;
    }
    if (object == nullptr) {
      CHECK(std::strcmp(error.code, "ERR_UINTR_NO_MEMORY") == 0);
      return;
    }
    const uint32_t line = user.region->line_of(object);
    for (const Model& other : models_) CHECK(other.line != line);
    models_.push_back({name, kind, line, 0, 0, false});
  }

  void completion_step(Model& model, Completion completion) {
    constexpr uint64_t kAll = Completion::kAll;
    switch (random_() % 8) {
      case 0:
        completion.complete_all();
        model.value = kAll;
        break;
      case 1:
        completion.reinit();
        model.value = 0;
        break;
      case 2:
      case 3:
      case 4:
        completion.complete();
        model.value += model.value != kAll;
        break;
      default:
        CHECK_EQ(random_() % 2 == 0 ? completion.try_wait() : completion.wait(0), model.value != 0);
        model.value -= model.value != 0 && model.value != kAll;
    }
    CHECK_EQ(completion.done(), model.value);
  }

  void lock_step(User& user, Model& model, ObjectHeader* object) {
    AnyLock lock(model.kind, user.region.get(), object);
    switch (random_() % 6) {
      case 0:
      case 1: {
        const bool owned = model.owner == user.life;
        CHECK_EQ(lock.unlock(user.me), owned);
        if (owned) model.owner = 0;
        break;
      }
      case 2:
        if (model.owner != user.life) break;
        lock.make_consistent();
        model.inconsistent = false;
        break;
      case 3:
        taken(user, model, lock.try_lock(user.me), is_free(model));
        break;
      default: {
        const bool free = is_free(model);
        Attempt attempt = lock.lock(user.me, free ? kLong : 0, true);
        // It gets it as soon as it has found out who is dead.
        for (int i = 0; free && attempt == Attempt::Waiting && i < 10000; ++i) {
          attempt = lock.lock(user.me, kLong, false);
        }
        taken(user, model, attempt, free);
        if (attempt == Attempt::Waiting) lock.give_up(user.me);
      }
    }
    // A dead one's may be its successor's seat by now.
    if (model.owner == 0 || is_alive(model.owner)) CHECK_EQ(lock.owner() != kNobody, model.owner != 0);
    if (model.owner == user.life) {
      CHECK_EQ(lock.owner(), user.me);
      CHECK_EQ(lock.holder().tid, static_cast<int32_t>(syscall(SYS_gettid)));
    }
  }

  bool is_free(const Model& model) const { return model.owner == 0 || !is_alive(model.owner); }

  void taken(const User& user, Model& model, Attempt attempt, bool free) {
    if (free) {
      if (model.owner != 0) model.inconsistent = true;
      CHECK(attempt == (model.inconsistent ? Attempt::Inconsistent : Attempt::Acquired));
      model.owner = user.life;
    } else {
      CHECK(attempt == (model.owner == user.life ? Attempt::Deadlock : Attempt::Waiting));
    }
  }

  std::mt19937_64 random_;
  std::shared_ptr<Region> keeper_;
  User users_[kThreads];
  uint32_t lives_ = 0;
  std::vector<Model> models_;
  std::string text_;
};

}  // namespace

int main(int argc, char** argv) {
  alarm(100);
  if (argc > 1) {
    Program program(std::strtoull(argv[1], nullptr, 10));
  } else {
    for (uint64_t seed = 1; seed <= kPrograms; ++seed) Program program(seed);
  }
  std::printf("ok model %llu checks\n", static_cast<unsigned long long>(check::count.load()));
  return 0;
}
