// Two ranks that are two threads, interrupted by real signals at any
// instruction, with the two steps of a user interrupt done in memory (signalled.h).
// sources: src-native/engine/*.cc
#include "signalled.h"
#include "traffic.h"

using namespace test;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kMessages = 100;
#else
constexpr uint32_t kMessages = 1000;
#endif

template <class Body>
void two_threads(const Options& o, Body body) {
  Options options = o;
  options.interrupt = &signal_peer;
  World w(options);
  signalled(w);
  Traffic::reset();
  std::atomic<uint32_t> ready{0};
  auto run = [&](uint32_t rank) {
    enter(rank);
    ready.fetch_add(1);
    while (ready.load() != 2) usleep(100);
    body(w, rank);
    leave();
  };
  std::thread other(run, 1);
  run(0);
  other.join();
}

}  // namespace

TEST("01 random traffic under real signals") {
  uint64_t seed = 1;
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}, uint32_t{kCopyCma}}) {
    for (uint32_t credit : {1u, 64u}) {
      Options o;
      o.copy_kinds = kinds;
      o.credit_blocks = credit;
      o.eager_limit = 512;
      two_threads(o, [&](World& w, uint32_t rank) { Traffic(w, rank, {kMessages, seed, 300000}).run(); });
      ++seed;
    }
  }
  CHECK(handled.load() != 0);
}

TEST("02 two threads that only compute still exchange large messages") {
  Options o;
  two_threads(o, [](World& w, uint32_t rank) {
    for (uint32_t round = 0; round < 20; ++round) {
      auto out = pattern(4 << 20, round + rank);
      std::vector<unsigned char> in(out.size());
      Posted r = w[rank].recv(1 - rank, in.data(), in.size(), round);
      Posted s = w[rank].send(1 - rank, out.data(), out.size(), round);
      // Computes until both are over, as seen without looking into the engine's
      // rings: only handlers bring them on. The last Fin needs one look.
      for (uint64_t i = 0; !(w[rank].over(s) && w[rank].over(r)); ++i) {
        volatile uint64_t work = 0;
        for (int k = 0; k < 20000; ++k) work = work + static_cast<uint64_t>(k);
        w[rank].collect();
        if (i % 64 == 63) w[rank].progress(Effort::Call);
      }
      CHECK(in == pattern(4 << 20, round + 1 - rank));
    }
  });
}

TEST("03 a storm of foreign signals harms nothing") {
  std::atomic<bool> stop{false};
  Options o;
  std::thread storm;
  two_threads(o, [&](World& w, uint32_t rank) {
    if (rank == 0) {
      storm = std::thread([&stop] {
        while (!stop.load()) {
          for (uint32_t r : {0u, 1u}) pthread_kill(threads[r], SIGURG);
          usleep(30);
        }
      });
    }
    Traffic(w, rank, {kMessages / 2, 99, 300000}).run();
    if (rank == 0) {
      stop = true;
      storm.join();
    } else {
      while (!stop.load()) usleep(100);
    }
  });
}

CHECK_MAIN("engine/signals")
