// Memory for a message: the program's own, or a block of the rank's arena, from which a peer may copy as it pleases.
#pragma once

#include <vector>

#include "member.h"

namespace kills {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Member* member, uint64_t bytes, bool in_heap) {
    if (in_heap && bytes != 0) offset_ = (*member)->heap_alloc(bytes);
    if (offset_ != uintr::kNoHeap) {
      member_ = member;
      at_ = member->joined().heap->base() + offset_;
    } else {
      own_.resize(bytes + 1);
      at_ = own_.data();
    }
  }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    give_back();
    own_ = std::move(other.own_);
    member_ = std::exchange(other.member_, nullptr);
    offset_ = std::exchange(other.offset_, uintr::kNoHeap);
    at_ = other.at_;
    return *this;
  }
  ~Buffer() { give_back(); }

  unsigned char* data() const { return at_; }
  bool in_heap() const { return offset_ != uintr::kNoHeap; }
  // What an allocating receive has got.
  void adopt(Member* member, uint64_t offset) {
    give_back();
    if (offset == uintr::kNoHeap) return;
    member_ = member;
    offset_ = offset;
    at_ = member->joined().heap->base() + offset;
  }
  void give_back() {
    // A rank that has left has no arena any more.
    if (offset_ != uintr::kNoHeap && member_->operator->() != nullptr) (*member_)->heap_free(offset_);
    offset_ = uintr::kNoHeap;
  }

 private:
  std::vector<unsigned char> own_;
  Member* member_ = nullptr;
  uint64_t offset_ = uintr::kNoHeap;
  unsigned char* at_ = nullptr;
};

}  // namespace kills
