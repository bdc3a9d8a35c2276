#include "bootstrap/segments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "bootstrap/memfd.h"

namespace uintr {
namespace {

constexpr uint64_t kPage = 4096;
int seals_of(Segment::Kind kind) { return kind == Segment::Kind::Control ? kOwnersSeals : kSizeSeals; }

const char* name_of(Segment::Kind kind) {
  switch (kind) {
    case Segment::Kind::Control:
      return "uintr-control";
    case Segment::Kind::Heap:
      return "uintr-heap";
    default:
      return "uintr-world";
  }
}

// A forked child is not this rank, and must not write as if it were.
void keep_from_forks(unsigned char* base, uint64_t bytes) { madvise(base, bytes, MADV_DONTFORK); }

}  // namespace

Segment& Segment::operator=(Segment&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  base_ = std::exchange(other.base_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  fd_ = std::move(other.fd_);
  return *this;
}

bool Segment::create(Kind kind, uint64_t bytes, Segment* out, JoinError* error) {
  const std::string what = std::string("cannot create ") + name_of(kind) + " of " + std::to_string(bytes) + " bytes" +
                           (kind == Kind::Heap ? " (heapBytes)" : "");
  if (bytes == 0) return fail(error, "ERR_UINTR_INVALID_ARGUMENT", what);
  Segment s;
  s.bytes_ = bytes;
  if (!make_memfd(name_of(kind), bytes, seals_of(kind), &s.fd_, &s.base_, what, error)) return false;
  keep_from_forks(s.base_, bytes);
  *out = std::move(s);
  return true;
}

bool Segment::adopt(Kind kind, Fd fd, uint64_t bytes, const char* whose, Segment* out, JoinError* error) {
  Segment s;
  s.bytes_ = bytes;
  s.fd_ = std::move(fd);
  if (!check_memfd(s.fd(), bytes, seals_of(kind), whose, error)) return false;
  const int protection = kind == Kind::Control ? PROT_READ : PROT_READ | PROT_WRITE;
  void* at = mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, s.fd(), 0);
  if (at == MAP_FAILED) return fail_syscall(error, "mmap", errno, whose);
  s.base_ = static_cast<unsigned char*>(at);
  keep_from_forks(s.base_, bytes);
  if (kind != Kind::World) madvise(s.base_, bytes, MADV_DONTDUMP);  // it is in its owner's core file
  *out = std::move(s);
  return true;
}

int Segment::commit(uint64_t offset, uint64_t bytes) const {
  if (offset > bytes_ || bytes > bytes_ - offset) return EINVAL;
  const uint64_t at = offset / kPage * kPage;
  const uint64_t end = round_up(offset + bytes, kPage) < bytes_ ? round_up(offset + bytes, kPage) : bytes_;
  return commit_memfd(fd_.get(), at, end);
}

void Segment::unmap() {
  if (base_ != nullptr) munmap(base_, bytes_);
  base_ = nullptr;
  bytes_ = 0;
  fd_.reset();
}

HeapMapping* HeapMapping::create(Segment segment) { return new (std::nothrow) HeapMapping(std::move(segment)); }

void HeapMapping::retain() { __atomic_fetch_add(&references_, 1, __ATOMIC_RELAXED); }

void HeapMapping::release() {
  // acq_rel: whoever is last must see what the others did to the memory before it unmaps it.
  if (__atomic_fetch_sub(&references_, 1, __ATOMIC_ACQ_REL) == 1) delete this;
}

void write_control_header(unsigned char* control, const Geometry& geometry, uint32_t rank, uint64_t nonce,
                          int32_t tid) {
  auto* header = reinterpret_cast<ControlHeader*>(control);
  header->magic = kControlMagic;
  header->version = kLayoutVersion;
  header->rank = rank;
  header->geometry = geometry;
  header->nonce = nonce;
  header->pid = getpid();
  header->tid = tid;
}

bool check_control_header(const unsigned char* control, const Geometry& geometry, uint32_t rank, uint64_t nonce,
                          JoinError* error) {
  const auto* header = reinterpret_cast<const ControlHeader*>(control);
  const std::string whose = "rank " + std::to_string(rank) + "'s control segment has the wrong ";
  if (header->magic != kControlMagic) return fail(error, "ERR_UINTR_PROTOCOL", whose + "magic number");
  if (header->version != kLayoutVersion) {
    return fail(
        error, "ERR_UINTR_PROTOCOL",
        whose + "layout version " + std::to_string(header->version) + ", this is " + std::to_string(kLayoutVersion));
  }
  if (header->rank != rank) return fail(error, "ERR_UINTR_PROTOCOL", whose + "rank " + std::to_string(header->rank));
  if (!(header->geometry == geometry)) return fail(error, "ERR_UINTR_PROTOCOL", whose + "geometry");
  if (header->nonce != nonce) return fail(error, "ERR_UINTR_PROTOCOL", whose + "nonce");
  return true;
}

}  // namespace uintr
