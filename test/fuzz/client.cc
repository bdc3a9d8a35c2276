// What a joining rank makes of what the process that collects the ranks tells it, and of the descriptors beside that: it
// joins, or fails with an error that has a code, in time. What it has mapped then can be touched from end to end.
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
#include "bootstrap/join.h"
#include "packets.h"

using namespace uintr;
using fuzz::Input;

namespace {

constexpr uint32_t kSize = 3;

const fuzz::Descriptors& descriptors() {
  static const auto* all = new fuzz::Descriptors(fuzz::geometry(kSize));
  return *all;
}

wire::Peers all_peers() {
  wire::Peers peers{};
  peers.count = kSize;
  for (uint32_t i = 0; i < kSize; ++i) peers.identity[i] = fuzz::identity();
  return peers;
}

// What a hub says, from welcome to go, whatever the rank has said.
void talk(Input& in, int rank) {
  for (int step = 0; step < 12 && !in.empty(); ++step) {
    auto send = [&](const auto& message, std::vector<int> fds) {
      fuzz::send_changed(in, rank, &message, sizeof message, std::move(fds), descriptors());
    };
    // Mostly what comes next.
    const uint32_t next = in.pick(8) < 6 ? static_cast<uint32_t>(step) : in.pick(6);
    switch (next) {
      case 0: {
        wire::Welcome welcome{};
        welcome.rank = in.pick(kSize);
        send(welcome, {descriptors().world()});
        break;
      }
      case 1: {
        std::vector<int> fds;
        for (uint32_t i = 0; i < kSize; ++i)
          for (const int fd : descriptors().of_rank(i)) fds.push_back(fd);
        send(all_peers(), fds);
        break;
      }
      case 2:
        send(wire::Plain{.head = {.type = wire::Type::Go}}, {});
        break;
      case 3:
        send(wire::make_text(wire::Type::Refused, "not you", in.pick(8), in.flag()), {});
        break;
      case 4:
        send(wire::make_text(wire::Type::Missing, "somebody"), {});
        break;
      default:
        send(wire::Present{}, {descriptors().world()});
    }
  }
}

uint64_t sum = 0;
void touch(const unsigned char* base, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += 4096) sum += base[at];
  sum += base[bytes - 1];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  int ends[2];
  MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  Fd hub(ends[0]);
  talk(in, hub.get());
  MUST(shutdown(hub.get(), SHUT_WR) == 0);  // so no wait is for more
  JoinRequest request;
  request.hub_fd = ends[1];
  request.geometry = fuzz::geometry(kSize);
  request.tid = getpid();
  // Not by the kernel: the pids are the input's, and nobody else is to be written to.
  request.copy_kinds = kCopyDirect | kCopyHeap | kCopyPipeline;
  std::unique_ptr<Joined> joined;
  JoinError error;
  if (!join(request, &joined, &error)) {
    MUST(error.code != nullptr && std::strncmp(error.code, "ERR_UINTR_", 10) == 0);
    return 0;
  }
  MUST(joined->rank < kSize);
  const Layout layout{request.geometry};
  touch(joined->world.base(), layout.world_bytes());
  for (uint32_t peer = 0; peer < kSize; ++peer) {
    touch(joined->maps[peer].control, layout.control_bytes());
    touch(joined->maps[peer].heap, request.geometry.heap_bytes);
    // None of them is a thread of this process, though its memory was made here: it was not announced.
    MUST(peer == joined->rank || !joined->peers[peer].same_process);
  }
  joined->liveness.drain(0);
  return 0;
}
