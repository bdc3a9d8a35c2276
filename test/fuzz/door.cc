// What a member of an elastic world makes of whoever comes to its door: it answers with messages as they should be, or
// hangs up; holds no more than it has places for; comes to rest; and lets in, afterwards, a rank that behaves.
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/come_back.cc src-native/bootstrap/door.cc src-native/bootstrap/let_in.cc
// sources: src-native/bootstrap/admission.cc src-native/bootstrap/client.cc src-native/bootstrap/error.cc
// sources: src-native/bootstrap/hub_socket.cc
// sources: src-native/bootstrap/hub.cc src-native/bootstrap/join.cc src-native/bootstrap/joined.cc
// sources: src-native/bootstrap/copy_permission.cc
// sources: src-native/bootstrap/liveness.cc src-native/bootstrap/named.cc src-native/bootstrap/probe.cc
// sources: src-native/bootstrap/rendezvous.cc src-native/bootstrap/same_process.cc src-native/bootstrap/segments.cc
// sources: src-native/bootstrap/wire.cc
// sources: src-native/engine/*.cc test/native/bootstrap/thread_pthread.cc
#include <filesystem>
#include <memory>

#include "bootstrap/joined.h"
#include "packets.h"

using namespace uintr;
using fuzz::Input;

namespace {

constexpr uint32_t kSize = 3, kSelf = 0, kSteps = 80, kMostSockets = 24;

const fuzz::Descriptors& descriptors() {
  static const auto* all = new fuzz::Descriptors(fuzz::geometry(kSize, true));
  return *all;
}

// Of names; gone with the process, unless that is a finding.
const Fd& directory() {
  static const Fd* open_one = [] {
    static char path[] = "/tmp/uintr-fuzz-XXXXXX";
    MUST(mkdtemp(path) != nullptr);
    atexit([] { std::filesystem::remove_all(path); });
    return new Fd(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }();
  return *open_one;
}

uint64_t sum = 0;
void touch(const unsigned char* base, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += 4096) sum += base[at];
  sum += base[bytes - 1];
}

class Run {
 public:
  explicit Run(Input in) : in_(in) {
    JoinRequest request;
    request.geometry = fuzz::geometry(kSize, true);
    request.tid = getpid();
    // Not by the kernel: the addresses are the input's.
    request.copy_kinds = kCopyDirect | kCopyHeap | kCopyPipeline;
    member_.place = std::make_unique<NameHold>();
    JoinError error;
    MUST(member_.place->take(directory(), kPlace, &error) == NameHold::Outcome::Held);
    MUST(member_.make_own(request, &error) && member_.be_alone(&error) && member_.open_door(&error));
  }

  void go() {
    for (uint32_t step = 0; step < kSteps && !in_.empty(); ++step) act();
    sockets_.clear();
    come_to_rest();
    for (uint32_t rank = 1; rank < kSize; ++rank) let_in(rank, true);
    come_to_rest();
    MUST(who_behaves_is_let_in(1) && who_behaves_is_let_in(2));
  }

 private:
  static constexpr const char* kPlace = "fuzzed@0";

  void act() {
    const uint8_t what = in_.byte();
    switch (what % 8) {
      case 0:
        if (sockets_.size() < kMostSockets) connect();
        return;
      case 1:
      case 2:
        turn();
        return;
      case 3:
        return let_in(1 + in_.pick(kSize - 1), in_.flag());
      case 4:
        gone_[1 + in_.pick(kSize - 1)] = true;
        return;
      case 5:
        // Every rank of the world can write there.
        life_of(1 + in_.pick(kSize - 1)).exchange_sc(static_cast<uint32_t>(in_()));
        return;
      default:
        if (!sockets_.empty()) return say(what / 8, &sockets_[in_.byte() % sockets_.size()]);
    }
  }

  void say(uint32_t what, Fd* socket) {
    if (!*socket) return;
    auto send = [&](const auto& message, std::vector<int> fds) {
      fuzz::send_changed(in_, socket->get(), &message, sizeof message, std::move(fds), descriptors());
    };
    const uint32_t rank = 1 + in_.pick(kSize - 1);
    switch (what % 8) {
      case 0:
        return socket->reset();
      case 1:
      case 2:
        return send(hello(rank), descriptors().of_rank(in_.pick(4) != 0 ? rank : in_.pick(kSize)));
      case 3:
      case 4: {
        // As the world has it, or nearly.
        wire::Return returning{};
        returning.incarnation = member_.incarnations[rank] + in_.pick(3);
        if (in_.flag()) life_of(rank).exchange_sc(returning.incarnation);
        return send(returning, {});
      }
      case 5:
        for (uint32_t n = in_.pick(32); n != 0; --n) send(wire::Plain{.head = {.type = wire::Type::AskMissing}}, {});
        return;
      case 6:
        return send(wire::Plain{.head = {.type = in_.flag() ? wire::Type::Mapped : wire::Type::Go}}, {});
      default:
        hear(*socket);
    }
  }

  Shared<uint32_t>& life_of(uint32_t rank) {
    return reinterpret_cast<Doorbell*>(member_.world.base() + Layout{member_.geometry}.doorbell(rank))->life;
  }

  static wire::Hello hello(uint32_t rank) {
    wire::Hello hello{};
    hello.wanted_rank = rank;
    hello.geometry = fuzz::geometry(kSize, true);
    hello.identity = fuzz::identity();
    return hello;
  }

  void connect() {
    JoinError error;
    MUST(connect_to_name(directory(), kPlace, &sockets_.emplace_back(), &error) == Connect::Connected);
  }

  // As the layers above: nothing is looked at before there is news.
  bool turn() {
    const Liveness::Events events = member_.liveness.drain(0);
    for (const uint32_t dead : events.dead) gone_[dead] = true;
    if (!events.knocked && events.dead.empty()) return false;
    answer();
    return true;
  }

  void answer() {
    auto is_gone = [](void* self, uint32_t rank) { return static_cast<Run*>(self)->gone_[rank]; };
    for (const uint32_t rank : member_.answer_door(is_gone, this)) {
      MUST(rank < kSize && rank != kSelf);
      waits_[rank] = true;
    }
  }

  void let_in(uint32_t rank, bool admit) {
    if (!gone_[rank]) return;
    const uint32_t before = member_.incarnations[rank];
    Joined::Returning who{};
    if (!member_.let_in(rank, &who)) return;
    waits_[rank] = false;
    MUST(who.rank == rank && who.incarnation == member_.incarnations[rank] && who.incarnation > before);
    if (who.failed) return answer();
    gone_[rank] = false;
    touch(member_.maps[rank].control, Layout{member_.geometry}.control_bytes());
    touch(member_.maps[rank].heap, member_.geometry.heap_bytes);
    MUST(!member_.peers[rank].same_process);  // it was not announced
    if (admit) member_.admitted(rank);
  }

  // Nobody says anything any more, and all that was said is taken.
  void come_to_rest() {
    for (int turns = 0; turn(); ++turns) MUST(turns < 200);
  }

  // An answer is one that a rank can read. The last one.
  wire::Type hear(const Fd& socket) {
    wire::Type last{};
    for (;;) {
      wire::Received answer;
      wire::receive(socket.get(), &answer);
      if (answer.what == wire::Received::What::Nothing || answer.what == wire::Received::What::Closed) return last;
      MUST(answer.what == wire::Received::What::Message && answer.message.head.version == wire::kVersion);
      last = answer.message.head.type;
      MUST(last == wire::Type::Present || last == wire::Type::Refused || last == wire::Type::Mapped);
      MUST(answer.fd_count == (last == wire::Type::Present ? wire::kFdsPerRank + 1 : 0));
    }
  }

  bool who_behaves_is_let_in(uint32_t rank) {
    if (member_.incarnations[rank] == UINT32_MAX) return true;  // somebody has used up its lives
    gone_[rank] = true;
    connect();
    const Fd& socket = sockets_.back();
    const wire::Hello greeting = hello(rank);
    const std::vector<int> fds = descriptors().of_rank(rank);
    MUST(wire::send(socket.get(), &greeting, sizeof greeting, fds.data(), wire::kFdsPerRank) == 0);
    come_to_rest();
    if (hear(socket) != wire::Type::Present) return false;
    wire::Return returning{};
    returning.incarnation = member_.incarnations[rank] + 1;
    life_of(rank).exchange_sc(returning.incarnation);
    MUST(wire::send(socket.get(), &returning, sizeof returning) == 0);
    come_to_rest();
    if (!waits_[rank]) return false;
    let_in(rank, true);
    return !gone_[rank] && hear(socket) == wire::Type::Mapped;
  }

  Input in_;
  JoinedRank member_;
  std::vector<Fd> sockets_;
  bool gone_[kSize] = {false, true, true}, waits_[kSize] = {};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run(Input(data, size)).go();
  return 0;
}
