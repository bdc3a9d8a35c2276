// Collective operations of a rank's program: sums of 32-bit integers, values from a root, and waiting for each other.
#include <cstring>

#include "rank.h"

namespace simulator {

using namespace uintr;

namespace {
int32_t value(uint32_t rank, uint32_t tag, uint64_t i) {
  return static_cast<int32_t>((rank + 1) * 100000 + tag * 1000 + i);
}

int32_t expected(const World::CollectiveRun& run, uint32_t ranks, uint64_t i) {
  if (run.operation == Operation::Bcast) return value(run.root, run.tag, i);
  int32_t sum = 0;
  for (uint32_t rank = 0; rank < ranks; ++rank) sum += value(rank, run.tag, i);
  return sum;
}
}  // namespace

size_t Rank::iallreduce(uint64_t elements, uint32_t tag) {
  const uint32_t ranks = world_->settings().ranks;
  return collective({rank_, tag, ranks == 2 ? Operation::Halves : elements < 64 ? Operation::Doubling : Operation::Ring,
                     0, elements, kNoHandle});
}

size_t Rank::ibcast(uint64_t elements, uint32_t root, uint32_t tag) {
  return collective({rank_, tag, Operation::Bcast, root, elements, kNoHandle});
}

size_t Rank::ibarrier(uint32_t tag) { return collective({rank_, tag, Operation::Barrier, 0, 0, kNoHandle}); }

size_t Rank::collective(World::CollectiveRun run) {
  const uint32_t ranks = world_->settings().ranks;
  const uint64_t length = run.elements * 4;
  const uint32_t called[] = {static_cast<uint32_t>(run.operation), run.root, static_cast<uint32_t>(run.elements)};
  Collective& c = collectives_.emplace_back();
  c.run = run;
  bool in_heap = false;
  for (unsigned char*& at : c.buffers) at = buffer(length, &in_heap);
  c.called = buffer(sizeof called * (1 + kMostChecks), &in_heap);
  auto [own, other, sum] = c.buffers;
  machine().fence();
  std::memcpy(c.called, called, sizeof called);
  for (uint64_t i = 0; i < run.elements; ++i) {
    const int32_t v = value(rank_, run.tag, i);
    std::memcpy(own + 4 * i, &v, 4);
  }
  for (unsigned char* at : c.buffers) world_->buffers.lend(at, Buffers::Use::Work);
  world_->buffers.lend(c.called, Buffers::Use::Work);
  const bool checked = run.operation != Operation::Halves;
  c.steps = steps_of(run.operation, {rank_, ranks, run.root, run.elements, own, other, sum, checked ? c.called : nullptr,
                                     c.called + sizeof called, sizeof called});
  c.schedule.steps = c.steps.data();
  c.schedule.count = static_cast<uint32_t>(c.steps.size());
  c.schedule.context = 9;
  c.schedule.tag = run.tag;
  ++unfinished_;
  machine().trace("collective %u begins", run.tag);
  const size_t begun = world_->begin_collective(run);
  Posted posted = engine()->post_schedule(&c.schedule);
  c.handle = posted.handle;
  if (posted.handle == kNoHandle)
    complete(c, posted.completion);
  else
    world_->posted_collective(begun, posted.handle);
  return collectives_.size() - 1;
}

void Rank::cancel_collective(size_t index) {
  Collective& c = collectives_[index];
  if (c.over) return;
  machine().trace("cancel collective %zu", index);
  world_->spoil_collective(c.run.tag);
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
  const World::CollectiveRun& run = c.run;
  machine().trace("collective %u is over: error %u", run.tag, static_cast<unsigned>(out.error));
  bool allowed = false, left = world_->settings().closing;
  for (uint32_t i = 0; i < world_->settings().ranks; ++i) left |= world_->left_ever(i);
  switch (out.error) {
    case Error::None:
      allowed = !c.cancelled;
      break;
    case Error::Cancelled:
      allowed = c.cancelled;
      break;
    case Error::PeerExited:
      allowed = out.source != rank_ && out.cause != Cause::None && (world_->settings().closing || world_->left_ever(out.source));
      break;
    case Error::Closed:
      allowed = closing_;
      break;
    case Error::Timeout:
      // Its own end, or that of one with which it was in the midst of a message.
      allowed = abandoned_;
      break;
    case Error::Mismatch:
      // One who gives it up takes back what nobody has matched, and others may see a later message of his first.
      allowed = world_->disagreed(run) || world_->collective_spoilt(run.tag) || left || world_->refused();
      break;
    case Error::CopyFailed:
      allowed = world_->settings().refuses;
      break;
    default:
      break;
  }
  if (!allowed) machine().fail("collective %u ended with error %u", run.tag, static_cast<unsigned>(out.error));
  if (out.error != Error::None) world_->spoil_collective(run.tag);
  if (out.error == Error::None) {
    if (!world_->begun_by_all(run)) machine().fail("collective %u ended before all had begun it", run.tag);
    const uint32_t ranks = world_->settings().ranks;
    const unsigned char* result = c.buffers[run.operation == Operation::Bcast ? 0 : 2];
    for (uint64_t i = 0; i < run.elements; ++i) {
      int32_t got;
      machine().look(&got, result + 4 * i, 4);
      if (got != expected(run, ranks, i)) {
        machine().fail("collective %u: element %llu is %d", run.tag, static_cast<unsigned long long>(i), got);
      }
    }
  }
  for (unsigned char* at : c.buffers) world_->buffers.give_back(at);
  world_->buffers.give_back(c.called);
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

bool World::begun_by_all(const CollectiveRun& run) const {
  uint32_t begun = 0;
  for (const CollectiveRun& other : collectives_) {
    if (other.tag == run.tag && other.operation == run.operation) begun |= 1u << other.rank;
  }
  return begun == (1u << settings_.ranks) - 1;
}

bool World::disagreed(const CollectiveRun& run) const {
  for (const CollectiveRun& other : collectives_) {
    if (other.tag == run.tag &&
        (other.operation != run.operation || other.root != run.root || other.elements != run.elements))
      return true;
  }
  return false;
}

// An operation that all ranks have begun, and that nobody has given up, ends by
// itself on all of them. Empty, or which does not.
std::string World::unfinished_collective() const {
  for (const CollectiveRun& c : collectives_) {
    bool left = has_refused_;
    for (uint32_t i = 0; i < settings_.ranks; ++i) left |= deaf(i);
    if (left || collective_spoilt(c.tag) || !begun_by_all(c)) continue;
    if (state_of(c.rank, c.handle) != RequestView::State::Done)
      return "collective " + std::to_string(c.tag) + " does not end on rank " + std::to_string(c.rank);
  }
  return "";
}

}  // namespace simulator
