#include "model.h"

#include <cstdio>

namespace simulator {

using uintr::Error;
using uintr::kAnySource;
using uintr::kAnyTag;
using uintr::kNone;

Message& Model::sent(uint32_t source, uint32_t dest, uint32_t context, uint32_t tag, uint64_t length,
                     bool synchronous) {
  auto id = static_cast<uint32_t>(messages_.size());
  messages_.push_back(
      {id, source, dest, context, tag, length, synchronous, false, Error::None, kNone, uintr::kNoHandle, false});
  return messages_.back();
}

Receipt& Model::posted(uint32_t rank, uint32_t source, uint32_t context, uint32_t tag, uint64_t capacity,
                       bool allocate) {
  auto id = static_cast<uint32_t>(receipts_.size());
  receipts_.push_back(
      {id, rank, source, context, tag, capacity, allocate, false, Error::None, kNone, uintr::kNoHandle, 0, false});
  return receipts_.back();
}

void Model::end_life(uint32_t rank) {
  for (Receipt& r : receipts_) {
    if (r.rank == rank) r.ended = r.over = true;
  }
  end_life(rank, rank);
}

void Model::end_life(uint32_t rank, uint32_t other) {
  for (Message& m : messages_) {
    const bool between = (m.source == rank && m.dest == other) || (m.source == other && m.dest == rank);
    if (between && m.received_by == kNone) m.ended = m.over = true;
  }
}

bool Model::fits(const Message& m, const Receipt& r) {
  if (m.ended || r.ended) return false;
  return m.dest == r.rank && m.context == r.context && (r.source == kAnySource || r.source == m.source) &&
         (r.tag == kAnyTag || r.tag == m.tag);
}

// A send that failed or was cancelled is not there any more; one that is over
// without error may still lie in the other's memory.
bool Model::could_meet(const Message& m, const Receipt& r) const {
  return fits(m, r) && m.received_by == kNone && r.message == kNone && !r.over && (!m.over || m.error == Error::None);
}

std::string Model::received(uint32_t receipt, const uintr::Completion& c, const unsigned char* bytes) {
  Receipt& r = receipts_[receipt];
  uint64_t got = c.error == Error::NoMemory ? 0 : c.length < r.capacity || r.allocate ? c.length : r.capacity;
  for (Message& m : messages_) {
    if (!fits(m, r) || m.received_by != kNone || m.source != c.source || m.tag != c.tag || m.length != c.length)
      continue;
    uint64_t i = 0;
    while (i < got && bytes[i] == byte(m.id, i)) ++i;
    if (i != got) {
      if (i == 0) continue;  // the first byte tells messages apart
      char why[200];
      std::snprintf(why, sizeof why, "%s got message %u, but byte %llu of %llu is wrong", text(r).c_str(), m.id,
                    static_cast<unsigned long long>(i), static_cast<unsigned long long>(got));
      return why;
    }
    m.received_by = r.id;
    r.message = m.id;
    bool longer = !r.allocate && m.length > r.capacity;
    if (longer != (c.error == Error::Truncated)) return text(r) + ": truncation is reported wrongly";
    return "";
  }
  char why[120];
  std::snprintf(why, sizeof why, " got something nobody sent: source %u tag %u length %llu first byte %u", c.source,
                c.tag, static_cast<unsigned long long>(c.length), got != 0 ? bytes[0] : 0);
  return text(r) + why;
}

// May a receive that was posted before `r`, and failed, have consumed `m`?
bool Model::lost(const Message& m, const Receipt& r) const {
  for (const Receipt& other : receipts_) {
    if (other.id < r.id && fits(m, other) && other.over && other.message == kNone && other.error != Error::Cancelled)
      return true;
  }
  return false;
}

// May a receive that was posted before `r` have had `m`, and have been given up
// when `r` had its message already?
bool Model::handed_back(const Message& m, const Receipt& r) const {
  for (const Receipt& other : receipts_) {
    if (other.id < r.id && r.id < other.given_up && fits(m, other)) return true;
  }
  return false;
}

std::string Model::check(uint32_t dead) const {
  for (const Message& m : messages_) {
    if (m.error == Error::Cancelled && m.received_by != kNone) return text(m) + " was received, and was withdrawn";
  }
  for (const Receipt& r : receipts_) {
    if (r.message == kNone || (dead >> r.rank & 1) != 0) continue;
    const Message& m = messages_[r.message];
    for (const Message& earlier : messages_) {  // A
      if (earlier.id >= m.id || earlier.source != m.source || !fits(earlier, r)) continue;
      if (earlier.over && earlier.error != Error::None) continue;
      if (earlier.received_by == kNone && (dead >> earlier.source & 1) != 0) continue;
      if (earlier.received_by == kNone && lost(earlier, r)) continue;
      if (handed_back(earlier, r)) continue;
      if (earlier.received_by == kNone || earlier.received_by > r.id)
        return text(m) + " overtook " + text(earlier) + " into " + text(r);
    }
    for (const Receipt& first : receipts_) {  // B
      if (first.id >= r.id || first.rank != r.rank || !fits(m, first)) continue;
      if (first.over && first.message == kNone) continue;  // cancelled or failed
      if (first.message == kNone) return text(first) + " was passed over for " + text(r);
    }
  }
  return "";
}

std::string Model::text(const Message& m) const {
  char t[160];
  std::snprintf(t, sizeof t, "message %u (%u to %u, context %u, tag %u, %llu bytes%s)", m.id, m.source, m.dest,
                m.context, m.tag, static_cast<unsigned long long>(m.length), m.synchronous ? ", synchronous" : "");
  return t;
}

std::string Model::text(const Receipt& r) const {
  char t[160];
  std::snprintf(t, sizeof t, "receive %u (at %u, source %d, context %u, tag %d, %llu bytes%s)", r.id, r.rank,
                static_cast<int>(r.source), r.context, static_cast<int>(r.tag),
                static_cast<unsigned long long>(r.capacity), r.allocate ? ", allocated" : "");
  return t;
}

}  // namespace simulator
