// A member's door, and somebody of its user who does not stop: he holds the member's thread for a moment at a time, and
// keeps nobody out when he is gone.
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
#include <sys/socket.h>
#include <sys/syscall.h>

#include <functional>

#include "bootstrap/named.h"
#include "bootstrap/wire.h"
#include "elastic_rank.h"

using namespace uintr;
using namespace test;

namespace {

// What the stranger does as soon as the member has taken what he did before: nobody could be faster.
std::function<void()> after_accept, after_message;

constexpr int kRanks = 2, kPlaces = kRanks + 16;
constexpr int kForEver = 5000;

}  // namespace

extern "C" int accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
  const int fd = static_cast<int>(syscall(SYS_accept4, socket, address, length, flags));
  if (fd >= 0 && after_accept) after_accept();
  return fd;
}
extern "C" ssize_t recvmsg(int socket, msghdr* message, int flags) {
  const ssize_t got = syscall(SYS_recvmsg, socket, message, flags);
  if (got > 0 && after_message) after_message();
  return got;
}

namespace {

Fd knock_at(const char* world) {
  Fd at, socket;
  std::string path;
  JoinError error;
  CHECK_OK(open_directory(directory, "", &at, &path, &error), error);
  CHECK_OK(connect_to_name(at, place_of(world, 0), &socket, &error) == Connect::Connected, error);
  return socket;
}

void asks_to_be_let_in(const Fd& socket, uint32_t rank) {
  wire::Hello hello{};
  hello.wanted_rank = rank;
  hello.geometry = as_rank("", kRanks, rank).geometry;
  const int some[wire::kFdsPerRank] = {0, 0, 0, 0, 0};
  CHECK(wire::send(socket.get(), &hello, sizeof hello, some, wire::kFdsPerRank) == 0);
}

bool is_knocked_at(Rank& r) { return r.joined->liveness.drain(0).knocked; }

void one_who_connects_without_end_is_left_for_later() {
  Survivor survivor("connects");
  Rank& r = survivor.rank;
  std::vector<Fd> all;
  int accepted = 0;
  after_accept = [&] {
    CHECK(++accepted < kForEver);
    all.push_back(knock_at("connects"));
  };
  all.push_back(knock_at("connects"));
  for (int look = 0; look < 10; ++look) {
    accepted = 0;
    CHECK(r.turn() == kNone);
    CHECK(accepted > 0 && accepted <= kPlaces);
    CHECK(is_knocked_at(r));  // comes back at once
  }
  after_accept = nullptr;
  CHECK(r.turn() == kNone && r.turn() == kNone);
  CHECK(!is_knocked_at(r));
}

void one_who_talks_without_end_is_left_for_later() {
  Survivor survivor("talks");
  Rank& r = survivor.rank;
  int heard = 0;
  Fd socket = knock_at("talks");
  const auto talk = [&] {
    const wire::Plain ask{.head = {.type = wire::Type::AskMissing}};
    CHECK(wire::send(socket.get(), &ask, sizeof ask) == 0);
  };
  after_message = [&] {
    CHECK(++heard < kForEver);
    talk();
  };
  talk();
  for (int look = 0; look < 10; ++look) {
    heard = 0;
    CHECK(r.turn() == kNone);
    CHECK(heard > 0 && heard <= 20);
    CHECK(is_knocked_at(r));
  }
  after_message = nullptr;
  socket.reset();
  CHECK(r.turn() == kNone && r.turn() == kNone);
  CHECK(!is_knocked_at(r));
}

// All places are taken by some that wait for the end of a rank that lives. When they have gone, those that could not be
// accepted are.
void who_came_while_all_places_were_taken_is_let_in() {
  Gate ready;
  const pid_t other = child([&] {
    Rank r(as_rank("full", kRanks, 1));
    stay();
  });
  Rank r(as_rank("full", kRanks, 0));
  std::vector<Fd> crowd;
  for (int i = 0; i < kPlaces; ++i) {
    crowd.push_back(knock_at("full"));
    asks_to_be_let_in(crowd.back(), 1);
    CHECK(r.turn() == kNone);
  }
  ends(other);
  r.until_gone(1);
  const pid_t back = child([&] {
    crowd.clear();  // its copies
    Rank again(as_rank("full", kRanks, 1));
    CHECK(again.joined->incarnations[1] == 1);
  });
  // The one that has come is in the queue.
  while (!is_knocked_at(r)) continue;
  CHECK(r.turn() == kNone);
  crowd.clear();
  for (uint32_t in = kNone; in != 1;) {
    const Liveness::Events events = r.joined->liveness.drain(-1);  // a rank sleeps until something comes
    CHECK(events.knocked);
    auto is_gone = [](void* self, uint32_t rank) { return bool{static_cast<Rank*>(self)->gone[rank]}; };
    for (const uint32_t rank : r.joined->answer_door(is_gone, &r)) in = r.let_in(rank) ? rank : in;
  }
  ended_well(back);
}

}  // namespace

int main() {
  alarm(60);
  char made[] = "/tmp/uintr-door-XXXXXX";
  CHECK(mkdtemp(made) != nullptr);
  directory = made;
  one_who_connects_without_end_is_left_for_later();
  one_who_talks_without_end_is_left_for_later();
  who_came_while_all_places_were_taken_is_let_in();
  const std::string remove = "rm -r " + directory;
  CHECK(system(remove.c_str()) == 0);
  return report("bootstrap/door");
}
