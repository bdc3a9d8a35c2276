// Blocking waits. One slice is short, and JavaScript re-enters it, because nothing else of this thread runs meanwhile:
// not a worker's termination, not process.exit().
#include <sched.h>
#include <uv.h>

#include <algorithm>

#include "addon/world.h"

namespace uintr {
namespace {

// Where there is something to look after that rings no bell; JavaScript says how long a slice is otherwise.
constexpr double kSliceMs = 50;
constexpr uint64_t kUs = 1000, kMs = 1'000'000;  // in ns
// Long enough for a peer that is at it anyway to answer; what follows costs two system calls and a wake-up.
constexpr uint64_t kSpinNs = 50 * kUs, kCrowdedSpinNs = 2 * kUs;
// A peer that is late by this much may be waiting for this very processor; from then on each look offers it.
constexpr uint64_t kYieldAfterNs = 4 * kUs;
constexpr uint64_t kFirstKickNs = kFirstKickMs * kMs, kLastKickNs = kLastKickMs * kMs;
constexpr int kGlance = 48, kGather = 32;  // looks: one or two microseconds
constexpr uint32_t kRefuse = 8;  // waits, after one in which it was no use
constexpr int kTriesPerLook = 16;  // a clock costs as much as a few looks at shared memory

// How many processors the ranks of a world may run on between them. Each one's own affinity says too little: ranks that
// are pinned to one processor each do not share any.
uint32_t processors(const std::vector<Peer>& peers) {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const Peer& peer : peers) {
    cpu_set_t set;
    if (peer.pid != 0 && sched_getaffinity(peer.tid, sizeof set, &set) == 0) CPU_OR(&all, &all, &set);
  }
  return static_cast<uint32_t>(CPU_COUNT(&all));
}

}  // namespace

bool World::crowded() {
  if (crowded_ < 0) crowded_ = joined_->geometry.size > processors(joined_->peers);
  return crowded_ != 0;
}

// Looks a few times, and tells nobody: where messages answer each other at once that is all there is to a wait, and to
// say that this rank looks, and then that it does not, costs both ends a cache line each time. Unsaid, an envelope sends an
// interrupt; then it is said again for a while. Not for long messages, which the peer need not copy alone, nor interrupt
// for, if it knows. True: something is there.
bool World::glance() {
  if (glances_refused_ != 0 && --glances_refused_ != 0) return false;
  const uint64_t interrupts = engine_->interrupts_handled();
  for (int i = 0; i < kGlance && !has_news(); ++i) {
    if (advance(Effort::Idle)) break;
    arch::relax();
  }
  if (!has_news() || engine_->interrupts_handled() != interrupts) glances_refused_ = kRefuse;
  if (!has_news()) return false;
  kick_after_ = 0;
  wait_pace_.at_once();
  return true;
}

// Something is there; more of what is outstanding may be just behind it, and to hand over many costs little more than to
// hand over one. Waits for it no longer than that is worth.
void World::gather() {
  const auto wanted = std::min<uint32_t>(static_cast<uint32_t>(exchange_->active), kBatch);
  uint32_t have = engine_->completions();
  if (have >= wanted || (gathers_refused_ != 0 && --gathers_refused_ != 0)) return;
  const uint32_t before = have;
  for (int i = 0; i < kGather && have < wanted; ++i) {
    // Not while larger things are under way, which take longer.
    if (engine_->copying() || advance(Effort::Idle)) return;
    if (engine_->completions() != have) {
      have = engine_->completions();
      i = 0;
    } else {
      arch::relax();
    }
  }
  if (have == before) gathers_refused_ = kRefuse;
}

uint32_t World::wait_slice(double ms) {
  if (engine_ == nullptr) return 0;
  const bool after_long = habit_.posted();
  if (after_long) habit_.came(arch::cycles());
  exchange_->stalled = 0;
  collected_ = false;
  // Finalizers run from the event loop only, and others may wait for what this rank has borrowed.
  if (!loans_.empty()) reclaim();
  if (!has_news()) relieve_stalled();
  const bool stalled = engine_->waits_for_memory();  // already, and nothing could be done about it
  if (has_news() || (!after_long && !engine_->transferring() && glance())) {
    gather();
    return take_batch();
  }
  uint64_t now = uv_hrtime();
  if (stalled || !loans_.empty()) ms = std::min(ms, kSliceMs);
  const uint64_t end = now + static_cast<uint64_t>(std::max(ms, 0.0) * 1e6);
  const bool first = kick_after_ == 0;  // slice of a wait; a later one has slept already, and need not spin again
  if (first) {
    kick_after_ = kFirstKickNs;
    kick_at_ = now + kick_after_;
  }
  const uint64_t brisk = first ? wait_pace_.idle(now) : 0;
  const bool offering = !crowded() || offer_.worthwhile();
  const uint64_t spin = offering ? std::max(kSpinNs, brisk) : kCrowdedSpinNs;
  engine_->begin_polling();
  uint64_t spin_until = first ? now + spin : 0;
  uint64_t to_give = spin;
  const uint64_t yield_from = crowded() ? now : now + kYieldAfterNs;
  uint64_t copied = engine_->pieces_copied();
  for (;;) {
    bool more = false;
    for (int i = 0; i < kTriesPerLook && !has_news() && !more; ++i) {
      more = advance(Effort::Idle);
      if (!more) arch::relax();
    }
    if (has_news()) break;
    // Not sooner: of a wait as short as that, the two readings of the clock would be a good part.
    engine_->record_turn(Attention::Polling);
    now = uv_hrtime();
    // Copying takes its time; what the spin bounds is the wait after it, for the other end's last chunk.
    const bool moving = more || engine_->pieces_copied() != copied;
    copied = engine_->pieces_copied();
    if (moving) {
      spin_until = now + spin;
      kick_at_ = now + kick_after_;
    }
    if (now >= end) break;
    if (now >= kick_at_) {
      engine_->kick();
      kick_after_ = std::min(kick_after_ * 2, kLastKickNs);
      kick_at_ = now + kick_after_;
    }
    if (now < spin_until) {
      if (!moving && offering && now >= yield_from) {
        sched_yield();
        const uint64_t away = uv_hrtime() - now;
        // Meanwhile this rank looked at nothing, so that is not what the spin bounds; but others may compute for long,
        // if only for short times one after another.
        if (offer_.took(away)) {
          const uint64_t more_time = std::min(away, to_give);
          spin_until += more_time;
          to_give -= more_time;
        }
      }
      continue;
    }
    if (!stalled && engine_->waits_for_memory()) break;  // the next slice begins with what helps it
    // SYNC POINT: attention. Peers read Blocked, or this look sees what they published before they read it.
    if (!engine_->prepare_sleep(Attention::Blocked)) continue;
    uint64_t until = std::min(end, kick_at_);
    look_around(static_cast<int>((until - now + kMs - 1) / kMs));
    engine_->resume(true);
    check_driver();
    now = uv_hrtime();
    spin_until = 0;  // once it has slept it need not spin: whoever has news rings
  }
  // Deaths show only here when there is always something to copy.
  if (!has_news())
    look_around(0);
  else
    gather();
  engine_->resume(false);
  if (has_news()) {
    kick_after_ = 0;
    wait_pace_.arrived(now);
  }
  exchange_->stalled = stalled && engine_->waits_for_memory() ? 1 : 0;
  return take_batch();
}

}  // namespace uintr
