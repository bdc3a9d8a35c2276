#include "schedules.h"

#include <cstddef>

#include "engine/schedule.h"

namespace simulator {

using namespace uintr;
using Kind = ScheduleStep::Kind;

namespace {

constexpr uint32_t kAdd = 5 * 16;  // of 32-bit integers

// Steps by round. Within one: local operations named before its first message, receives, sends, the others.
class Rounds {
 public:
  void send(uint32_t peer, const unsigned char* from, uint64_t length) {
    last().push_back({Kind::Send, peer, nullptr, from, length, 0, 0});
  }
  void receive(uint32_t peer, unsigned char* to, uint64_t length) {
    last().push_back({Kind::Receive, peer, to, nullptr, length, 0, 0});
  }
  void copy(unsigned char* to, const unsigned char* from, uint64_t length) {
    last().push_back({Kind::Copy, 0, to, from, length, 0, 0});
  }
  void reduce(unsigned char* to, const unsigned char* from, uint64_t length) {
    last().push_back({Kind::Reduce, 0, to, from, length, kAdd, 0});
  }
  void next() { rounds_.emplace_back(); }

  std::vector<ScheduleStep> flat(const Part& p) {
    uint32_t checks = 0;
    while (p.called != nullptr && (1u << checks) < p.size) ++checks;
    while (rounds_.size() < checks) next();
    std::vector<ScheduleStep> all;
    for (uint32_t i = 0; i < rounds_.size(); ++i) {
      const std::vector<ScheduleStep>& round = rounds_[i];
      size_t first = 0;
      while (first < round.size() && is_local(round[first])) ++first;
      if (first == round.size()) first = 0;  // none: others wait for what is checked
      all.insert(all.end(), round.begin(), round.begin() + static_cast<ptrdiff_t>(first));
      const uint32_t apart = 1u << i;
      if (i < checks) {
        all.push_back({Kind::Receive, (p.rank + p.size - apart % p.size) % p.size, p.heard + i * p.called_bytes,
                       p.called, p.called_bytes, 0, p.called_bytes});
      }
      for (const ScheduleStep& s : round) if (s.kind == Kind::Receive) all.push_back(s);
      if (i < checks) all.push_back({Kind::Send, (p.rank + apart) % p.size, nullptr, p.called, p.called_bytes, 0, 0});
      for (const ScheduleStep& s : round) if (s.kind == Kind::Send) all.push_back(s);
      for (size_t at = first; at < round.size(); ++at) if (is_local(round[at])) all.push_back(round[at]);
      all.push_back({Kind::End, 0, nullptr, nullptr, 0, 0, 0});
    }
    return all;
  }

 private:
  static bool is_local(const ScheduleStep& s) { return s.kind == Kind::Copy || s.kind == Kind::Reduce; }
  std::vector<ScheduleStep>& last() { return rounds_.back(); }
  std::vector<std::vector<ScheduleStep>> rounds_{1};
};

void halves(Rounds& s, const Part& p) {
  const uint64_t length = p.elements * 4, half = p.elements / 2 * 4;
  const uint32_t peer = 1 - p.rank;
  s.copy(p.sum, p.own, length);
  s.receive(peer, p.other, half);
  s.send(peer, p.own, half);
  s.next();
  s.reduce(p.sum, p.other, half);
  s.receive(peer, p.other + half, length - half);
  s.send(peer, p.own + half, length - half);
  s.next();
  s.reduce(p.sum + half, p.other + half, length - half);
}

// Of the lowest ranks one of each pair gives its vector to the other first, and gets the result in the end.
void doubling(Rounds& s, const Part& p) {
  const uint64_t length = p.elements * 4;
  uint32_t places = 1;
  while (2 * places <= p.size) places *= 2;
  const uint32_t pairs = p.size - places;
  const bool paired = p.rank < 2 * pairs, gives = paired && p.rank % 2 == 0;
  const uint32_t partner = p.rank ^ 1, place = paired ? p.rank / 2 : p.rank - pairs;
  s.copy(p.sum, p.own, length);
  if (gives) s.send(partner, p.sum, length);
  if (paired && !gives) s.receive(partner, p.other, length);
  if (pairs != 0) s.next();
  if (paired && !gives) s.reduce(p.sum, p.other, length);
  for (uint32_t have = 1; have < places; have *= 2, s.next()) {
    if (gives) continue;
    const uint32_t to = place ^ have, peer = to >= pairs ? to + pairs : 2 * to + 1;
    s.send(peer, p.sum, length);
    s.receive(peer, p.other, length);
    s.next();
    s.reduce(p.sum, p.other, length);
  }
  if (gives) s.receive(partner, p.sum, length);
  if (paired && !gives) s.send(partner, p.sum, length);
}

void ring(Rounds& s, const Part& p) {
  const uint32_t right = (p.rank + 1) % p.size, left = (p.rank + p.size - 1) % p.size;
  auto begin = [&](uint32_t block) { return p.elements * (block % p.size) / p.size * 4; };
  auto bytes = [&](uint32_t block) { return p.elements * (block % p.size + 1) / p.size * 4 - begin(block); };
  s.copy(p.sum, p.own, p.elements * 4);
  for (uint32_t i = 0; i + 1 < p.size; ++i) {
    const uint32_t given = p.rank + p.size - i, kept = given - 1;
    s.send(right, p.sum + begin(given), bytes(given));
    s.receive(left, p.other, bytes(kept));
    s.next();
    s.reduce(p.sum + begin(kept), p.other, bytes(kept));
  }
  for (uint32_t i = 0; i + 1 < p.size; ++i) {
    const uint32_t given = p.rank + 1 + p.size - i, got = given - 1;
    s.send(right, p.sum + begin(given), bytes(given));
    s.receive(left, p.sum + begin(got), bytes(got));
    s.next();
  }
}

void bcast(Rounds& s, const Part& p) {
  const uint64_t length = p.elements * 4;
  if (length == 0) return;
  const uint32_t position = (p.rank + p.size - p.root) % p.size;
  for (uint32_t have = 1; have < p.size; have *= 2, s.next()) {
    if (position < have && position + have < p.size) s.send((position + have + p.root) % p.size, p.own, length);
    if (position >= have && position < 2 * have) s.receive((position - have + p.root) % p.size, p.own, length);
  }
}

}  // namespace

std::vector<ScheduleStep> steps_of(Operation operation, const Part& part) {
  Rounds rounds;
  switch (operation) {
    case Operation::Halves:
      halves(rounds, part);
      break;
    case Operation::Doubling:
      doubling(rounds, part);
      break;
    case Operation::Ring:
      ring(rounds, part);
      break;
    case Operation::Bcast:
      bcast(rounds, part);
      break;
    case Operation::Barrier:
      break;
  }
  return rounds.flat(part);
}

}  // namespace simulator
