// A peer that writes nonsense where others read: whatever it is, an honest rank
// does not crash, does not write outside its own buffers, does not wait in the
// engine, and can still talk to a third rank. Rank 0 is the liar; its control
// segment, the world segment and its heap are set to garbage of all sorts while
// messages are on their way.
// sources: src-native/engine/*.cc
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <random>

#include "liar.h"

using namespace test;

namespace {

using Random = std::mt19937_64;

// A process whose memory may be written to at any address without harm.
pid_t victim() {
  const pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    for (;;) pause();
  }
  return pid;
}

void one_run(uint64_t seed, uint32_t kinds, int32_t pid) {
  Random random(seed);
  Options o = narrow();
  o.heap_bytes = 1 << 20;
  o.copy_kinds = kinds;
  o.pid = pid;
  o.trusts_bitmap = seed % 3 == 0;
  World w(o);
  std::vector<unsigned char> own(100000, 0x33), into(100000, 0x44);
  static const uint64_t kLengths[] = {0, 8, 300, 512, 600, 5000, 70000};
  std::vector<Posted> posted;
  uint64_t lendable[3] = {kNoHeap, kNoHeap, kNoHeap};
  auto length = [&] { return kLengths[random() % 7]; };
  auto act = [&](Rank& r, uint32_t peer) {
    Posted p{kNoHandle, {}};
    switch (random() % 9) {
      case 0:
      case 1:
        p = r.send(peer, own.data(), length(), random() % 2, 0, random() % 2 != 0);
        break;
      case 2:
        p = r.recv(random() % 2 != 0 ? peer : kAnySource, into.data(), length(), random() % 3 != 0 ? kAnyTag : 1);
        break;
      case 3:
        p = r.recv_block(peer);
        break;
      case 4:
        r.progress(static_cast<Effort>(random() % 3));
        break;
      case 5:
        r->on_interrupt();
        break;
      case 6:
        if (lendable[r.rank] == kNoHeap) lendable[r.rank] = r->heap_alloc(5000);
        if (lendable[r.rank] == kNoHeap) break;  // its arena is full
        p = r->post_send({peer, 0, 0, r.heap->base() + lendable[r.rank], 1 + random() % 5000, false, true});
        break;
      case 7:  // a loan, or what was none
        if (!r.outcomes.empty()) r->give_back(std::next(r.outcomes.begin(), random() % r.outcomes.size())->first);
        break;
      default: {
        Envelope e;
        r->probe(kAnySource, 0, kAnyTag, &e);
      }
    }
    if (r.rank == 1 && p.handle != kNoHandle) posted.push_back(p);
  };
  for (int step = 0; step < 30; ++step) {
    uint32_t rank = random() % 3 != 0 ? 1 : 0;
    // The liar's own engine runs only at first: its own state is not at stake.
    if (rank == 0 && step < 12) {
      act(w[0], 1);
    } else {
      act(w[1], random() % 4 != 0 ? 0 : 1);
    }
    if (step > 4 && random() % 2 != 0) spoil(random, w);
    if (step > 4 && random() % 2 != 0) Forger<Random>(random, w, 1).act();
  }
  for (int i = 0; i < 10; ++i) {
    w[1].deliver();
    w[1].progress();
    if (i < 5) spoil(random, w);
  }
  // Rank 1 still talks to itself and to rank 2.
  unsigned char byte = 9, in[2] = {};
  for (auto& p : posted) {
    if (!w[1].over(p) && random() % 2 != 0) w[1]->cancel(p.handle);
  }
  w[1].collect();
  Posted r = w[1].recv(2, &in[0], 1, 12345, 7);
  if (r.handle != kNoHandle || r.completion.error != Error::NoMemory) {
    w[2].send(1, &byte, 1, 12345, 7);
    w.settle(0);
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK_EQ(in[0], 9);
  }
  // And everything ends once the liar is gone.
  if (random() % 2 != 0) w[1]->begin_close();
  w[1]->peer_gone(0, Cause::Killed);
  w[1]->abandon(Error::Timeout);
  w.settle(0);
  // A match word can be made to look as if rank 2 had matched a send; then only
  // rank 2's end tells that it has not.
  w[1]->peer_gone(2, Cause::Killed);
  w[1].collect();
  for (auto& p : posted) {
    if (w[1].over(p)) continue;
    auto show = [](void* seed, const RequestView& v) {
      std::fprintf(stderr, "seed %llu: slot %u %s state %u peer %u\n", *static_cast<unsigned long long*>(seed),
                   handle_slot(v.handle), v.kind == RequestView::Kind::Send ? "send" : "receive",
                   static_cast<unsigned>(v.state), v.peer);
    };
    w[1]->each_request(show, &seed);
    CHECK(!"a request does not end");
  }
  CHECK(w[1]->quiescent());
  CHECK(std::count(own.begin(), own.end(), 0x33) == static_cast<long>(own.size()));  // what is sent is only read
}

}  // namespace

// One thread runs all of it, so that the thread sanitizer, which is slow, has little to find.
#if defined(__SANITIZE_THREAD__)
constexpr uint64_t kRuns = 200;
#else
constexpr uint64_t kRuns = 2000;
#endif

TEST("01 garbage anywhere: no crash, no harm to others, everything ends") {
  for (uint64_t seed = 0; seed < 2 * kRuns; ++seed) {
    one_run(seed, seed % 2 != 0 ? kCopyPipeline : kCopyHeap | kCopyPipeline, static_cast<int32_t>(getpid()));
  }
}

TEST("02 garbage addresses for copies by the kernel end in CopyFailed at worst") {
  pid_t pid = victim();
  CHECK(pid > 0);
  for (uint64_t seed = 10000; seed < 10000 + kRuns; ++seed) one_run(seed, kCopyCma | kCopyPipeline, pid);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST("03 records no engine writes make the pair faulty, with ERR_UINTR_PROTOCOL, and nothing else") {
  World w;
  unsigned char byte = 1, in = 0;
  Posted waits = w[1].recv(0, &in, 1, 5);
  w[0].send(1, &byte, 1, 6);
  spoil_word(*std::make_unique<Random>(1), w[0].control->base() + w.layout().data_ring(1), 4);
  uint32_t huge = 0xffffffe0u;
  std::memcpy(w[0].control->base() + w.layout().data_ring(1), &huge, 4);
  for (int i = 0; i < 3; ++i) w[1].progress();
  CHECK_EQ(w[1].error(waits), Error::Protocol);
  CHECK(w[1]->peer_is_gone(0));
  CHECK_EQ(w[1].send(0, &byte, 1).completion.error, Error::Protocol);
  Posted self = w[1].recv(1, &in, 1);
  w[1].send(1, &byte, 1);
  w[1].progress();
  CHECK_EQ(w[1].error(self), Error::None);
}

TEST("04 a match word set to anything neither hangs nor crashes a transfer") {
  Random random(4);
  for (int run = 0; run < 300; ++run) {
    World w;
    auto out = pattern(1 << 20, 1);
    std::vector<unsigned char> into(out.size());
    Posted s = w[0].send(1, out.data(), out.size());
    if (run % 3 == 0) spoil_word(random, w.world_segment() + w.layout().match_word(0, 0), 8);
    Posted r = w[1].recv(0, into.data(), into.size());
    if (run % 3 != 0) spoil_word(random, w.world_segment() + w.layout().match_word(0, 0), 8);
    for (int i = 0; i < 20; ++i) w[i % 2].deliver(), w[i % 2].progress();
    w[0]->abandon(Error::Timeout);
    w[1]->peer_gone(0, Cause::Killed);
    w[0]->peer_gone(1, Cause::Killed);
    w.settle();
    CHECK(w[0].over(s));
    if (!w[1].over(r)) CHECK(w[1]->cancel(r.handle));
  }
}

// What the other end says that it has claimed is not to end a request twice, nor have it copied to after it has ended.
TEST("05 a request that is over stays over, whatever its peer's claim word says") {
  constexpr uint64_t kChunks = 8;  // of 256 KiB
  for (uint64_t done = 1; done < kChunks; ++done) {
    for (bool receiver : {false, true}) {
      World w;
      auto out = pattern(2 << 20, 1);
      std::vector<unsigned char> into(out.size());
      Posted s = w[0].send(1, out.data(), out.size());
      Posted r = w[1].recv(0, into.data(), into.size());
      // One slice at each end, then the liar says that it has copied another number of chunks than it has.
      const uint32_t honest = receiver ? 1 : 0;
      w[1 - honest].deliver();
      w[1 - honest].progress(Effort::Call);
      auto* lie = reinterpret_cast<PublicSlot*>(w[1 - honest].control->base() + w.layout().slot(0));
      lie->claim.release((lie->claim.acquire() & ~0xffffffffull) | done);
      for (int i = 0; i < 4; ++i) w[honest].deliver(), w[honest].progress();  // collect() wants each once
      w[honest]->abandon(Error::Timeout);
      w[honest]->peer_gone(1 - honest, Cause::Killed);
      w[honest].collect();
      const Error error = w[honest].error(receiver ? r : s);
      CHECK_EQ(w[honest].queues().slots_used, 0u);
      const uint64_t copied = w[honest].counters().pieces_copied;
      CHECK(error == Error::None ? copied == kChunks - done : copied <= kChunks);
      CHECK(w[honest]->quiescent());
    }
  }
}

TEST("06 a message that a third has made look unmatched, and whose send is withdrawn, ends at its receiver too") {
  World w;
  auto out = pattern(2 << 20, 1);
  std::vector<unsigned char> into(out.size());
  Posted s = w[0].send(1, out.data(), out.size());
  Posted r = w[1].recv(0, into.data(), into.size());
  w[1].progress(Effort::Call);  // has it, and says so
  const uint32_t slot = handle_slot(s.handle), generation = handle_generation(s.handle);
  match::open(reinterpret_cast<MatchWord*>(w.world_segment() + w.layout().match_word(0, slot)), generation);
  CHECK(w[0]->cancel(s.handle));
  w.settle();
  CHECK_EQ(w[1].error(r), Error::Protocol);
  CHECK(w[0].over(s));
  CHECK(!w[0]->peer_is_gone(1) && !w[1]->peer_is_gone(0));
  const uint64_t copied = w[1].counters().pieces_copied;
  for (int i = 0; i < 4; ++i) w[1].progress();
  CHECK_EQ(w[1].counters().pieces_copied, copied);
  CHECK(w[0]->quiescent() && w[1]->quiescent());
}

CHECK_MAIN("engine/garbage")
