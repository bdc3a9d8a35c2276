// Two ranks that are two threads, with random traffic: what the thread
// sanitizer is for. Interrupts are taken where a thread asks for them.
// sources: src-native/engine/*.cc
#include "traffic.h"

using namespace test;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kMessages = 150;
#else
constexpr uint32_t kMessages = 1500;
#endif

void traffic(const Options& o, uint64_t seed) {
  World w(o);
  Traffic::reset();
  Plan plan{kMessages, seed, 300000};
  Traffic a(w, 0, plan), b(w, 1, plan);
  std::thread other([&b] { b.run(); });
  a.run();
  other.join();
  for (uint32_t i : {0u, 1u}) CHECK_EQ(w[i].queues().slots_used, 0u);
}

}  // namespace

TEST("01 random traffic between two threads, by every copy and geometry") {
  uint64_t seed = 1;
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}, uint32_t{kCopyCma}}) {
    for (uint32_t ring : {4096u, 65536u}) {
      for (uint32_t credit : {2u, 64u}) {
        Options o;
        o.copy_kinds = kinds;
        o.ring_bytes = ring;
        o.credit_blocks = credit;
        o.eager_limit = 1024;
        traffic(o, seed++);
      }
    }
  }
}

TEST("02 the same without interrupts, and with interrupts that wake nobody") {
  Options o;
  o.interrupts = false;
  traffic(o, 100);
  o.interrupts = true;
  o.interrupt_wakes = false;
  traffic(o, 101);
}

TEST("03 the same with slices of one chunk, and with few request slots") {
  Options o;
  o.slice_bytes = 1;
  o.max_requests = 32;
  traffic(o, 200);
}

CHECK_MAIN("engine/threads")
