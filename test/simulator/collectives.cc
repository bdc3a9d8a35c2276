// Collective operations of a rank's program: a sum over two ranks, in two rounds
// with local operations before, between and after them.
#include <cstring>

#include "rank.h"

namespace simulator {

using namespace uintr;
using Kind = ScheduleStep::Kind;

namespace {
int32_t value(uint32_t rank, uint32_t tag, uint64_t i) {
  return static_cast<int32_t>((rank + 1) * 100000 + tag * 1000 + i);
}
}  // namespace

size_t Rank::iallreduce(uint64_t elements, uint32_t tag) {
  const uint64_t length = elements * 4, half = elements / 2 * 4;
  const uint32_t peer = 1 - rank_;
  Collective& c = collectives_.emplace_back();
  bool in_heap = false;
  for (unsigned char*& at : c.buffers) at = buffer(length, &in_heap);
  auto [own, in, sum] = c.buffers;
  machine().fence();
  for (uint64_t i = 0; i < elements; ++i) {
    const int32_t v = value(rank_, tag, i);
    std::memcpy(own + 4 * i, &v, 4);
  }
  world_->buffers.lend(own, Buffers::Use::Work);
  world_->buffers.lend(in, Buffers::Use::Work);
  world_->buffers.lend(sum, Buffers::Use::Work);
  const uint32_t add = 5 * 16;
  const ScheduleStep steps[] = {
      {Kind::Copy, 0, sum, own, length, 0, 0},
      {Kind::Receive, peer, in, nullptr, half, 0, 0},
      {Kind::Send, peer, nullptr, own, half, 0, 0},
      {Kind::End, 0, nullptr, nullptr, 0, 0, 0},
      {Kind::Reduce, 0, sum, in, half, add, 0},
      {Kind::Receive, peer, in + half, nullptr, length - half, 0, 0},
      {Kind::Send, peer, nullptr, own + half, length - half, 0, 0},
      {Kind::End, 0, nullptr, nullptr, 0, 0, 0},
      {Kind::Reduce, 0, sum + half, in + half, length - half, add, 0},
  };
  std::copy(std::begin(steps), std::end(steps), c.steps);
  c.elements = elements;
  c.tag = tag;
  c.schedule.steps = c.steps;
  c.schedule.count = static_cast<uint32_t>(std::size(steps));
  c.schedule.context = 9;
  c.schedule.tag = tag;
  ++unfinished_;
  machine().trace("iallreduce %u", tag);
  Posted posted = engine()->post_schedule(&c.schedule);
  c.handle = posted.handle;
  if (posted.handle == kNoHandle)
    complete(c, posted.completion);
  else
    world_->begin_collective(rank_, tag, posted.handle);
  return collectives_.size() - 1;
}

void Rank::cancel_collective(size_t index) {
  Collective& c = collectives_[index];
  if (c.over) return;
  machine().trace("cancel collective %zu", index);
  world_->spoil_collective(c.tag);
  c.cancelled |= engine()->cancel(c.handle);
}

bool Rank::complete_collective(const Completion& out) {
  for (Collective& c : collectives_) {
    if (c.over || c.handle != out.handle) continue;
    complete(c, out);
    return true;
  }
  return false;
}

void Rank::complete(Collective& c, const Completion& out) {
  c.over = true;
  --unfinished_;
  machine().trace("collective %u is over: error %u", c.tag, static_cast<unsigned>(out.error));
  const bool left = world_->dead_ranks() != 0 || world_->settings().closing;
  bool allowed = false;
  switch (out.error) {
    case Error::None:
      allowed = !c.cancelled;
      break;
    case Error::Cancelled:
      allowed = c.cancelled;
      break;
    case Error::PeerExited:
      allowed = left && out.source == 1 - rank_ && out.cause != Cause::None;
      break;
    case Error::Closed:
      allowed = closing_;
      break;
    case Error::Timeout:
      allowed = abandoned_;
      break;
    default:
      break;
  }
  if (!allowed) machine().fail("collective %u ended with error %u", c.tag, static_cast<unsigned>(out.error));
  if (out.error != Error::None) world_->spoil_collective(c.tag);
  if (out.error == Error::None) {
    for (uint64_t i = 0; i < c.elements; ++i) {
      int32_t got;
      machine().look(&got, c.buffers[2] + 4 * i, 4);
      if (got != value(0, c.tag, i) + value(1, c.tag, i)) {
        machine().fail("collective %u: element %llu is %d", c.tag, static_cast<unsigned long long>(i), got);
      }
    }
  }
  for (unsigned char* at : c.buffers) world_->buffers.give_back(at);
}

// As a real one: for a handler, and on whatever memory the rank sees.
void World::reduce(uint32_t, void* inout, const void* in, uint64_t elements) {
  constexpr uint64_t kMost = 128;
  int32_t a[kMost], b[kMost];
  for (uint64_t at = 0; at < elements; at += kMost) {
    const uint64_t n = elements - at < kMost ? elements - at : kMost;
    auto* to = static_cast<unsigned char*>(inout) + 4 * at;
    sim::copy(a, to, 4 * n);
    sim::copy(b, static_cast<const unsigned char*>(in) + 4 * at, 4 * n);
    for (uint64_t i = 0; i < n; ++i) a[i] += b[i];
    sim::copy(to, a, 4 * n);
  }
}

// An operation that all ranks have begun, and that nobody has given up, ends by
// itself on all of them. Empty, or which does not.
std::string World::unfinished_collective() const {
  for (const CollectiveRun& c : collectives_) {
    uint32_t begun = 0;
    for (const CollectiveRun& other : collectives_) begun += other.tag == c.tag;
    bool left = false;
    for (uint32_t i = 0; i < settings_.ranks; ++i) left |= deaf(i);
    if (begun != settings_.ranks || left || collective_spoilt(c.tag)) continue;
    if (state_of(c.rank, c.handle) != RequestView::State::Done)
      return "collective " + std::to_string(c.tag) + " does not end on rank " + std::to_string(c.rank);
  }
  return "";
}

}  // namespace simulator
