// What the process that collects the ranks makes of what comes in from its sockets: whatever that is, it answers with
// messages as they should be, or hangs up, and a world forms afterwards with ranks that behave.
// sources: src-native/bootstrap/admission.cc src-native/bootstrap/error.cc src-native/bootstrap/rendezvous.cc
// sources: src-native/bootstrap/memfd.cc src-native/bootstrap/segments.cc src-native/bootstrap/wire.cc src-native/engine/*.cc
#include <poll.h>

#include <memory>

#include "bootstrap/rendezvous.h"
#include "packets.h"

using namespace uintr;
using fuzz::Input;

namespace {

constexpr uint32_t kSize = 2, kSteps = 60;

const fuzz::Descriptors& descriptors() {
  static const auto* all = new fuzz::Descriptors(fuzz::geometry(kSize));
  return *all;
}

class Run {
 public:
  explicit Run(Input in) : in_(in), named_(in_.flag()), hub_(named_ ? "fuzzed" : "", named_ ? 0 : kSize) {
    for (uint32_t rank = 0; !named_ && rank < kSize; ++rank) connect(rank);
  }

  void go() {
    for (uint32_t step = 0; step < kSteps && !in_.empty(); ++step) act();
    for (Fd& socket : sockets_) socket.reset();
    turn();
    if (!named_) return;
    // Whoever has come and gone has taken nothing with it but, perhaps, a world that had formed.
    if (complete_) return;
    connect(kNone);
    connect(kNone);
    const size_t first = sockets_.size() - 2;
    for (size_t i : {first, first + 1}) say_hello(sockets_[i].get());
    run();
    for (size_t i : {first, first + 1}) {
      wire::Received answer;
      wire::receive(sockets_[i].get(), &answer);
      MUST(answer.what == wire::Received::What::Message && answer.message.head.type == wire::Type::Welcome);
      MUST(answer.fd_count == 1);
    }
  }

 private:
  void connect(uint32_t reserved) {
    int ends[2];
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    Fd own(ends[0]);
    MUST(wire::want_credentials(own.get()));
    hub_.add(std::move(own), reserved);
    sockets_.emplace_back(ends[1]);
  }

  void say_hello(int socket) {
    const wire::Hello hello = honest_hello();
    const std::vector<int> fds = descriptors().of_rank(0);
    wire::send(socket, &hello, sizeof hello, fds.data(), static_cast<uint32_t>(fds.size()));
  }

  static wire::Hello honest_hello() {
    wire::Hello hello{};
    hello.wanted_rank = kNone;
    hello.geometry = fuzz::geometry(kSize);
    hello.identity = fuzz::identity();
    return hello;
  }

  // As ranks that behave would have it, up to here.
  void gather() {
    while (sockets_.size() < kSize) connect(kNone);
    for (uint32_t i = 0; i < kSize; ++i)
      if (sockets_[i]) say_hello(sockets_[i].get());
    turn();
    const wire::Fetch fetch{.first = 0};
    for (uint32_t i = 0; i < kSize && in_.flag(); ++i)
      if (sockets_[i]) wire::send(sockets_[i].get(), &fetch, sizeof fetch);
  }

  void act() {
    const uint8_t what = in_.byte();
    if (what % 8 == 0 && sockets_.size() < 12) return connect(kNone);
    if (what % 8 == 1) return turn();
    if (what == 2) return gather();
    if (sockets_.empty()) return;
    Fd& socket = sockets_[in_.byte() % sockets_.size()];
    if (!socket) return;
    auto send = [&](const auto& message, std::vector<int> fds) {
      fuzz::send_changed(in_, socket.get(), &message, sizeof message, std::move(fds), descriptors());
    };
    switch (what / 8 % 8) {
      case 0:
        socket.reset();
        return;
      case 1:
      case 2: {
        wire::Hello hello = honest_hello();
        if (in_.flag()) hello.wanted_rank = in_.pick(4);
        return send(hello, descriptors().of_rank(in_.pick(kSize)));
      }
      case 3:
        return send(wire::Fetch{.first = in_.flag() ? 0 : static_cast<uint32_t>(in_())}, {});
      case 4:
        return send(wire::Plain{.head = {.type = wire::Type::Mapped}}, {});
      case 5:
        return send(wire::Plain{.head = {.type = wire::Type::AskMissing}}, {});
      case 6:
        return send(wire::make_text(wire::Type::Refused, "no"), {});
      default:
        return hear(socket.get());
    }
  }

  void run() {
    for (int round = 0; round < 100; ++round) {
      bool more = false;
      for (size_t i = 0; i < hub_.connections(); ++i) {
        pollfd p{hub_.socket(i), POLLIN, 0};
        if (p.fd < 0 || poll(&p, 1, 0) <= 0) continue;
        more = true;
        hub_.readable(i);
      }
      hub_.sweep();
      if (!more) break;
    }
  }

  void turn() {
    run();
    for (Fd& socket : sockets_)
      if (socket) hear(socket.get());
  }

  // An answer is one that a rank can read.
  void hear(int socket) {
    for (;;) {
      wire::Received answer;
      wire::receive(socket, &answer);
      if (answer.what == wire::Received::What::Nothing || answer.what == wire::Received::What::Closed) return;
      MUST(answer.what == wire::Received::What::Message && answer.message.head.version == wire::kVersion);
      complete_ |= answer.message.head.type == wire::Type::Go;
      if (answer.message.head.type == wire::Type::Peers) {
        MUST(answer.message.peers.count <= wire::kPeersPerMessage);
        MUST(answer.fd_count == answer.message.peers.count * wire::kFdsPerRank);
      }
    }
  }

  Input in_;
  bool named_;
  Rendezvous hub_;
  std::vector<Fd> sockets_;
  bool complete_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run(Input(data, size)).go();
  return 0;
}
