// One lie at a time, with what exactly comes of it: the pair is lost, what came before stays receivable, and a third rank
// notices nothing; or two honest ranks that a third lies to. (garbage.cc and the fuzzer lie at random.)
// sources: src-native/engine/*.cc
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "engine/arch.h"
#include "engine/match.h"
#include "engine/records.h"
#include "world.h"

using namespace test;

namespace {

Options three() {
  Options o;
  o.size = 3;
  return o;
}

// A message of rank 0 has been told to be more than it is; rank 1 has lost it, and rank 2 has not.
void check_lost(World& w) {
  char in = 0, out = 7;
  Posted none = w[1].recv(0, &in, 1);
  w.settle();
  CHECK_EQ(w[1].error(none), Error::Protocol);
  Posted r = w[2].recv(1, &in, 1), s = w[1].send(2, &out, 1);
  w.settle();
  CHECK(w[2].error(r) == Error::None && w[1].error(s) == Error::None && in == 7);
}

}  // namespace

TEST("01 a record of no type, or of one that has no business in its ring") {
  for (uint32_t type : {0u, ~0u, static_cast<uint32_t>(RecordType::Match), static_cast<uint32_t>(RecordType::Fin)}) {
    World w(three());
    char byte = 1;
    w[0].send(1, &byte, 1);
    auto* header = reinterpret_cast<RecordHeader*>(w[0].control->base() + w.layout().data_ring(1));
    CHECK_EQ(static_cast<uint32_t>(header->type), static_cast<uint32_t>(RecordType::Eager));
    header->type = static_cast<RecordType>(type);
    check_lost(w);
  }
}

TEST("02 more than there is credit for, found out when some of it has found room already") {
  constexpr uint32_t kLength = 1400, kBlocks = 3;
  Options o = three();
  o.eager_limit = 2048;
  World w(o);
  auto data = pattern(kLength, 1);
  const uint32_t room = o.credit_blocks / kBlocks;
  CHECK(o.credit_blocks % kBlocks != 0);
  for (uint32_t i = 0; i < room; ++i) w[0].send(1, data.data(), data.size());
  // As if rank 1 had given back what it has not: the sender is honest, and believes it.
  auto* inbound = reinterpret_cast<Inbound*>(w[1].control->base() + w.layout().inbound(0));
  inbound->released_blocks.release(room * kBlocks);
  w[0].send(1, data.data(), data.size());
  w.settle();
  for (uint32_t i = 0; i < room; ++i) {
    std::vector<unsigned char> in(kLength);
    Posted r = w[1].recv(0, in.data(), in.size());
    w.settle();
    CHECK(w[1].error(r) == Error::None && in == data);
  }
  check_lost(w);
}

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kMessages = 100;
#else
constexpr uint32_t kMessages = 600;
#endif

void serve(Rank& me) {
  me.deliver();
  me.progress(Effort::Call);
  std::this_thread::yield();  // there may be fewer processors than threads
}

// Messages from rank 0 to rank 1. Rank `gives_up` cancels its requests at random moments, and rank 2 sets its match words
// back to Open all the while. Whichever end believes it: a buffer is touched by nobody when its request is over (the thread
// sanitizer sees to that), each request ends, and the two stay together.
void talk_while_reopened(uint32_t gives_up, uint32_t kinds) {
  constexpr uint64_t kLongest = 150'000;
  Options o = three();
  o.copy_kinds = kinds;
  World w(o);
  std::atomic<uint32_t> through{0};
  // Mostly it does not look meanwhile, so that it has not heard Match.
  auto cancel_in_a_while = [](Rank& me, const Posted& p, std::mt19937_64& random) {
    const bool looks = random() % 4 == 0;
    for (uint64_t i = random() % 2000; i > 0 && !me.over(p); --i) looks ? serve(me) : arch::relax();
    return me->cancel(p.handle);
  };
  auto check_end = [](Rank& me, const Posted& p, bool cancelled) {
    const Error error = me.error(p);
    CHECK(cancelled ? error == Error::Cancelled : error == Error::None || error == Error::Protocol);
  };
  std::thread sender([&] {
    std::mt19937_64 random(kinds);
    std::vector<unsigned char> out(kLongest);
    for (uint32_t k = 0; k < kMessages; ++k) {
      const uint64_t length = 1 + random() % kLongest;
      std::memset(out.data(), static_cast<int>(k), length);
      const Posted s = w[0].ssend(1, out.data(), length, k % 256);
      const bool cancelled = gives_up == 0 && cancel_in_a_while(w[0], s, random);
      while (!w[0].over(s)) serve(w[0]);
      check_end(w[0], s, cancelled);
    }
    // Who has matched what was withdrawn is told so.
    for (++through; through.load() < 2;) serve(w[0]);
  });
  std::thread receiver([&] {
    std::mt19937_64 random(kinds + 1);
    std::vector<unsigned char> in(kLongest);
    while (through.load() == 0) {
      const Posted r = w[1].recv(0, in.data(), kLongest);
      bool cancelled = gives_up == 1 && cancel_in_a_while(w[1], r, random);
      for (; !w[1].over(r); serve(w[1])) {
        if (!cancelled && through.load() != 0) cancelled = w[1]->cancel(r.handle);
      }
      check_end(w[1], r, cancelled);
      const Completion c = w[1].outcome(r);
      if (c.error == Error::None) {
        for (uint64_t i = 0; i < c.length; ++i) CHECK_EQ(in[i], c.tag);
      }
      std::memset(in.data(), 0xee, kLongest);
    }
    ++through;
  });
  const Layout layout = w.layout();
  while (through.load() < 2) {
    for (uint32_t slot = 0; slot < 2; ++slot) {
      Shared<uint64_t>& word = reinterpret_cast<MatchWord*>(w.world_segment() + layout.match_word(gives_up, slot))->word;
      word.exchange_sc(word.load_sc() >> 32 << 32 | match::Open);
    }
    std::this_thread::yield();
  }
  sender.join();
  receiver.join();
  for (const uint32_t rank : {0u, 1u}) {
    w[rank].collect();
    CHECK_EQ(w[rank].queues().slots_used, 0u);
    CHECK(!w[rank]->peer_is_gone(1 - rank));
  }
}

}  // namespace

TEST("03 match words that a third sets back while the sender withdraws") {
  for (const uint32_t kinds : {kCopyDirect, kCopyCma, kCopyPipeline}) talk_while_reopened(0, kinds);
}

TEST("04 the same of receives that are matched by their sender, and that their receiver cancels") {
  for (const uint32_t kinds : {kCopyDirect, kCopyCma, kCopyPipeline}) talk_while_reopened(1, kinds);
}

CHECK_MAIN("forged")
