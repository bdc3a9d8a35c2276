#include "member.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "reduction/reduction.h"
#include "rounds/rounds.h"
#include "rounds/talk.h"

namespace kills {

using namespace uintr;

namespace {

bool said(const std::atomic<uint32_t>& ranks, uint32_t rank) { return (ranks.load() >> rank & 1) != 0; }

}  // namespace

void wrong(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
  _exit(1);
}

uint64_t now_us() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000 + static_cast<uint64_t>(t.tv_nsec) / 1000;
}

Member::Member(const Plan& plan, Board* board, uint32_t rank, uint32_t life, int nudge)
    : plan_(plan),
      board_(board),
      rank_(rank),
      life_(life),
      nudge_(nudge),
      random_(Random::of(plan.seed, rank, life, 17)),
      told_gone_(kRanks),
      revived_(kRanks) {}

Member::~Member() {
  if (memory_ != nullptr) munmap(memory_, memory_bytes_);
}

bool Member::join(JoinRequest request, JoinError* error) {
  DriverOptions options;
  options.choice = plan_.driver;
  driver_ = Driver::prepare(options, error);
  if (driver_ == nullptr) wrong(__FILE__, __LINE__, error->message);
  request.tid = static_cast<int32_t>(syscall(SYS_gettid));
  request.driver = driver_->identity();
  request.vector_fd = driver_->vector_fd();
  board_->stage[rank_] = static_cast<uint32_t>(Stage::Joining);
  if (!uintr::join(request, &joined_, error)) {
    driver_.reset();
    return false;
  }
  HOLDS(joined_->rank == rank_);
  memory_bytes_ = round_up(Engine::private_bytes(joined_->geometry), 4096);
  memory_ = mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  HOLDS(memory_ != MAP_FAILED);
  driver_->create(joined_.get());
  Setup setup{};
  setup.geometry = joined_->geometry;
  setup.rank = rank_;
  setup.glance_cycles = 4000;
  setup.handler_cycles = 200'000;
  setup.interrupts = driver_->interrupts();
  setup.interrupt_wakes = driver_->interrupt_wakes();
  setup.world = joined_->world.base();
  setup.peers = joined_->maps.data();
  setup.ports = driver_->ports();
  setup.ports.reduce = uintr_reduce;
  engine_ = Engine::create(memory_, setup);
  driver_->attach(engine_);
  for (uint32_t peer = 0; peer < kRanks; ++peer) told_gone_[peer] = joined_->maps[peer].absent;
  for (uint32_t peer = 0; peer < kRanks; ++peer) board_->sees[rank_][peer] = joined_->peers[peer].pid;
  board_->life[rank_] = life_;
  board_->stage[rank_] = static_cast<uint32_t>(Stage::Joined);
  return true;
}

void Member::post(Op* op, Posted posted) {
  op->posted = posted;
  op->over = posted.handle == kNoHandle;
  if (!op->over) ops_[posted.handle] = op;
}

// What belongs to a round fails as if the rank had not come back.
bool Member::to_another_life(Op* op, uint32_t peer, uint32_t context) {
  if (peer >= kRanks || !revived_[peer] || context < context_of(0, 0)) return false;
  const Cause cause = board_->may_be_gone(peer) ? Cause::Killed : said(board_->closing, peer) ? Cause::Closed : Cause::Exited;
  op->posted = {kNoHandle, {kNoHandle, Error::PeerExited, cause, peer, 0, 0, kNoHeap}};
  op->over = true;
  return true;
}

void Member::send(Op* op, uint32_t dest, uint32_t context, uint32_t tag, const void* data, uint64_t length,
                  bool synchronous, bool lend) {
  if (to_another_life(op, dest, context)) return;
  post(op, engine_->post_send({dest, context, tag, data, length, synchronous, lend, random_.one_in(3)}));
}

void Member::receive(Op* op, uint32_t source, uint32_t context, uint32_t tag, void* data, uint64_t length,
                     bool allocate) {
  if (to_another_life(op, source, context)) return;
  post(op, engine_->post_recv({source, context, tag, data, length, allocate, false, random_.one_in(3)}));
}

void Member::collective(Op* op, Schedule* schedule) { post(op, engine_->post_schedule(schedule)); }

void Member::collect() {
  Completion batch[16];
  uint32_t n;
  while ((n = engine_->drain(batch, 16)) != 0) {
    for (uint32_t i = 0; i < n; ++i) {
      const auto found = ops_.find(batch[i].handle);
      HOLDS(found != ops_.end());  // exactly once
      found->second->posted.completion = batch[i];
      found->second->over = true;
      ops_.erase(found);
    }
    kick_ms_ = 1;
  }
}

// In the order of addon/deliver.cc.
void Member::look(int timeout_ms) {
  pollfd fds[2] = {{joined_->liveness.fd(), POLLIN, 0}, {nudge_, POLLIN, 0}};
  if (timeout_ms != 0) ::poll(fds, 2, timeout_ms);
  const Liveness::Events events = joined_->liveness.drain(0);
  for (const uint32_t peer : events.dead) {
    // SYNC POINT: life. Said before the lifeline hangs up; read after that.
    const Life life = engine_->peer_life(peer);
    const Cause cause = life == Life::Closed ? Cause::Closed : life == Life::Exited ? Cause::Exited : Cause::Killed;
    engine_->peer_gone(peer, cause);
    told_gone_[peer] = true;
  }
  if (!events.dead.empty()) engine_->kick(true);
  if (events.knocked || !events.dead.empty()) answer_door();
}

void Member::answer_door() {
  if (joined_->geometry.elastic == 0) return;
  auto is_gone = [](void* self, uint32_t peer) { return bool{static_cast<Member*>(self)->told_gone_[peer]}; };
  for (bool again = true; again;) {
    again = false;
    for (const uint32_t peer : joined_->answer_door(is_gone, this)) {
      Joined::Returning who{};
      if (!engine_->peer_is_gone(peer) || !joined_->let_in(peer, &who)) continue;
      if (who.failed) {
        again = true;
        continue;
      }
      driver_->replace(peer, joined_.get());
      engine_->revive(peer, joined_->maps[peer], 0);
      told_gone_[peer] = false;
      revived_[peer] = true;
      joined_->admitted(peer);
    }
  }
}

// ---- passing time -------------------------------------------------------------------

void Member::step(bool may_sleep) {
  if (takes_end() && board_->stage_of(rank_) < Stage::Leaving) {
    board_->ended.fetch_add(1);
    leave(false);  // while what others may copy from is still there
    throw Ended();
  }
  // As an I/O callback does: what has ended is looked at before what has come.
  if (random_.one_in(2)) look(0);
  switch (random_.below(8)) {
    case 0:
      engine_->progress(Effort::Call);
      break;
    case 1:
    case 2:
      compute();
      break;
    case 3:
      poll_a_while();
      break;
    case 4:
    case 5:
      block(may_sleep);
      break;
    case 6:
      if (may_sleep) sleep();
      break;
    default:
      look(0);
      engine_->progress(Effort::Idle);
  }
  if (engine_->has_stalled()) engine_->resume_stalled();
  collect();
  keep_talking(this);
  if (board_->asked.load() != 0 && !said_) say_what_is_under_way();
}

void Member::say_what_is_under_way() {
  said_ = true;
  engine_->each_request(
      [](void* self, const RequestView& v) {
        constexpr const char* kKinds[] = {"send", "receive", "collective"};
        constexpr const char* kStates[] = {"queued",  "offered", "posted",  "matched", "active",
                                           "closing", "stalled", "done",    "lent"};
        std::fprintf(stderr, "  rank %u: %s, peer %d, tag %d, context %u, %llu bytes, %s\n",
                     static_cast<Member*>(self)->rank_, kKinds[static_cast<uint32_t>(v.kind)], static_cast<int>(v.peer),
                     static_cast<int>(v.tag), v.context, static_cast<unsigned long long>(v.length),
                     kStates[static_cast<uint32_t>(v.state)]);
      },
      this);
}

// Only handlers run. Now and then for so long that a peer can send, end and be gone meanwhile.
void Member::compute() {
  const uint64_t end = now_us() + (random_.one_in(20) ? 6000 : random_.below(60));
  while (now_us() < end) continue;
}

void Member::poll_a_while() {
  engine_->begin_polling();
  for (int i = 0; i < 50 && !engine_->has_completions(); ++i) engine_->progress(Effort::Idle);
  engine_->resume(false);
}

// As wait() does.
void Member::block(bool may_sleep) {
  engine_->begin_polling();
  while (!engine_->has_completions() && engine_->progress(Effort::Idle)) continue;
  if (!engine_->has_completions() && engine_->prepare_sleep(Attention::Blocked)) {
    look(may_sleep ? kick_ms_ : 1);
    engine_->resume(true);
    if (may_sleep && !engine_->has_completions()) {
      engine_->kick();
      kick_ms_ = std::min(kick_ms_ * 2, 1000);
    }
  }
  engine_->resume(false);
}

// As an event loop does, which nothing but a ring, a death, or an answer that fails to come brings back.
void Member::sleep() {
  engine_->progress(Effort::Idle);
  if (engine_->has_stalled()) engine_->resume_stalled();
  if (engine_->has_completions() || !engine_->prepare_sleep(Attention::Sleeping)) return;
  const bool watch = engine_->unanswered();
  look(watch ? kick_ms_ : -1);
  if (watch && engine_->unanswered()) {
    engine_->kick();
    kick_ms_ = std::min(kick_ms_ * 2, 1000);
  }
  engine_->progress(Effort::Idle);
  engine_->resume(false);
}

// ---- judging ------------------------------------------------------------------------

void Member::judge(const Op& op, uint32_t peer) {
  const Completion& c = op.outcome();
  if (c.error == Error::None) return;
  const std::string what = "a request with rank " + std::to_string(peer) + " ended with error " +
                           std::to_string(static_cast<uint32_t>(c.error)) + ", cause " +
                           std::to_string(static_cast<uint32_t>(c.cause)) + ", of rank " + std::to_string(c.source);
  const bool said_closing = said(board_->closing, peer), said_exiting = said(board_->exiting, peer);
  const bool mortal = board_->may_be_gone(peer);
  if (c.error != Error::PeerExited || c.source != peer) wrong(__FILE__, __LINE__, what);
  const bool possible = c.cause == Cause::Killed   ? mortal
                        : c.cause == Cause::Closed ? said_closing || said_exiting
                        : c.cause == Cause::Exited ? said_exiting
                                                   : false;
  if (!possible) wrong(__FILE__, __LINE__, what);
}

// ---- the end ------------------------------------------------------------------------

void Member::leave(bool close) {
  board_->stage[rank_] = static_cast<uint32_t>(Stage::Leaving);
  (close ? board_->closing : board_->exiting).fetch_or(1u << rank_);
  if (close)
    engine_->begin_close();
  else
    engine_->abandon(Error::PeerExited);
  until([this] { return engine_->quiescent(); });
  engine_->publish_life(close ? Life::Closed : Life::Exited);
  driver_->detach();
  engine_ = nullptr;
  ops_.clear();
  driver_.reset();
  joined_.reset();
  board_->stage[rank_] = static_cast<uint32_t>(Stage::Left);
}

}  // namespace kills
