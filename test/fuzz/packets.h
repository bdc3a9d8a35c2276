// Packets of the bootstrap that no honest process sends: a message as it should be, of which an input changes bytes,
// length and descriptors.
#pragma once

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "bootstrap/segments.h"
#include "bootstrap/wire.h"
#include "input.h"
#include "must.h"

namespace fuzz {

using namespace uintr;

constexpr uint64_t kNonce = 77;

inline Geometry geometry(uint32_t size, bool elastic = false) {
  return {.size = size,
          .max_requests = 16,
          .ring_bytes = 4096,
          .eager_limit = 512,
          .credit_blocks = 8,
          .elastic = elastic ? 1u : 0u,
          .heap_bytes = 2 << 20};
}

// What a rank sends along, and what it might instead. Made once: a packet carries copies.
class Descriptors {
 public:
  explicit Descriptors(const Geometry& g) : geometry_(g) {
    JoinError error;
    for (uint32_t rank = 0; rank < g.size; ++rank) {
      MUST(Segment::create(Segment::Kind::Control, Layout{g}.control_bytes(), &controls_.emplace_back(), &error));
      write_control_header(controls_[rank].base(), g, rank, kNonce, getpid());
    }
    MUST(Segment::create(Segment::Kind::Heap, g.heap_bytes, &heap_, &error));
    MUST(Segment::create(Segment::Kind::World, Layout{g}.world_bytes(), &world_, &error));
    MUST(pipe2(lifeline_, O_CLOEXEC) == 0);
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_FUTURE_WRITE;
    odd_ = {
        eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        eventfd(0, EFD_CLOEXEC),  // on which a handler could wait
        open("/dev/null", O_RDWR | O_CLOEXEC),
        open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        epoll_create1(EPOLL_CLOEXEC),
        lifeline_[1],
        unsealed_ = memory(Layout{g}.control_bytes(), 0, 0),
        shorter_ = memory(Layout{g}.control_bytes() - 4096, 0, kSeals),
        longer_ = memory(Layout{g}.world_bytes() + 4096, 0, kSeals),
        unwritable_ = memory(g.heap_bytes, 0, kSeals | F_SEAL_WRITE),
        huge_ = memory(g.heap_bytes, MFD_HUGETLB, kSeals & ~F_SEAL_FUTURE_WRITE),
    };
    std::erase(odd_, -1);
  }

  int control(uint32_t rank) const { return controls_[rank].fd(); }
  int heap() const { return heap_.fd(); }
  int world() const { return world_.fd(); }
  std::vector<int> of_rank(uint32_t rank) const {
    return {control(rank), heap(), odd_[0], lifeline_[0], odd_[0]};
  }
  // Perhaps another, or one less, or one more.
  void change(Input& in, std::vector<int>* fds) const {
    for (uint32_t n = in.pick(3); n != 0; --n) {
      const uint32_t at = fds->empty() ? 0 : in.byte() % static_cast<uint32_t>(fds->size());
      switch (in.pick(4)) {
        case 0:
          if (!fds->empty()) fds->erase(fds->begin() + at);
          break;
        case 1:
          if (fds->size() < wire::kMaxFds) fds->push_back(any(in));
          break;
        case 2:
          if (!fds->empty()) (*fds)[at] = any(in);
          break;
        default:
          if (!fds->empty()) (*fds)[at] = twin(in, (*fds)[at]);
      }
    }
  }

 private:
  // What could pass for it.
  int twin(Input& in, int fd) const {
    if (fd == heap()) return huge_ >= 0 && in.flag() ? huge_ : unwritable_;
    if (fd == world()) return in.flag() ? heap() : longer_;
    if (fd == odd_[0]) return odd_[1];
    if (fd == lifeline_[0]) return in.flag() ? lifeline_[1] : odd_[0];
    return in.flag() ? unsealed_ : shorter_;
  }
  int any(Input& in) const {
    const uint32_t n = in.byte();
    if (n < 8) return control(n % geometry_.size);
    if (n < 16) return n % 2 != 0 ? heap() : world();
    return odd_[n % odd_.size()];
  }
  static int memory(uint64_t bytes, unsigned flags, int seals) {
    const int fd = memfd_create("odd", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
    if (fd < 0) return -1;  // huge pages: not every kernel has them
    MUST(ftruncate(fd, static_cast<off_t>(bytes)) == 0 && (seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0));
    return fd;
  }

  Geometry geometry_;
  std::vector<Segment> controls_;
  Segment heap_, world_;
  int lifeline_[2], unsealed_, shorter_, longer_, unwritable_, huge_;
  std::vector<int> odd_;
};

inline wire::Identity identity() {
  wire::Identity i{};
  i.pid = i.tid = getpid();
  i.nonce = kNonce;
  return i;
}

// Changes some bytes, and perhaps the length, and sends it. The other end's queue may be full; then nothing happens.
inline void send_changed(Input& in, int socket, const void* message, size_t bytes, std::vector<int> fds,
                         const Descriptors& descriptors) {
  std::vector<unsigned char> packet(bytes + 64);
  std::memcpy(packet.data(), message, bytes);
  const uint8_t how = in.byte();
  for (uint32_t n = how & 3; n != 0; --n) {
    // Mostly near the front, where what decides stands.
    const size_t at = (in.flag() ? in.byte() : in.byte() * 256u + in.byte()) % bytes;
    unsigned char word[8] = {};
    const size_t length = 1u << in.pick(4);
    in.fill(word, length);
    std::memcpy(packet.data() + at, word, length);
  }
  if ((how & 12) == 12) bytes = in.flag() ? in.byte() % bytes : bytes + in.pick(64);
  if ((how & 16) != 0) descriptors.change(in, &fds);
  wire::send(socket, packet.data(), bytes, fds.data(), static_cast<uint32_t>(fds.size()));
}

}  // namespace fuzz
