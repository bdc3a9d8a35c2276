// The uintr driver: an interrupt reaches a computing thread by one instruction, a thread's one handler serves all its
// worlds, and whatever cannot be sent a user interrupt is signalled. Runs on the processor's own user interrupts where it
// has them, else on the emulator.
//
// preload: emulator
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
#include "drivers/uintr.h"

#include <sys/syscall.h>

#include <cerrno>

#include "../bootstrap/engine_stub.h"
#include "../bootstrap/tools.h"
#include "bootstrap/thread.h"
#include "drivers/dispatch.h"
#include "drivers/uintr_probe.h"
#include "drivers/uintr_senders.h"
#include "drivers/uintr_thread.h"
#include "engine/arch.h"

using namespace uintr;
using Choice = DriverOptions::Choice;
using Kind = DriverIdentity::Kind;

namespace {

const UintrAbi& abi() { return *uintr_probe().abi; }

// A rank without an engine behind the handler.
struct Rank {
  std::unique_ptr<Driver> driver;
  std::unique_ptr<Joined> joined;
  StubEngine engine;
  Ports ports;

  explicit Rank(uint32_t size = 1, int hub_fd = -1, Choice choice = Choice::Uintr) {
    JoinError error;
    driver = Driver::prepare({choice, "SIGURG"}, &error);
    CHECK_OK(driver != nullptr, error);
    JoinRequest r = test::request(size, hub_fd);
    r.tid = static_cast<int32_t>(syscall(SYS_gettid));
    r.driver = driver->identity();
    r.vector_fd = driver->vector_fd();
    CHECK_OK(join(r, &joined, &error), error);
    driver->create(joined.get());
    ports = driver->ports();
    driver->attach(engine.engine());
  }
  ~Rank() {
    driver.reset();  // before the world segment that it points into
  }
  Doorbell& bell(uint32_t rank) {
    const Layout layout{joined->geometry};
    return *reinterpret_cast<Doorbell*>(joined->world.base() + layout.doorbell(rank));
  }
  const Target& target(uint32_t rank) { return static_cast<DriverPort*>(ports.self)->targets[rank]; }
  uint64_t runs() const { return __atomic_load_n(&engine.runs, __ATOMIC_SEQ_CST); }
};

struct Launched {
  std::vector<Fd> sockets;
  std::unique_ptr<Hub> hub;
  Launched() {
    JoinError error;
    hub = Hub::for_children(2, &sockets, &error);
    CHECK_OK(hub != nullptr, error);
  }
};

// The receiver computes and answers each interrupt by adding 1 to a word of its doorbell.
void answer(Rank* rank, uint64_t rounds) {
  Shared<uint64_t>& answers = rank->bell(1).pending[1];
  uint64_t answered = rank->runs();
  rank->ports.wake(rank->ports.self, 0);
  while (answers.acquire() < rounds) {
    if (rank->runs() == answered) continue;
    CHECK(rank->runs() == answered + 1);  // none stands for two, none is spurious
    ++answered;
    answers.add_sc(1);
  }
  rank->joined->liveness.drain(10000);
}
void ring(Rank* rank, uint64_t rounds) {
  CHECK(rank->joined->liveness.drain(10000).rung);
  for (uint64_t i = 0; i < rounds; ++i) {
    rank->ports.interrupt(rank->ports.self, 1, false);
    while (rank->bell(1).pending[1].acquire() <= i) continue;
  }
}

void in_lock_step_each_send_is_one_run(Choice sender, Choice receiver) {
  constexpr uint64_t kRounds = 2000;
  Launched world;
  const pid_t child = test::child([&] {
    Rank rank(2, world.sockets[1].release(), receiver);
    answer(&rank, kRounds);
  });
  {
    Rank rank(2, world.sockets[0].release(), sender);
    world.sockets.clear();
    const bool both = sender == Choice::Uintr && receiver == Choice::Uintr;
    CHECK((rank.target(1).uitt_index >= 0) == both);
    CHECK(rank.joined->maps[1].interruptible);
    ring(&rank, kRounds);
    CHECK(rank.runs() == 1);
  }
  test::ended_well(child);
}

// Nothing is lost, and what coalesces is never more than what was sent.
void in_free_run_all_is_drained() {
  constexpr uint64_t kSends = 20000;
  Launched world;
  const pid_t child = test::child([&] {
    Rank rank(2, world.sockets[1].release());
    const uint64_t before = rank.runs();
    rank.ports.wake(rank.ports.self, 0);
    Shared<uint64_t>& sent = rank.bell(0).pending[0];
    uint64_t seen = 0;  // of the sends, by a run of the handler after them
    for (uint64_t runs = before; seen < kSends;) {
      const uint64_t now = rank.runs();
      if (now == runs) continue;
      runs = now;
      seen = sent.acquire();
    }
    CHECK(rank.runs() - before <= kSends);
    rank.ports.wake(rank.ports.self, 0);
  });
  {
    Rank rank(2, world.sockets[0].release());
    world.sockets.clear();
    CHECK(rank.joined->liveness.drain(10000).rung);
    for (uint64_t i = 0; i < kSends; ++i) {
      rank.bell(0).pending[0].add_sc(1);
      rank.ports.interrupt(rank.ports.self, 1, false);
    }
    CHECK(rank.joined->liveness.drain(10000).rung);
  }
  test::ended_well(child);
}

void worlds_of_one_thread_share_its_handler() {
  const long again = uintr_register_handler(abi(), [] {});
  CHECK(again == 0);  // nobody has it yet
  JoinError error;
  CHECK(Driver::prepare({Choice::Uintr, "SIGURG"}, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_JOIN", "is not this package's");
  CHECK(error.error_number == EBUSY);
  auto instead = Driver::prepare({Choice::Auto, "SIGURG"}, &error);
  CHECK(instead != nullptr && instead->kind() == Kind::Signal);
  instead.reset();
  CHECK(uintr_unregister_handler(abi()) == 0);

  Rank a;
  auto b = std::make_unique<Rank>();
  CHECK(a.driver->identity().vector == 63 && b->driver->identity().vector == 62);
  const int fd = b->driver->vector_fd();
  const int32_t index = uintr_sender_take(abi(), 1, fd, nullptr);
  CHECK(index >= 0);
  const uint64_t before_a = a.runs(), before_b = b->runs();
  arch::senduipi(static_cast<uint64_t>(index));
  while (b->runs() == before_b) continue;
  CHECK(b->runs() == before_b + 1 && a.runs() == before_a);  // by its vector
  b.reset();
  arch::senduipi(static_cast<uint64_t>(index));  // a vector of nobody's
  CHECK(a.runs() == before_a);
  CHECK(arch::testui());
  uintr_sender_give_back(abi(), 1);
}

void a_thread_inherits_nothing() {
  Rank rank;
  ThreadHandle thread;
  CHECK(thread_start(
      &thread,
      [](void*) {
        CHECK(!arch::testui());
        CHECK(!dispatch_active());
        Rank own;
        CHECK(arch::testui());
        CHECK(own.driver->identity().vector == 63);
      },
      nullptr));
  thread_join(&thread);
}

// The process's table has 256 entries; a pair that finds none left talks by signal, and is as good.
void without_an_entry_a_pair_uses_the_signal() {
  Launched world;
  const pid_t child = test::child([&] {
    Rank rank(2, world.sockets[1].release());
    answer(&rank, 100);
  });
  {
    Rank own;
    uint64_t taken = 0;
    int why = 0;
    while (uintr_sender_take(abi(), 1000 + taken, own.driver->vector_fd(), &why) >= 0) {
      CHECK(++taken <= 256);
      // The RFC's calls take a descriptor's sender once.
      if (abi().unregisters_by_fd) break;
    }
    if (!abi().unregisters_by_fd) CHECK(taken == 256 && why == -ENOSPC);
    Rank rank(2, world.sockets[0].release());
    world.sockets.clear();
    if (!abi().unregisters_by_fd) CHECK(rank.target(1).uitt_index == kNoUittIndex);
    ring(&rank, 100);
    for (uint64_t i = 0; i < taken; ++i) uintr_sender_give_back(abi(), 1000 + i);
  }
  test::ended_well(child);
}

void entries_and_handlers_come_back() {
  for (int i = 0; i < 300; ++i) {
    Rank rank;
    const int32_t index = uintr_sender_take(abi(), 7, rank.driver->vector_fd(), nullptr);
    CHECK(index >= 0);
    CHECK(uintr_sender_take(abi(), 7, rank.driver->vector_fd(), nullptr) == index);  // of all threads
    uintr_sender_give_back(abi(), 7);
    uintr_sender_give_back(abi(), 7);
  }
  CHECK(!arch::testui());
}

void a_receiver_that_has_gone_is_no_error() {
  Launched world;
  const pid_t child = test::child([&] {
    Rank rank(2, world.sockets[1].release());
    rank.ports.wake(rank.ports.self, 0);
    raise(SIGKILL);
  });
  Rank rank(2, world.sockets[0].release());
  world.sockets.clear();
  test::was_killed(child, SIGKILL);
  for (int i = 0; i < 100; ++i) rank.ports.interrupt(rank.ports.self, 1, i % 2 == 0);
  // Nor is one that was gone before it could be registered.
  int why = 0;
  CHECK(uintr_sender_take(abi(), 9, rank.joined->peers[1].vector_fd.get(), &why) == kNoUittIndex);
  CHECK(why == -ESHUTDOWN || why == -ECONNRESET || why == -EISCONN);
}

// What a dead sender left half done is got over by the signal.
void a_forced_interrupt_does_not_depend_on_the_hardware() {
  Rank rank;
  const uint64_t before = rank.runs();
  arch::clui();
  rank.ports.interrupt(rank.ports.self, 0, true);
  CHECK(rank.runs() == before + 1);
  arch::stui();
}

void what_is_no_vector_descriptor_is_refused() {
  int why = 0;
  CHECK(uintr_sender_take(abi(), 11, STDOUT_FILENO, &why) == kNoUittIndex && why == -EOPNOTSUPP);
  CHECK(uintr_sender_take(abi(), 11, 999, &why) == kNoUittIndex && why == -EBADF);
}

}  // namespace

int main() {
  alarm(120);
  const UintrProbe& probe = uintr_probe();
  if (probe.abi == nullptr) {
    fprintf(stderr, "no user interrupts: %s\n", probe.reason.c_str());
    return 1;
  }
  worlds_of_one_thread_share_its_handler();
  const int before = test::open_descriptors();
  a_thread_inherits_nothing();
  without_an_entry_a_pair_uses_the_signal();
  entries_and_handlers_come_back();
  a_forced_interrupt_does_not_depend_on_the_hardware();
  what_is_no_vector_descriptor_is_refused();
  in_free_run_all_is_drained();
  for (const Choice sender : {Choice::Uintr, Choice::Signal}) {
    for (const Choice receiver : {Choice::Uintr, Choice::Signal}) in_lock_step_each_send_is_one_run(sender, receiver);
  }
  a_receiver_that_has_gone_is_no_error();
  CHECK(test::open_descriptors() <= before);
  return test::report("uintr");
}
