// Elastic worlds: a rank that is gone is let in again by every member that is there, and by nobody while it lives.
//
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/come_back.cc src-native/bootstrap/door.cc src-native/bootstrap/let_in.cc
// sources: src-native/bootstrap/admission.cc src-native/bootstrap/client.cc src-native/bootstrap/error.cc
// sources: src-native/bootstrap/hub_socket.cc
// sources: src-native/bootstrap/hub.cc src-native/bootstrap/join.cc src-native/bootstrap/joined.cc
// sources: src-native/bootstrap/copy_permission.cc
// sources: src-native/bootstrap/liveness.cc src-native/bootstrap/named.cc src-native/bootstrap/probe.cc
// sources: src-native/bootstrap/rendezvous.cc src-native/bootstrap/same_process.cc src-native/bootstrap/segments.cc
// sources: src-native/bootstrap/wire.cc
// sources: test/native/bootstrap/thread_pthread.cc test/native/bootstrap/engine_stub.cc
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "bootstrap/named.h"
#include "bootstrap/wire.h"
#include "elastic_rank.h"

using namespace uintr;
using namespace test;

namespace {

// How many members this process still tells of its new life, before it dies.
int still_tells = 99;
bool is_return(const msghdr* message) {
  return message->msg_iov[0].iov_len == sizeof(wire::Return) &&
         static_cast<const wire::Head*>(message->msg_iov[0].iov_base)->type == wire::Type::Return;
}

}  // namespace

extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  if (is_return(message) && still_tells-- == 0) raise(SIGKILL);
  return syscall(SYS_sendmsg, socket, message, flags);
}

namespace {

void comes_back_as_often_as_it_likes() {
  test::Gate ready, gone;
  const pid_t member = test::child([&] {
    Rank r(as_rank("often", 2, 0));
    for (uint32_t life = 0; life < 5; ++life) {
      ready.open();
      r.until_gone(1);
      gone.open();
      r.until_in(1);
      CHECK(r.last.incarnation == life + 1 && r.joined->incarnations[1] == life + 1);
      CHECK(r.joined->peers[1].pid == r.last.pid && kill(r.last.pid, 0) == 0);
      // Its memory is the new one's.
      const auto* header = reinterpret_cast<const ControlHeader*>(r.joined->maps[1].control);
      CHECK(header->pid == r.last.pid && header->nonce == r.joined->peers[1].nonce);
    }
    ready.open();
    r.until_gone(1);
  });
  for (uint32_t life = 0; life <= 5; ++life) {
    if (life > 0) gone.pass();
    const pid_t other = test::child([&] {
      Rank r(as_rank("often", 2, 1));
      CHECK(r.joined->incarnations[1] == life && r.joined->incarnations[0] == 0 && !r.gone[0]);
      CHECK(r.joined->hosted_name.empty());
      stay();
    });
    ready.pass();
    ends(other);
  }
  test::ended_well(member);
}

// Another member may have let it in already, and all are to count the same lives.
void has_lived_if_it_died_before_it_was_let_in() {
  test::Gate ready;
  Survivor survivor("short");
  Rank& r = survivor.rank;
  for (uint32_t life = 1; life < 4; ++life) {
    const pid_t other = test::child([&] { Rank back(as_rank("short", 2, 1)); });
    while (r.look().empty()) continue;
    ends(other);
    // The next is there before this one is let in.
    const pid_t after = test::child([&] {
      JoinRequest request = as_rank("short", 2, 1);
      request.timeout_ms = 60000;
      Rank back(request);
      CHECK(back.joined->incarnations[1] == 2 * life);
      ready.open();
      stay();
    });
    CHECK(r.turn() == kNone && r.let_in(1));
    CHECK(r.last.incarnation == 2 * life - 1);
    r.until_gone(1);
    r.until_in(1);
    CHECK(r.last.incarnation == 2 * life);
    ready.pass();
    ends(after);
    r.until_gone(1);
  }
}

// One life dies when it has told one member and not the other, the next when it has told none.
void all_count_the_same_lives() {
  test::Gate in;
  pid_t members[2];
  for (uint32_t rank : {0u, 1u}) {
    members[rank] = test::child([&] {
      Rank r(as_rank("alike", 3, rank));
      in.open();
      for (uint32_t life = 1; life <= 3; ++life) {
        r.until_gone(2);
        r.until_in(2);
        CHECK(r.last.incarnation == life);
      }
    });
  }
  const pid_t first = test::child([&] {
    Rank r(as_rank("alike", 3, 2));
    in.open();
    stay();
  });
  for (int i = 0; i < 3; ++i) in.pass();
  ends(first);
  for (const int told : {1, 0}) {
    const pid_t short_lived = test::child([&] {
      still_tells = told;
      Rank r(as_rank("alike", 3, 2));
    });
    test::was_killed(short_lived, SIGKILL);
  }
  const pid_t last = test::child([] {
    Rank r(as_rank("alike", 3, 2));
    CHECK(r.joined->incarnations[2] == 3);
  });
  for (const pid_t pid : {members[0], members[1], last}) test::ended_well(pid);
}

// The layers above do not admit one that is gone again.
void stands_in_nobodys_way_if_it_dies_before_it_is_admitted() {
  Survivor survivor("brief");
  Rank& r = survivor.rank;
  const pid_t brief = test::child([] { Rank back(as_rank("brief", 2, 1)); });
  while (r.look().empty()) continue;
  CHECK(r.joined->let_in(1, &r.last) && !r.last.failed);
  r.gone[1] = false;
  ends(brief);
  r.until_gone(1);
  const pid_t next = test::child([] {
    Rank back(as_rank("brief", 2, 1));
    CHECK(back.joined->incarnations[1] == 2);
  });
  r.until_in(1);
  test::ended_well(next);
}

// For want of descriptors, say: other members may have let it in.
void has_lived_if_it_could_not_be_let_in() {
  test::Gate ready;
  Survivor survivor("refused");
  Rank& r = survivor.rank;
  const int before = test::open_descriptors();
  const pid_t refused = test::child([] {
    std::unique_ptr<Joined> joined;
    JoinError error;
    CHECK(!join(as_rank("refused", 2, 1), &joined, &error));
    CHECK_ERROR(error, "ERR_UINTR_JOIN", "pidfd_open");
  });
  while (r.look().empty()) continue;
  rlimit all{};
  CHECK(getrlimit(RLIMIT_NOFILE, &all) == 0);
  const rlimit none{0, all.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(!r.let_in(1) && r.last.failed && r.last.incarnation == 1);
  CHECK(setrlimit(RLIMIT_NOFILE, &all) == 0);
  CHECK(!r.joined->let_in(1, &r.last));
  test::ended_well(refused);
  CHECK(r.turn() == kNone && test::open_descriptors() == before);
  const pid_t next = test::child([&] {
    Rank back(as_rank("refused", 2, 1));
    CHECK(back.joined->incarnations[1] == 2);
  });
  r.until_in(1);
  CHECK(r.last.incarnation == 2);
  test::ended_well(next);
}

// A member that has not let one in yet that has died since.
void hears_of_a_life_that_waits_to_be_let_in() {
  test::Gate ready;
  pid_t others[2];
  for (uint32_t rank : {1u, 2u}) {
    others[rank - 1] = test::child([&] {
      Rank r(as_rank("heard", 3, rank));
      ready.open();
      for (;;) r.look();
    });
  }
  Rank r(as_rank("heard", 3, 0));
  for (int i = 0; i < 2; ++i) ready.pass();
  ends(others[0]);
  r.until_gone(1);
  const pid_t waiting = test::child([] { Rank back(as_rank("heard", 3, 1)); });
  while (r.look().empty()) continue;
  ends(waiting);
  ends(others[1]);
  r.until_gone(2);
  const pid_t hears = test::child([&] {
    Rank back(as_rank("heard", 3, 2));
    CHECK(back.joined->incarnations == (std::vector<uint32_t>{0, 1, 1}));
    ready.open();
    back.until_in(1);
    CHECK(back.last.incarnation == 2);
  });
  r.until_in(2);
  ready.pass();
  CHECK(r.let_in(1) && r.last.incarnation == 1);
  r.until_gone(1);
  const pid_t last = test::child([] { Rank back(as_rank("heard", 3, 1)); });
  r.until_in(1);
  CHECK(r.last.incarnation == 2);
  for (const pid_t pid : {hears, last}) test::ended_well(pid);
}

// Otherwise the rank would begin a world of its own beside the one that is there.
void waits_for_one_whose_place_is_crowded() {
  test::Gate crowded, end;
  const pid_t first = test::child([] {
    Rank r(as_rank("crowded", 2, 1));
    stay();
  });
  Rank r(as_rank("crowded", 2, 0));
  ends(first);
  r.until_gone(1);
  const pid_t crowd = test::child([&] {
    Fd at;
    std::string path;
    JoinError error;
    CHECK_OK(open_directory(directory, "", &at, &path, &error), error);
    rlimit most{};
    CHECK(getrlimit(RLIMIT_NOFILE, &most) == 0);
    most.rlim_cur = most.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &most) == 0);
    std::vector<Fd> waiting(1);
    Connect connected;
    while ((connected = connect_to_name(at, place_of("crowded", 0), &waiting.back(), &error)) == Connect::Connected) {
      waiting.emplace_back();
    }
    CHECK(connected == Connect::Busy);
    crowded.open();
    end.pass();
  });
  crowded.pass();
  JoinRequest impatient = as_rank("crowded", 2, 1);
  impatient.timeout_ms = 300;
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK(!join(impatient, &joined, &error));
  CHECK_ERROR(error, "ERR_UINTR_TIMEOUT", "rank 0 of world 'crowded' does not answer: too many wait for it");
  const pid_t patient = test::child([] {
    Rank back(as_rank("crowded", 2, 1));
    CHECK(back.joined->incarnations[1] == 1);
  });
  end.open();
  r.until_in(1);
  test::ended_well(crowd);
  test::ended_well(patient);
}

void who_only_connects_keeps_nobody_out() {
  Survivor survivor("silent");
  Rank& r = survivor.rank;
  test::Gate crowded, end;
  constexpr int kCrowd = 200;
  const int before = test::open_descriptors();
  const pid_t crowd = test::child([&] {
    Fd at;
    std::string path;
    JoinError error;
    CHECK_OK(open_directory(directory, "", &at, &path, &error), error);
    std::vector<Fd> silent(kCrowd);
    for (Fd& one : silent) {
      CHECK(connect_to_name(at, place_of("silent", 0), &one, &error) == Connect::Connected);
    }
    crowded.open();
    end.pass();
  });
  crowded.pass();
  CHECK(r.turn() == kNone);
  CHECK(test::open_descriptors() <= before + 2 + 16);
  const pid_t back = test::child([] {
    Rank again(as_rank("silent", 2, 1));
    CHECK(again.joined->incarnations[1] == 1);
  });
  r.until_in(1);
  end.open();
  test::ended_well(crowd);
  test::ended_well(back);
}

void waits_until_all_have_let_it_in() {
  test::Gate in, late, done;
  pid_t members[2];
  for (uint32_t rank : {0u, 1u}) {
    members[rank] = test::child([&] {
      Rank r(as_rank("late", 3, rank));
      if (rank == 1) late.pass();  // computes
      r.until_in(2);
      in.open();
      done.pass();
    });
  }
  const pid_t first = test::child([&] {
    Rank r(as_rank("late", 3, 2));
    in.open();
    stay();
  });
  in.pass();
  ends(first);
  JoinRequest again = as_rank("late", 3, 2);
  again.timeout_ms = 300;
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK(!join(again, &joined, &error));
  const std::string who = "rank 1 (process " + std::to_string(members[1]) + ") has not let this rank in";
  CHECK_ERROR(error, "ERR_UINTR_TIMEOUT", who.c_str());
  late.open();
  const pid_t second = test::child([&] {
    Rank r(as_rank("late", 3, 2));
    CHECK(!r.gone[0] && !r.gone[1]);
    stay();
  });
  in.pass();
  in.pass();
  done.open(2);
  for (const pid_t pid : members) test::ended_well(pid);
  ends(second);
}

void is_refused_while_it_lives() {
  test::Gate ready, end;
  const pid_t other = test::child([&] {
    Rank r(as_rank("living", 2, 1));
    end.pass();
  });
  Rank r(as_rank("living", 2, 0));
  std::unique_ptr<Joined> joined;
  JoinError error;
  const std::string taken =
      "rank 1 of world 'living' is taken: process " + std::to_string(other) + " is that rank, and lives";
  for (int i = 0; i < 2; ++i) {
    CHECK(!join(as_rank("living", 2, 1), &joined, &error));
    CHECK_ERROR(error, "ERR_UINTR_JOIN", taken.c_str());
  }
  JoinRequest inelastic = test::named("living", 2, directory);
  CHECK(!join(inelastic, &joined, &error));
  CHECK_ERROR(error, "ERR_UINTR_JOIN", "which was started with rejoin: true");
  inelastic.geometry.elastic = 1;
  CHECK(!join(inelastic, &joined, &error));
  CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", "needs a name and a rank");
  CHECK(r.turn() == kNone);
  end.open();
  test::ended_well(other);
}

void finds_those_gone_that_are() {
  test::Gate ready;
  pid_t pids[3];
  for (uint32_t rank : {0u, 1u, 2u}) {
    pids[rank] = test::child([&] {
      Rank r(as_rank("absent", 3, rank));
      ready.open();
      if (rank != 0) stay();
      r.until_in(1);
      r.until_in(2);
      CHECK(r.joined->incarnations == (std::vector<uint32_t>{0, 1, 1}));
    });
  }
  for (int i = 0; i < 3; ++i) ready.pass();
  ends(pids[1]);
  ends(pids[2]);
  const pid_t one = test::child([&] {
    Rank r(as_rank("absent", 3, 1));
    CHECK(!r.gone[0] && r.gone[2] && r.joined->maps[2].absent);
    ready.open();
    r.until_in(2);
    CHECK(!r.joined->maps[2].absent);
  });
  ready.pass();
  const pid_t two = test::child([&] {
    Rank r(as_rank("absent", 3, 2));
    CHECK(!r.gone[0] && !r.gone[1]);
    CHECK(r.joined->incarnations == (std::vector<uint32_t>{0, 1, 1}));
  });
  for (const pid_t pid : {pids[0], one, two}) test::ended_well(pid);
}

// Somebody of this user who says nonsense at a door, or nothing.
void strangers_do_no_harm() {
  test::Gate ready, gone;
  const pid_t other = test::child([&] {
    Rank r(as_rank("strange", 2, 1));
    stay();
  });
  Rank r(as_rank("strange", 2, 0));
  Fd at;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(directory, "", &at, &path, &error), error);
  CHECK(places_of(at, "strange") == (std::vector<uint32_t>{0, 1}));
  CHECK(places_of(at, "strang").empty() && places_of(at, "strange@0").empty());
  const int before = test::open_descriptors();
  auto says = [&](const void* bytes, size_t n, int fds) {
    Fd socket;
    CHECK(connect_to_name(at, place_of("strange", 0), &socket, &error) == Connect::Connected);
    const int some[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    if (n != 0) CHECK(wire::send(socket.get(), bytes, n, some, static_cast<uint32_t>(fds)) == 0);
    CHECK(r.turn() == kNone);
    socket.reset();
    CHECK(r.turn() == kNone);
  };
  wire::Hello hello{};
  hello.wanted_rank = 1;
  hello.geometry = as_rank("strange", 2, 1).geometry;
  says(nullptr, 0, 0);
  says("nonsense", 8, 0);
  says(&hello, sizeof hello, 0);
  says(&hello, sizeof hello, 5);  // waits for the end of one that lives
  hello.wanted_rank = 0;
  says(&hello, sizeof hello, 5);
  hello.wanted_rank = 77;
  says(&hello, sizeof hello, 5);
  wire::Return early{};
  early.incarnation = 9;
  says(&early, sizeof early, 0);
  CHECK(r.turn() == kNone && test::open_descriptors() == before);
  ends(other);
  r.until_gone(1);
  // Says all that it should, with descriptors that are none of what they should be.
  hello.wanted_rank = 1;
  auto returns = [&](uint32_t incarnation) {
    Fd socket;
    CHECK(connect_to_name(at, place_of("strange", 0), &socket, &error) == Connect::Connected);
    const int some[5] = {0, 0, 0, 0, 0};
    CHECK(wire::send(socket.get(), &hello, sizeof hello, some, 5) == 0);
    CHECK(r.turn() == kNone);
    early.incarnation = incarnation;
    CHECK(wire::send(socket.get(), &early, sizeof early) == 0);
    CHECK(r.turn() == kNone && r.gone[1]);
  };
  returns(9);  // in a life that has not begun
  CHECK(r.joined->incarnations[1] == 0 && !r.last.failed);
  auto* bell = reinterpret_cast<Doorbell*>(r.joined->world.base() + Layout{r.joined->geometry}.doorbell(1));
  bell->life.exchange_sc(3);
  returns(3);
  CHECK(r.joined->incarnations[1] == 3 && r.last.failed);
  const pid_t good = test::child([&] {
    Rank back(as_rank("strange", 2, 1));
    CHECK(back.joined->incarnations[1] == 4);
  });
  r.until_in(1);
  test::ended_well(good);
}

void leaves_nothing() {
  const pid_t pids[2] = {test::child([] { Rank r(as_rank("nothing", 2, 0)); }),
                         test::child([] { Rank r(as_rank("nothing", 2, 1)); })};
  for (const pid_t pid : pids) test::ended_well(pid);
  Fd at;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(directory, "", &at, &path, &error), error);
  CHECK(places_of(at, "nothing").empty());
}

}  // namespace

int main() {
  alarm(90);
  char made[] = "/tmp/uintr-elastic-XXXXXX";
  CHECK(mkdtemp(made) != nullptr);
  directory = made;
  comes_back_as_often_as_it_likes();
  has_lived_if_it_died_before_it_was_let_in();
  all_count_the_same_lives();
  stands_in_nobodys_way_if_it_dies_before_it_is_admitted();
  has_lived_if_it_could_not_be_let_in();
  hears_of_a_life_that_waits_to_be_let_in();
  waits_until_all_have_let_it_in();
  waits_for_one_whose_place_is_crowded();
  who_only_connects_keeps_nobody_out();
  is_refused_while_it_lives();
  finds_those_gone_that_are();
  strangers_do_no_harm();
  leaves_nothing();
  const std::string remove = "rm -r " + directory;
  CHECK(system(remove.c_str()) == 0);
  return test::report("bootstrap/elastic");
}
