// Named worlds: independently started processes find each other by a name, and no end of any of them blocks the name.
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
#include "bootstrap/named.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>

#include "bootstrap/client.h"
#include "tools.h"

using namespace uintr;

namespace {

std::string directory;

std::unique_ptr<Joined> joins(const JoinRequest& request) {
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK_OK(join(request, &joined, &error), error);
  return joined;
}

void fails(const JoinRequest& request, const char* code, const char* text) {
  std::unique_ptr<Joined> joined;
  JoinError error;
  CHECK(!join(request, &joined, &error));
  CHECK_ERROR(error, code, text);
}

void ranks_come_in_any_order() {
  test::Gate end;
  pid_t pids[3];
  for (uint32_t i = 0; i < 3; ++i) {
    pids[i] = test::child([&] {
      JoinRequest r = test::named("orders", 3, directory);
      if (i == 0)
        r.wanted_rank = 2;  // the first to come
      else
        usleep(50000 * i);
      auto joined = joins(r);
      CHECK(joined->rank == (i == 0 ? 2 : i - 1));
      CHECK(joined->hosted_name == (i == 0 ? "orders" : ""));
      if (i == 1) {
        // The host answers while it computes: its hub is a thread of its own.
        fails(test::named("orders", 3, directory), "ERR_UINTR_COMPLETE",
              "world 'orders' is complete (3 of 3 ranks joined)");
        end.open(2);
      } else {
        end.pass();
      }
    });
  }
  for (const pid_t pid : pids) test::ended_well(pid);
  CHECK(test::count_entries((directory + "/uintr").c_str()) == 2);  // "." and ".."
}

void a_rank_can_be_had_once() {
  const pid_t first = test::child([] {
    JoinRequest r = test::named("twice", 2, directory);
    r.wanted_rank = 1;
    joins(r);
  });
  usleep(100000);
  JoinRequest r = test::named("twice", 2, directory);
  r.wanted_rank = 1;
  fails(r, "ERR_UINTR_JOIN", "rank 1 of world 'twice' is taken");
  r.wanted_rank = 0;
  r.geometry.size = 3;
  fails(r, "ERR_UINTR_INVALID_ARGUMENT", "size 3: world 'twice' was started with size 2");
  r.geometry.size = 2;
  CHECK(joins(r)->rank == 0);
  test::ended_well(first);
}

// The host dies while others wait: one of them takes the name over, and the stale socket with it.
void survivors_take_over() {
  const pid_t host = test::child([] { joins(test::named("heirs", 3, directory)); });
  usleep(100000);
  const pid_t heir = test::child([] { joins(test::named("heirs", 3, directory)); });
  usleep(100000);
  kill(host, SIGKILL);
  test::was_killed(host, SIGKILL);
  const pid_t second = test::child([] { joins(test::named("heirs", 3, directory)); });
  joins(test::named("heirs", 3, directory));
  test::ended_well(heir);
  test::ended_well(second);
}

void a_place_becomes_free_again() {
  const pid_t host = test::child([] { joins(test::named("place", 2, directory)); });
  usleep(50000);
  // Somebody with the same directory connects, and says nothing; the others do not wait for it.
  Fd dir;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(directory, "", &dir, &path, &error), error);
  Fd silent;
  CHECK(connect_to_name(dir, "place", &silent, &error) == Connect::Connected);
  // A rank that gave up does not count any more.
  JoinRequest r = test::named("place2", 3, directory);
  r.timeout_ms = 100;
  const pid_t other = test::child([] {
    JoinRequest q = test::named("place2", 3, directory);
    q.wanted_rank = 0;
    joins(q);
  });
  usleep(50000);
  r.wanted_rank = 1;
  fails(r, "ERR_UINTR_TIMEOUT", "rank 2 of 3 has not joined");
  r.timeout_ms = 10000;
  const pid_t third = test::child([] { joins(test::named("place2", 3, directory)); });
  CHECK(joins(r)->rank == 1);
  test::ended_well(other);
  test::ended_well(third);
  joins(test::named("place", 2, directory));
  test::ended_well(host);
}

void a_stale_socket_is_replaced() {
  Fd dir, listener;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(directory, "", &dir, &path, &error), error);
  // What a killed host leaves: both files, and nobody behind them.
  test::was_killed(test::child([&] {
                     NameHold hold;
                     CHECK(hold.take(dir, "stale", &error) == NameHold::Outcome::Held);
                     CHECK(hold.listen(&listener, &error));
                     raise(SIGKILL);
                   }),
                   SIGKILL);
  CHECK(faccessat(dir.get(), "stale.sock", F_OK, 0) == 0);
  auto joined = joins(test::named("stale", 1, directory));
  NameHold hold;
  CHECK(hold.take(dir, "stale", &error) == NameHold::Outcome::Busy);
  joined.reset();
  CHECK(hold.take(dir, "stale", &error) == NameHold::Outcome::Held);
}

void bad_names_and_directories_are_refused() {
  for (const char* name : {"", ".hidden", "a/b", "a b", "..", "caf\xc3\xa9"}) {
    JoinError error;
    CHECK(!valid_name(name, &error));
    CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", name);
  }
  fails(test::named(std::string(65, 'x').c_str(), 1, directory), "ERR_UINTR_INVALID_ARGUMENT", "name 'xxx");
  JoinRequest r = test::named("nowhere", 1, "");
  fails(r, "ERR_UINTR_JOIN", "no directory for named worlds");
  // A long directory is no problem, though a socket's path has at most 107 bytes.
  const std::string deep = directory + "/" + std::string(120, 'd');
  CHECK(mkdir(deep.c_str(), 0700) == 0);
  joins(test::named(std::string(64, 'n').c_str(), 1, deep));
  CHECK(chmod((deep + "/uintr").c_str(), 0755) == 0);
  fails(test::named("open", 1, deep), "ERR_UINTR_JOIN", "mode must be 0700");
  // A place that others can write to is passed over: there they could block the names.
  CHECK(chmod(deep.c_str(), 01777) == 0);
  JoinRequest home = test::named("home", 1, deep);
  home.home = directory;
  joins(home);
  CHECK(access((directory + "/.uintr").c_str(), F_OK) == 0);
  fails(test::named("nowhere", 1, deep), "ERR_UINTR_JOIN", "that nobody else can write to");
  CHECK(chmod(deep.c_str(), 0700) == 0);
}

void what_lies_in_the_way_is_named_and_not_followed() {
  const std::string place = directory + "/way", names = place + "/uintr", target = directory + "/target";
  CHECK(mkdir(place.c_str(), 0700) == 0 && mkdir(target.c_str(), 0700) == 0);
  const JoinRequest r = test::named("way", 1, place);
  CHECK(symlink(target.c_str(), names.c_str()) == 0);
  fails(r, "ERR_UINTR_JOIN", (names + " is no directory: remove it").c_str());
  CHECK(unlink(names.c_str()) == 0 && mkdir(names.c_str(), 0700) == 0);
  // Links where the files of the name are to be: neither is what they lead to opened, nor made.
  const std::string lock = names + "/way.lock", socket = names + "/way.sock";
  CHECK(symlink((target + "/made").c_str(), lock.c_str()) == 0);
  fails(r, "ERR_UINTR_JOIN", (lock + " is no regular file: remove it").c_str());
  CHECK(unlink(lock.c_str()) == 0 && mkfifo(lock.c_str(), 0600) == 0);
  fails(r, "ERR_UINTR_JOIN", (lock + " is no regular file: remove it").c_str());
  CHECK(unlink(lock.c_str()) == 0 && symlink((target + "/made").c_str(), socket.c_str()) == 0);
  joins(r);
  CHECK(test::count_entries(target.c_str()) == 2 && test::count_entries(names.c_str()) == 2);
}

// Root may pass where others may not, so as somebody else where this is root.
void be_nobody_special(const std::string& place) {
  CHECK(mkdir(place.c_str(), 0700) == 0);
  if (geteuid() != 0) return;
  CHECK(chown(place.c_str(), 12345, 12345) == 0);
  CHECK(setgid(12345) == 0 && setuid(12345) == 0);
}

void no_umask_makes_a_name_unusable_or_open() {
  for (const mode_t mask : {0000, 0077, 0277, 0777}) {
    const std::string place = directory + "/mask" + std::to_string(mask);
    test::ended_well(test::child([&] {
      be_nobody_special(place);
      umask(mask);
      test::Gate end;
      pid_t pids[3];
      for (pid_t& pid : pids) {
        pid = test::child([&] {
          auto joined = joins(test::named("mask", 3, place));
          if (!joined->hosted_name.empty()) {
            struct stat s;
            CHECK(stat((place + "/uintr").c_str(), &s) == 0 && (s.st_mode & 07777) == 0700);
            CHECK(stat((place + "/uintr/mask.lock").c_str(), &s) == 0 && (s.st_mode & 077) == 0);
            end.open(3);
          }
          end.pass();
        });
      }
      for (const pid_t pid : pids) test::ended_well(pid);
    }));
  }
}

void what_belongs_to_another_user_is_not_used() {
  if (geteuid() != 0) return;
  const std::string place = directory + "/foreign", names = place + "/uintr";
  const JoinRequest r = test::named("foreign", 1, place);
  CHECK(mkdir(place.c_str(), 0700) == 0 && mkdir(names.c_str(), 0700) == 0);
  // As by a program that was once started with sudo, which keeps the variables.
  const std::string lock = names + "/foreign.lock";
  CHECK(close(open(lock.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0000)) == 0);
  const std::string by_root = lock + " belongs to user 0, this is user 12345: remove it";
  CHECK(chown(place.c_str(), 12345, 12345) == 0 && chown(names.c_str(), 12345, 12345) == 0);
  test::ended_well(test::child([&] {
    CHECK(setgid(12345) == 0 && setuid(12345) == 0);
    fails(r, "ERR_UINTR_JOIN", by_root.c_str());
    CHECK(unlink(lock.c_str()) == 0);
    joins(r);
  }));
  CHECK(chown(place.c_str(), 0, 0) == 0);
  fails(r, "ERR_UINTR_JOIN", "belongs to user 12345, this is user 0: remove it, or set XDG_RUNTIME_DIR");
  // A session directory of somebody else is passed over.
  CHECK(chown(place.c_str(), 12345, 12345) == 0);
  JoinRequest home = r;
  home.home = directory;
  joins(home);
}

// As if the directory did not keep him out, each side asks the kernel whom it talks to.
void another_user_is_refused_even_at_the_socket() {
  if (geteuid() != 0) return;
  const std::string place = directory + "/uid", names = place + "/uintr";
  CHECK(mkdir(place.c_str(), 0700) == 0);
  Fd names_fd;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(place, "", &names_fd, &path, &error), error);
  const pid_t host = test::child([&] { joins(test::named("uid", 2, place)); });
  while (faccessat(names_fd.get(), "uid.sock", F_OK, 0) != 0) usleep(1000);
  CHECK(chmod(place.c_str(), 0711) == 0 && chmod(names.c_str(), 0777) == 0);
  CHECK(chmod((names + "/uid.sock").c_str(), 0666) == 0);
  test::Gate ready, end;
  const pid_t other = test::child([&] {
    CHECK(setgid(12345) == 0 && setuid(12345) == 0);
    Fd socket;
    // Not with the package's own check, which would already say no.
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    strcpy(address.sun_path, (names + "/uid.sock").c_str());
    socket.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      CHECK(errno == ECONNREFUSED || errno == EAGAIN);
    }
    HubClient client(std::move(socket), Deadline::in(10000), -1);
    wire::Received received;
    CHECK(client.expect(wire::Type::Welcome, &received, &error) == Step::Failed);
    CHECK_ERROR(error, "ERR_UINTR_JOIN", "world 'uid' belongs to user 0, not to user 12345");
    // And a name of his own, in a directory of root's.
    strcpy(address.sun_path, (names + "/trap.sock").c_str());
    const Fd trap(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    CHECK(bind(trap.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(trap.get(), 1) == 0);
    ready.open();
    end.pass();
  });
  ready.pass();
  Fd socket;
  CHECK(connect_to_name(names_fd, "trap", &socket, &error) == Connect::Failed);
  CHECK_ERROR(error, "ERR_UINTR_JOIN", "the name 'trap' belongs to user 12345, this is user 0");
  end.open();
  test::ended_well(other);
  CHECK(chmod(names.c_str(), 0700) == 0 && unlink((names + "/trap.sock").c_str()) == 0);
  joins(test::named("uid", 2, place));
  test::ended_well(host);
}

}  // namespace

int main() {
  alarm(90);
  char temporary[] = "/tmp/uintr-named-XXXXXX";
  CHECK(mkdtemp(temporary) != nullptr);
  directory = temporary;
  const int before = test::open_descriptors();
  ranks_come_in_any_order();
  CHECK(test::open_descriptors() == before + 2);  // the gate
  a_rank_can_be_had_once();
  survivors_take_over();
  a_place_becomes_free_again();
  a_stale_socket_is_replaced();
  bad_names_and_directories_are_refused();
  what_lies_in_the_way_is_named_and_not_followed();
  CHECK(chmod(directory.c_str(), 0711) == 0);  // other users may pass
  no_umask_makes_a_name_unusable_or_open();
  what_belongs_to_another_user_is_not_used();
  CHECK(test::open_descriptors() == before + 2);
  another_user_is_refused_even_at_the_socket();
  CHECK(test::threads() == 1 + 2);
  CHECK(system(("rm -rf " + directory).c_str()) == 0);
  return test::report("named");
}
