// A single-producer, single-consumer byte ring between two ranks. The bytes and
// the tail lie in the producer's control segment, the head in the consumer's,
// so each side writes only memory of its own.
//
// Positions count bytes ever written or consumed and never wrap; records are
// multiples of kRecordAlign, so a record's header never wraps either, but its
// payload may.
#pragma once

#include "engine/failpoint.h"
#include "engine/shared.h"

namespace uintr {

constexpr uint32_t kRecordAlign = 32;

class RingWriter {
 public:
  void attach(unsigned char* bytes, uint32_t size, Shared<uint64_t>* tail, const Shared<uint64_t>* head,
              Shared<uint32_t>* want) {
    bytes_ = bytes, size_ = size, tail_ = tail, head_ = head, want_ = want;
  }

  bool room(uint64_t n) {
    if (position_ + n - seen_head_ <= size_) return true;
    return look(head_->load_sc()) && position_ + n - seen_head_ <= size_;
  }

  // Like room(), but where there is none the consumer will tell us when it has
  // made some.
  // SYNC POINT: want-space. We set the flag, then read the head again; the
  // consumer moves its head, then reads the flag (both sequentially consistent
  // read-modify-writes followed by loads). One of us sees the other. A flag
  // that is still set from before needs no second setting: only we clear it.
  bool room_or_want(uint64_t n) {
    if (room(n)) return true;
    if (wanting_ || faulty_) return false;
    want();
    return look(head_->load_sc()) && position_ + n - seen_head_ <= size_;
  }
  // The consumer tells us the next time it makes room.
  void want() {
    if (wanting_) return;
    want_->exchange_sc(1);
    UINTR_FAILPOINT("ring.wants_space");
    wanting_ = true;
  }
  bool wanting() const { return wanting_; }
  // Has the consumer moved on since its head was looked at?
  bool room_made() const { return head_->load_sc() != seen_head_; }
  // Has the consumer seen, and acted on, all that was ever written?
  bool drained() { return look(head_->load_sc()) && seen_head_ == position_; }

  // For when nothing of ours waits for this ring any more.
  void stop_wanting() {
    if (!wanting_) return;
    wanting_ = false;
    want_->set_relaxed(0);
  }

  // Appends without publishing. The caller has made sure of room.
  void put(const void* from, uint64_t n) {
    uint64_t at = position_ & (size_ - 1);
    uint64_t first = n < size_ - at ? n : size_ - at;
    copy_bytes(bytes_ + at, from, first);
    UINTR_FAILPOINT("ring.half_put");
    if (n != first) copy_bytes(bytes_, static_cast<const unsigned char*>(from) + first, n - first);
    position_ += n;
  }
  void align() { position_ = (position_ + kRecordAlign - 1) & ~uint64_t{kRecordAlign - 1}; }

  // SYNC POINT: ring. What was put is visible before the tail that covers it.
  void publish() {
    UINTR_FAILPOINT("ring.publishing");
    tail_->release(position_);
    UINTR_FAILPOINT("ring.published");
    // The consumer has read that line, a lap ago: the next record need not wait for it.
    arch::prefetch_for_write(bytes_ + (position_ & (size_ - 1)));
  }

  bool faulty() const { return faulty_; }
  // What put() and publish() will write.
  void prefetch() const { arch::prefetch_for_write(tail_); }

 private:
  // A head beyond what was written, or running backwards, is no correct
  // consumer's.
  bool look(uint64_t head) {
    if (head < seen_head_ || head > position_) {
      faulty_ = true;
      return false;
    }
    seen_head_ = head;
    return true;
  }

  unsigned char* bytes_;
  Shared<uint64_t>* tail_;
  const Shared<uint64_t>* head_;
  Shared<uint32_t>* want_;
  uint64_t position_;
  uint64_t seen_head_;
  uint32_t size_;
  bool wanting_;
  bool faulty_;
};

class RingReader {
 public:
  void attach(const unsigned char* bytes, uint32_t size, const Shared<uint64_t>* tail, Shared<uint64_t>* head,
              const Shared<uint32_t>* want) {
    bytes_ = bytes, size_ = size, tail_ = tail, head_ = head, want_ = want;
  }

  // Looks at the tail once: what is readable from now on, so that one drain is
  // bounded by the ring's size. False: no correct producer's tail.
  // SYNC POINT: ring. The tail is acquired before the bytes it covers are read.
  bool open() {
    uint64_t tail = tail_->acquire();
    if (tail < position_ || tail - position_ > size_ || tail % kRecordAlign != 0) return false;
    end_ = tail;
    return true;
  }
  uint64_t readable() const { return end_ - position_; }
  // Is there anything that was not consumed yet?
  bool behind() const { return tail_->load_sc() != position_; }

  // Copies `n` bytes at `offset` behind the current record's start.
  void peek(void* to, uint64_t offset, uint64_t n) const {
    uint64_t at = (position_ + offset) & (size_ - 1);
    uint64_t first = n < size_ - at ? n : size_ - at;
    copy_bytes(to, bytes_ + at, first);
    if (n != first) copy_bytes(static_cast<unsigned char*>(to) + first, bytes_, n - first);
  }
  void skip(uint64_t n) { position_ += n; }
  // What open() and peek() will look at.
  void prefetch() const {
    arch::prefetch(tail_);
    arch::prefetch(bytes_ + (position_ & (size_ - 1)));
  }
  // Consumed, but its space is not given back yet.
  uint64_t unreturned() const { return position_ - closed_at_; }

  // Gives the space back. True: the producer waits for it.
  // SYNC POINT: want-space. The head moves first, then the flag is read.
  bool close() {
    if (position_ == closed_at_) return false;
    closed_at_ = position_;
    head_->exchange_sc(position_);
    UINTR_FAILPOINT("ring.space_given");
    return want_->load_sc() != 0;
  }

 private:
  const unsigned char* bytes_;
  const Shared<uint64_t>* tail_;
  Shared<uint64_t>* head_;
  const Shared<uint32_t>* want_;
  uint64_t position_;
  uint64_t end_;
  uint64_t closed_at_;
  uint32_t size_;
};

}  // namespace uintr
