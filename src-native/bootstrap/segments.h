// What ranks share: memory without a name (memfd.h), which its owner alone writes or all do.
#pragma once

#include <cstdint>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "engine/layout.h"

namespace uintr {

// One mapping of one memfd, unmapped by its destructor.
class Segment {
 public:
  enum class Kind { Control, Heap, World };

  Segment() = default;
  Segment(Segment&& other) noexcept { *this = static_cast<Segment&&>(other); }
  Segment& operator=(Segment&& other) noexcept;
  ~Segment() { unmap(); }

  // Creates, sizes, maps (writable) and seals. Sparse: nothing is committed.
  static bool create(Kind kind, uint64_t bytes, Segment* out, JoinError* error);
  // Maps what another process created, after checking its seals and its size. A control segment is mapped read-only.
  // `whose` ("rank 3's control segment") opens the error message.
  static bool adopt(Kind kind, Fd fd, uint64_t bytes, const char* whose, Segment* out, JoinError* error);

  unsigned char* base() const { return base_; }
  uint64_t bytes() const { return bytes_; }
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return base_ != nullptr; }

  // Makes pages exist, so that a touch cannot raise SIGBUS. Rounds outwards to pages; repeating it is cheap.
  // 0 or an errno (ENOSPC or ENOMEM: no memory).
  int commit(uint64_t offset, uint64_t bytes) const;

  // The mapping needs no descriptor; without one commit() is EBADF.
  void close_fd() { fd_.reset(); }
  void unmap();

 private:
  unsigned char* base_ = nullptr;
  uint64_t bytes_ = 0;
  Fd fd_;
};

// A heap arena, the own one or a peer's, whose mapping outlives the world, and the peer: JavaScript buffers lie in it. Any thread may retain and release
// (finalizers); the last release unmaps it and closes its memfd.
class HeapMapping {
 public:
  static HeapMapping* create(Segment segment);  // with one reference
  void retain();
  void release();

  unsigned char* base() const { return segment_.base(); }
  uint64_t bytes() const { return segment_.bytes(); }
  const Segment& segment() const { return segment_; }
  // When the world ends: nothing will be committed any more.
  void close_fd() { segment_.close_fd(); }

 private:
  explicit HeapMapping(Segment segment) : segment_(static_cast<Segment&&>(segment)) {}
  Segment segment_;
  uint64_t references_ = 1;
};
struct ReleaseHeap {
  void operator()(HeapMapping* heap) const { heap->release(); }
};

// Writes the owner's part of the header (pid and tid as it sees itself; engine words are the engine's).
void write_control_header(unsigned char* control, const Geometry& geometry, uint32_t rank, uint64_t nonce, int32_t tid);
// Checks a peer's header; everything it holds is that peer's word until then.
bool check_control_header(const unsigned char* control, const Geometry& geometry, uint32_t rank, uint64_t nonce,
                          JoinError* error);

}  // namespace uintr
