// Who may join, and the words for it: an error names the argument and both values, or the ranks that are missing.
#include "bootstrap/admission.h"

#include <algorithm>

#include "bootstrap/rendezvous.h"

namespace uintr {
namespace {

std::string list(const std::vector<uint32_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    if (i == 16 && ranks.size() > 17) return text + std::to_string(ranks.size() - 16) + " others";
    text += std::to_string(ranks[i]);
  }
  return text;
}

std::string differs(const char* argument, uint64_t given, uint64_t expected, const std::string& world) {
  return std::string(argument) + ' ' + std::to_string(given) + ": " + world + " was started with " + argument + ' ' +
         std::to_string(expected);
}

}  // namespace

std::string difference(const Geometry& given, const Geometry& expected, const std::string& world) {
  if (given.size != expected.size) return differs("size", given.size, expected.size, world);
  if (given.max_requests != expected.max_requests) {
    return differs("maxRequests", given.max_requests, expected.max_requests, world);
  }
  if (given.ring_bytes != expected.ring_bytes) {
    return differs("ringBytes", given.ring_bytes, expected.ring_bytes, world);
  }
  if (given.eager_limit != expected.eager_limit) {
    return differs("eagerLimit", given.eager_limit, expected.eager_limit, world);
  }
  if (given.credit_blocks != expected.credit_blocks) {
    return differs("unexpectedBytes", uint64_t{given.credit_blocks} * kBlockBytes,
                   uint64_t{expected.credit_blocks} * kBlockBytes, world);
  }
  if (given.heap_bytes != expected.heap_bytes) {
    return differs("heapBytes", given.heap_bytes, expected.heap_bytes, world);
  }
  if (given.elastic != expected.elastic) {
    return std::string("rejoin ") + (given.elastic != 0 ? "true" : "false") + ": " + world + " was started with" +
           (expected.elastic != 0 ? "" : "out") + " it";
  }
  return "";
}

bool Rendezvous::admissible(Member* m, const wire::Hello& hello, std::string* why, uint32_t* code) const {
  *code = wire::kInvalidArgument;
  const Geometry& g = hello.geometry;
  const uint32_t size = size_ != 0 ? size_ : g.size;
  const char* invalid = nullptr;
  if (!Engine::valid(g, &invalid)) {
    *why = std::string("a value that no world may have: ") + (invalid != nullptr ? invalid : "geometry");
  } else if (g.size != size) {
    *why = differs("size", g.size, size, title());
  } else if (have_geometry_ && !(*why = difference(g, geometry_, title())).empty()) {
    return false;
  } else if (m->reserved != kNone && hello.wanted_rank != kNone && hello.wanted_rank != m->reserved) {
    *why = differs("rank", hello.wanted_rank, m->reserved, "this process");
  } else if (m->reserved == kNone && hello.wanted_rank != kNone && hello.wanted_rank >= size) {
    *why = "rank " + std::to_string(hello.wanted_rank) + ": must be below size, which is " + std::to_string(size);
  } else if (m->reserved == kNone && hello.wanted_rank != kNone &&
             std::any_of(members_.begin(), members_.end(),
                         [&](auto& o) { return o->arrived && !o->gone && o->rank == hello.wanted_rank; })) {
    *code = wire::kJoin;
    *why = "rank " + std::to_string(hello.wanted_rank) + " of " + title() + " is taken";
  } else {
    return true;
  }
  return false;
}

std::string Rendezvous::missing() const {
  std::vector<uint32_t> ranks;
  if (phase_ == Phase::Forming) {
    for (uint32_t i = 0; i < size_; ++i) {
      if (!ranks_[i]->mapped) ranks.push_back(i);
    }
    return list(ranks) + " of " + std::to_string(size_) + (ranks.size() == 1 ? " has" : " have") +
           " not finished joining";
  }
  bool by_arrival = false;
  std::vector<bool> here(size_, false);
  for (auto& m : members_) {
    if (!m->arrived || m->gone) continue;
    if (m->rank == kNone)
      by_arrival = true;
    else
      here[m->rank] = true;
  }
  const std::string of = " of " + std::to_string(size_);
  if (by_arrival) {
    const uint32_t absent = size_ - arrived();
    return std::to_string(absent) + of + " ranks " + (absent == 1 ? "has" : "have") + " not joined";
  }
  for (uint32_t i = 0; i < size_; ++i) {
    if (!here[i]) ranks.push_back(i);
  }
  return list(ranks) + of + (ranks.size() == 1 ? " has" : " have") + " not joined";
}

std::string Rendezvous::complete_text() const {
  const std::string n = std::to_string(size_);
  return title() + " is complete (" + n + " of " + n + " ranks joined)";
}

}  // namespace uintr
