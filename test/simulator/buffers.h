// The users' buffers, and whose they are at the moment. Every access of the
// engine to one is checked: none before it was posted, none after its request
// has completed, none outside, and each byte of a receive written once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simulator {

class Buffers {
 public:
  // Work: of a collective operation, which may do both, and more than once.
  enum class Use : uint8_t { None, Send, Receive, Work };

  // Buffers are carved out of [begin, begin + bytes), each in a place of its
  // own that is never used twice in a run.
  void attach(unsigned char* begin, size_t bytes) { begin_ = begin, bytes_ = bytes; }
  void clear() {
    used_ = 0;
    all_.clear();
  }

  // A new buffer for `rank`; nullptr: no room left.
  unsigned char* take(uint32_t rank, size_t bytes);
  // One that lies elsewhere, in the heap arena.
  void add(uint32_t rank, unsigned char* at, size_t bytes);

  // Handed to the engine, and taken back.
  void lend(unsigned char* at, Use use);
  void give_back(unsigned char* at);
  // The rank is gone, and all that it had lent is given back.
  void give_back_all(uint32_t rank);
  // Its place is given back to the heap: from now on anything may lie there.
  void forget(unsigned char* at);
  // Bytes of a lent receive buffer written so far, from its beginning without a
  // gap; `beyond` tells whether any other was.
  size_t written(unsigned char* at, bool* beyond) const;

  // Whose buffer those bytes lie in; kNone: nobody's.
  uint32_t owner(const unsigned char* p, size_t n);

  // Empty, or what is wrong.
  std::string check_read(uint32_t rank, const unsigned char* from, size_t n);
  std::string check_write(uint32_t rank, const unsigned char* to, size_t n);
  // A write of `rank` that waited in its store buffer becomes visible.
  std::string check_visible(uint32_t rank, const unsigned char* to, size_t n);

 private:
  struct Buffer {
    uint32_t rank;
    unsigned char* at;
    size_t n;
    Use use;
    std::vector<bool> written;
  };
  Buffer* find(const unsigned char* p, size_t n);
  std::string complain(const char* what, uint32_t rank, const Buffer& b, const unsigned char* p, size_t n) const;

  unsigned char* begin_ = nullptr;
  size_t bytes_ = 0, used_ = 0;
  std::vector<Buffer> all_;
};

}  // namespace simulator
