// The signal driver: an interrupt reaches a computing thread, interrupts coalesce as the hardware's do, and the
// process's signals are as they were when the last rank has gone.
//
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/come_back.cc src-native/bootstrap/door.cc src-native/bootstrap/let_in.cc
// sources: src-native/bootstrap/admission.cc src-native/bootstrap/client.cc src-native/bootstrap/error.cc
// sources: src-native/bootstrap/hub_socket.cc
// sources: src-native/bootstrap/hub.cc src-native/bootstrap/join.cc src-native/bootstrap/joined.cc
// sources: src-native/bootstrap/copy_permission.cc
// sources: src-native/bootstrap/liveness.cc src-native/bootstrap/named.cc src-native/bootstrap/probe.cc
// sources: src-native/bootstrap/rendezvous.cc src-native/bootstrap/same_process.cc src-native/bootstrap/segments.cc src-native/bootstrap/wire.cc
// sources: test/native/bootstrap/thread_pthread.cc test/native/bootstrap/engine_stub.cc
// sources: src-native/drivers/base.cc src-native/drivers/disposition.cc src-native/drivers/driver.cc
// sources: src-native/drivers/signal.cc src-native/drivers/signal_name.cc src-native/drivers/vectors.cc
// sources: src-native/drivers/uintr*.cc src-native/drivers/uintr_entry_handler.S
// sources: src-native/drivers/dispatch_handler.cc src-native/drivers/ports_handler.cc
// sources: src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S src-native/drivers/restartable.cc test/native/bootstrap/symbol_dl.cc
#include "drivers/signal.h"

#include <sys/syscall.h>

#include <cerrno>

#include "../bootstrap/engine_stub.h"
#include "../bootstrap/tools.h"
#include "bootstrap/thread.h"
#include "drivers/dispatch.h"
#include "drivers/disposition.h"
#include "drivers/driver.h"
#include "drivers/uintr_probe.h"
#include "drivers/vectors.h"

using namespace uintr;
using Choice = DriverOptions::Choice;

namespace {

struct sigaction disposition(int signal_number) {
  struct sigaction now{};
  sigaction(signal_number, nullptr, &now);
  return now;
}
bool blocked(int signal_number) {
  sigset_t now;
  sigprocmask(SIG_BLOCK, nullptr, &now);
  return sigismember(&now, signal_number) == 1;
}

std::unique_ptr<Driver> prepared(Choice choice, const char* signal_name = "SIGURG") {
  JoinError error;
  auto driver = Driver::prepare({choice, signal_name}, &error);
  CHECK_OK(driver != nullptr, error);
  return driver;
}

// A rank of this process in a world of its own, without an engine behind the handler.
struct Rank {
  std::unique_ptr<Driver> driver;
  std::unique_ptr<Joined> joined;
  StubEngine engine;
  Ports ports;

  explicit Rank(uint32_t size = 1, int hub_fd = -1, Choice choice = Choice::Signal, const char* name = "SIGURG") {
    driver = prepared(choice, name);
    JoinRequest r = test::request(size, hub_fd);
    r.tid = static_cast<int32_t>(syscall(SYS_gettid));
    r.driver = driver->identity();
    JoinError error;
    CHECK_OK(join(r, &joined, &error), error);
    driver->create(joined.get());
    ports = driver->ports();
    driver->attach(engine.engine());
  }
  ~Rank() {
    driver.reset();  // before the world segment that it points into
  }
  Upid& upid(uint32_t rank) {
    const Layout layout{joined->geometry};
    return reinterpret_cast<Doorbell*>(joined->world.base() + layout.doorbell(rank))->upid;
  }
  uint64_t runs() const { return __atomic_load_n(&engine.runs, __ATOMIC_SEQ_CST); }
};

void a_computing_rank_is_interrupted(const char* signal_name) {
  constexpr uint64_t kRounds = 2000;
  std::vector<Fd> sockets;
  JoinError error;
  auto hub = Hub::for_children(2, &sockets, &error);
  CHECK_OK(hub != nullptr, error);
  const pid_t receiver = test::child([&] {
    Rank rank(2, sockets[1].release(), Choice::Signal, signal_name);
    // attach() makes the handler run once, for what came before it.
    CHECK(rank.runs() >= 1);
    // In lock-step: each interrupt is answered, so none can hide behind another.
    auto* bell = reinterpret_cast<Doorbell*>(rank.joined->world.base());
    uint64_t answered = rank.runs();
    rank.ports.wake(rank.ports.self, 0);
    while (bell->pending[1].acquire() < kRounds) {
      if (rank.runs() == answered) continue;  // computing
      answered = rank.runs();
      CHECK((rank.upid(1).status.acquire() & kUpidOn) == 0);
      bell->pending[1].add_sc(1);
    }
    rank.joined->liveness.drain(10000);
  });
  {
    Rank rank(2, sockets[0].release(), Choice::Signal, signal_name);
    auto* bell = reinterpret_cast<Doorbell*>(rank.joined->world.base());
    sockets.clear();
    CHECK(rank.joined->liveness.drain(10000).rung);
    for (uint64_t i = 0; i < kRounds; ++i) {
      rank.ports.interrupt(rank.ports.self, 1, false);
      while (bell->pending[1].acquire() <= i) continue;
    }
    CHECK(rank.runs() == 1);
  }
  test::ended_well(receiver);
}

void no_rank_is_sent_what_is_not_for_interrupts() {
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, SIGTERM, 32, 33}) {
    std::vector<Fd> sockets;
    JoinError error;
    auto hub = Hub::for_children(2, &sockets, &error);
    CHECK_OK(hub != nullptr, error);
    const pid_t receiver = test::child([&] {
      JoinRequest r = test::request(2, sockets[1].release());
      r.driver = {DriverIdentity::Kind::Signal, 63, number};
      std::unique_ptr<Joined> joined;
      CHECK_OK(join(r, &joined, &error), error);
      CHECK(joined->liveness.drain(10000).rung);  // told all the same
    });
    Rank rank(2, sockets[0].release());
    sockets.clear();
    rank.ports.interrupt(rank.ports.self, 1, false);
    test::ended_well(receiver);
  }
}

void interrupts_coalesce_and_force_does_not_wait() {
  Rank rank;
  const uint64_t before = rank.runs();
  sigset_t urgent;
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  sigprocmask(SIG_BLOCK, &urgent, nullptr);
  for (int i = 0; i < 100; ++i) rank.ports.interrupt(rank.ports.self, 0, false);
  CHECK(rank.upid(0).status.acquire() == kUpidOn);
  CHECK(rank.upid(0).pir.acquire() == uint64_t{1} << 63);
  CHECK(rank.runs() == before);
  sigprocmask(SIG_UNBLOCK, &urgent, nullptr);
  CHECK(rank.runs() == before + 1);
  CHECK(rank.upid(0).status.acquire() == 0 && rank.upid(0).pir.acquire() == 0);
  // A sender that died between its two steps left ON set.
  rank.upid(0).status.or_sc(kUpidOn);
  rank.ports.interrupt(rank.ports.self, 0, false);
  CHECK(rank.runs() == before + 1);
  rank.ports.interrupt(rank.ports.self, 0, true);
  CHECK(rank.runs() == before + 2);
  // Nobody's signal of the same number is a run like any other.
  errno = 77;
  raise(SIGURG);
  CHECK(rank.runs() == before + 3);
  CHECK(errno == 77);
}

void worlds_of_one_thread_share_its_handler() {
  Rank a;
  {
    Rank b;
    CHECK(a.driver->identity().vector == 63 && b.driver->identity().vector == 62);
    const uint64_t before_a = a.runs(), before_b = b.runs();
    b.ports.interrupt(b.ports.self, 0, false);
    CHECK(a.runs() == before_a + 1 && b.runs() == before_b + 1);
  }
  const uint64_t before = a.runs();
  a.ports.interrupt(a.ports.self, 0, false);
  CHECK(a.runs() == before + 1);
  CHECK(a.driver->still_ours());
}

void the_process_is_left_as_it_was() {
  signal(SIGURG, SIG_IGN);
  sigset_t urgent, before;
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  sigprocmask(SIG_BLOCK, &urgent, &before);
  {
    Rank a;
    auto b = std::make_unique<Rank>();
    CHECK(!blocked(SIGURG));
    b.reset();
    CHECK(!blocked(SIGURG) && a.driver->still_ours());
    CHECK((disposition(SIGURG).sa_flags & SA_RESTART) != 0);
  }
  CHECK(blocked(SIGURG));
  CHECK(disposition(SIGURG).sa_handler == SIG_IGN);
  CHECK(!dispatch_active());
  sigprocmask(SIG_SETMASK, &before, nullptr);
  signal(SIGURG, SIG_DFL);
  {
    Rank a;
  }
  CHECK(disposition(SIGURG).sa_handler == SIG_DFL);
  // A late one of a kind that would end the process finds itself ignored.
  {
    Rank a(1, -1, Choice::Signal, "SIGUSR2");
  }
  raise(SIGUSR2);
  CHECK(disposition(SIGUSR2).sa_handler == SIG_IGN);
  for (uint32_t i = 0; i < 64; ++i) CHECK(vector_take_this(i));
  CHECK(vector_take() == kNoVector && !vector_take_this(64));
  JoinError error;
  CHECK(Driver::prepare({Choice::Signal, "SIGURG"}, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_JOIN", "no vector left");
  for (uint32_t i = 0; i < 64; ++i) vector_give_back(i);
}

void a_handler_of_the_program_is_respected() {
  signal(SIGUSR2, [](int) {});
  JoinError error;
  CHECK(Driver::prepare({Choice::Auto, "SIGUSR2"}, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_JOIN", "has a handler of its own");
  signal(SIGUSR2, SIG_DFL);
  // Taken over while in use: noticed, peers stop signalling, and the program's handler stays.
  static int theirs = 0;
  {
    Rank rank;
    CHECK(rank.driver->still_ours());
    signal(SIGURG, [](int) { ++theirs; });
    CHECK(!rank.driver->still_ours());
    rank.driver->fall_back();
    rank.ports.interrupt(rank.ports.self, 0, true);
    CHECK(theirs == 0);
  }
  CHECK(disposition(SIGURG).sa_handler != SIG_DFL);
  raise(SIGURG);
  CHECK(theirs == 1);
  signal(SIGURG, SIG_DFL);
}

// What libuv does when the last process.on() listener goes.
void a_default_action_that_comes_back_ends_nobody() {
  for (const bool changed : {false, true}) {
    Rank rank(1, -1, Choice::Signal, "SIGUSR2");
    CHECK(disposition_in_use(SIGUSR2));
    signal(SIGUSR2, SIG_DFL);
    const uint32_t before = disposition_changes();
    if (changed) disposition_changed();
    CHECK((disposition_changes() != before) == changed);
    CHECK(!rank.driver->still_ours());
    rank.driver->fall_back();
    raise(SIGUSR2);
    CHECK(disposition(SIGUSR2).sa_handler == SIG_IGN);
  }
  CHECK(!disposition_in_use(SIGUSR2));
  // What is ignored anyway, or somebody's, is left as it is.
  signal(SIGURG, SIG_DFL);
  disposition_spare(SIGURG);
  CHECK(disposition(SIGURG).sa_handler == SIG_DFL);
  signal(SIGUSR2, [](int) {});
  disposition_spare(SIGUSR2);
  raise(SIGUSR2);
  CHECK(disposition(SIGUSR2).sa_handler != SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
}

void a_stray_signal_is_harmless() {
  Rank rank;
  const uint64_t before = rank.runs();
  // In a thread that is no rank.
  ThreadHandle thread;
  CHECK(thread_start(
      &thread,
      [](void*) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGURG);
      },
      nullptr));
  thread_join(&thread);
  CHECK(rank.runs() == before);
  rank.driver->detach();
  raise(SIGURG);
  rank.ports.interrupt(rank.ports.self, 0, true);
  CHECK(rank.runs() == before);
}

void poll_is_never_interrupted() {
  Rank rank(1, -1, Choice::Poll);
  CHECK(!rank.driver->interrupts() && strcmp(rank.driver->name(), "poll") == 0);
  CHECK(disposition(SIGURG).sa_handler == SIG_DFL);
  rank.ports.interrupt(rank.ports.self, 0, true);
  CHECK(rank.runs() == 0);
  CHECK((rank.upid(0).status.acquire() & kUpidSn) != 0);
  rank.ports.wake(rank.ports.self, 0);
  CHECK(rank.joined->liveness.drain(1000).rung);
  CHECK(rank.ports.commit(rank.ports.self, Ports::Segment::Heap, 0, 4096));
}

void signals_are_named() {
  int number = 0;
  JoinError error;
  CHECK_OK(parse_signal("SIGURG", &number, &error), error);
  CHECK(number == SIGURG);
  CHECK_OK(parse_signal("SIGRTMIN+3", &number, &error), error);
  CHECK(number == SIGRTMIN + 3);
  CHECK_OK(parse_signal("SIGRTMAX", &number, &error), error);
  CHECK(number == SIGRTMAX);
  CHECK_OK(parse_signal("SIGRTMAX-2", &number, &error), error);
  CHECK(number == SIGRTMAX - 2);
  for (const char* bad : {"", "urg", "SIGKILL", "SIGSEGV", "SIGUSR1", "SIGPROF", "SIGCHLD", "SIGRTMIN+", "SIGRTMIN-1",
                          "SIGRTMIN+99", "SIGRTMIN+3x", "SIGRTMAX-40", "SIGURG "}) {
    CHECK(!parse_signal(bad, &number, &error));
    CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", (std::string("signal '") + bad + "'").c_str());
  }
  if (uintr_probe().abi != nullptr) return;
  CHECK(Driver::prepare({Choice::Uintr, "SIGURG"}, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_UNSUPPORTED", "driver 'uintr'");
}

}  // namespace

int main() {
  alarm(90);
  const int before = test::open_descriptors();
  signals_are_named();
  interrupts_coalesce_and_force_does_not_wait();
  worlds_of_one_thread_share_its_handler();
  the_process_is_left_as_it_was();
  a_handler_of_the_program_is_respected();
  a_default_action_that_comes_back_ends_nobody();
  a_stray_signal_is_harmless();
  poll_is_never_interrupted();
  a_computing_rank_is_interrupted("SIGURG");
  a_computing_rank_is_interrupted("SIGRTMIN+3");
  no_rank_is_sent_what_is_not_for_interrupts();
  CHECK(test::open_descriptors() == before);
  return test::report("signal");
}
