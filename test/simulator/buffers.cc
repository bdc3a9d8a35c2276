#include "buffers.h"

#include <cstddef>
#include <cstdio>

#include "engine/types.h"

namespace simulator {

unsigned char* Buffers::take(uint32_t rank, size_t bytes) {
  size_t place = (bytes + 64 + 63) / 64 * 64;  // a gap behind each, so that no two touch
  if (used_ + place > bytes_) return nullptr;
  unsigned char* at = begin_ + used_;
  used_ += place;
  add(rank, at, bytes);
  return at;
}

void Buffers::add(uint32_t rank, unsigned char* at, size_t bytes) { all_.push_back({rank, at, bytes, Use::None, {}}); }

// The latest one wins: places in the heap are used again.
Buffers::Buffer* Buffers::find(const unsigned char* p, size_t n) {
  for (size_t i = all_.size(); i-- > 0;) {
    Buffer& b = all_[i];
    if (p < b.at + b.n && b.at < p + n) return &b;
  }
  return nullptr;
}

void Buffers::lend(unsigned char* at, Use use) {
  for (size_t i = all_.size(); i-- > 0;) {
    Buffer& b = all_[i];
    if (b.at != at) continue;
    b.use = use;
    b.written.assign(use == Use::Receive ? b.n : 0, false);
    return;
  }
}

void Buffers::give_back(unsigned char* at) {
  for (size_t i = all_.size(); i-- > 0;) {
    if (all_[i].at != at) continue;
    all_[i].use = Use::None;
    return;
  }
}

void Buffers::give_back_all(uint32_t rank) {
  for (Buffer& b : all_) {
    if (b.rank == rank) b.use = Use::None;
  }
}

void Buffers::forget(unsigned char* at) {
  for (size_t i = all_.size(); i-- > 0;) {
    if (all_[i].at != at) continue;
    all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

size_t Buffers::written(unsigned char* at, bool* beyond) const {
  *beyond = false;
  for (size_t i = all_.size(); i-- > 0;) {
    const Buffer& b = all_[i];
    if (b.at != at) continue;
    size_t n = 0;
    while (n < b.written.size() && b.written[n]) ++n;
    for (size_t k = n; k < b.written.size(); ++k) *beyond |= b.written[k];
    return n;
  }
  return 0;
}

std::string Buffers::complain(const char* what, uint32_t rank, const Buffer& b, const unsigned char* p,
                              size_t n) const {
  char text[200];
  std::snprintf(text, sizeof text, "rank %u %s (bytes %lld to %lld of a buffer of rank %u with %zu)", rank, what,
                static_cast<long long>(p - b.at), static_cast<long long>(p - b.at + static_cast<long long>(n)), b.rank,
                b.n);
  return text;
}

uint32_t Buffers::owner(const unsigned char* p, size_t n) {
  const Buffer* b = find(p, n);
  return b == nullptr ? uintr::kNone : b->rank;
}

std::string Buffers::check_read(uint32_t rank, const unsigned char* from, size_t n) {
  Buffer* b = find(from, n);
  if (b == nullptr || n == 0) return "";
  if (from < b->at || from + n > b->at + b->n) return complain("reads outside", rank, *b, from, n);
  if (b->use == Use::None) return complain("reads after the request was over", rank, *b, from, n);
  if (b->use != Use::Send && b->use != Use::Work) return complain("reads what is received into", rank, *b, from, n);
  return "";
}

std::string Buffers::check_write(uint32_t rank, const unsigned char* to, size_t n) {
  Buffer* b = find(to, n);
  if (b == nullptr || n == 0) return "";
  if (to < b->at || to + n > b->at + b->n) return complain("writes outside", rank, *b, to, n);
  if (b->use == Use::None) return complain("writes after the request was over", rank, *b, to, n);
  if (b->use == Use::Work) return "";
  if (b->use != Use::Receive) return complain("writes what is sent from", rank, *b, to, n);
  auto first = static_cast<size_t>(to - b->at);
  for (size_t i = 0; i < n; ++i) {
    if (b->written[first + i]) return complain("writes a second time", rank, *b, to, n);
    b->written[first + i] = true;
  }
  return "";
}

// What a rank has still to write into its own buffer it sees already, so only
// the other's late writes are wrong.
std::string Buffers::check_visible(uint32_t rank, const unsigned char* to, size_t n) {
  Buffer* b = find(to, n);
  if (b == nullptr || n == 0 || b->rank == rank || b->use != Use::None) return "";
  return complain("writes (late) after the request was over", rank, *b, to, n);
}

}  // namespace simulator
