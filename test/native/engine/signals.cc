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

}  // namespace

TEST("01 random traffic under real signals") {
  uint64_t seed = 1;
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}, uint32_t{kCopyCma}}) {
    for (uint32_t credit : {1u, 64u}) {
      Options o;
      o.copy_kinds = kinds;
      o.credit_blocks = credit;
      o.eager_limit = 512;
      Traffic::reset();
      as_threads(o, [&](World& w, uint32_t rank) { Traffic(w, rank, {kMessages, seed, 300000}).run(); });
      ++seed;
    }
  }
  CHECK(handled.load() != 0);
}

TEST("02 two threads that only compute still exchange large messages") {
  as_threads({}, [](World& w, uint32_t rank) { exchange_computing(w, rank, 20); });
}

TEST("03 a storm of foreign signals harms nothing") {
  std::atomic<bool> stop{false};
  Options o;
  std::thread storm;
  Traffic::reset();
  as_threads(o, [&](World& w, uint32_t rank) {
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
