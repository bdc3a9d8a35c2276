#include "programs.h"

#include <set>
#include <string>

namespace simulator {

using namespace uintr;

namespace {

enum class Do : uint8_t { Send, Receive, Cancel, GiveUp, Probe, Test, WaitOne, WaitAll, Loop, Compute, Callback, Collective };

struct Operation {
  Do what;
  uint32_t peer, tag, context;
  uint64_t length;
  uint32_t request;  // Cancel, GiveUp, WaitOne: modulo what was posted
  bool synchronous, allocate, in_heap, lend, abrupt;
  uint32_t spins;
};

struct Program {
  std::vector<Operation> ranks[kMaxRanksHere];
  uint32_t closes = 0, abandons = 0;  // bit per rank
};

Settings random_settings(Random& random) {
  Settings s;
  s.max_requests = 32;  // a collective operation takes some for its messages
  s.ranks = random.one_in(3) ? 3 : 2;
  s.driver = random.one_in(8) ? Driver::Poll : random.one_in(3) ? Driver::Uintr : Driver::Signal;
  static constexpr uint32_t kKinds[] = {kCopyDirect,
                                        kCopyDirect | kCopyPipeline,
                                        kCopyHeap | kCopyPipeline,
                                        kCopyPipeline,
                                        kCopyCma | kCopyPipeline,
                                        kCopyCma | kCopyHeap | kCopyPipeline};
  s.copy_kinds = kKinds[random.below(6)];
  if (random.one_in(4)) {
    for (uint32_t& kinds : s.kinds_of) kinds = kKinds[2 + random.below(4)];
  }
  s.refuses = random.one_in(8);
  static constexpr uint32_t kLimits[] = {0, 64, 200, 256};
  s.eager_limit = kLimits[random.below(4)];
  static constexpr uint32_t kRings[] = {1024, 1024, 2048, 16384};
  s.ring_bytes = kRings[random.below(4)];
  s.credit_blocks = 1 + random.below(6);
  static constexpr uint64_t kHeaps[] = {2048, 8192, 32768};
  s.heap_bytes = kHeaps[random.below(3)];
  s.heap_committable = random.one_in(3) ? s.heap_bytes / 2 : s.heap_bytes;
  static constexpr uint32_t kSlices[] = {0, 1, 128, 1024};
  s.slice_bytes = kSlices[random.below(4)];
  s.foreign_interrupts = random.one_in(4);
  if (random.one_in(5)) s.mortal = 1u << random.below(s.ranks);
  s.executes = random.one_in(3);
  // Of three ranks two or all may be threads of a process.
  static constexpr uint32_t kProcesses[] = {3, 5, 6, 7};
  if (random.one_in(3)) s.process = s.ranks == 3 ? kProcesses[random.below(4)] : 3;
  s.closing = random.one_in(6);
  return s;
}

uint64_t random_length(Random& random, const Settings& s) {
  switch (random.below(8)) {
    case 0:
      return random.below(3);
    case 1:
      return s.eager_limit - (s.eager_limit != 0 ? random.below(2) : 0);
    case 2:
      return s.eager_limit + random.below(2);
    case 3:
      return 256 + random.below(3);  // one chunk or two
    case 4:
      return 200 + random.below(400);
    case 5:
      return 1000 + random.below(1500);
    default:
      return random.below(300);
  }
}

Program random_program(Random& random, const Settings& s) {
  Program p;
  uint32_t tags = 1 + random.below(3), contexts = random.one_in(4) ? 2 : 1;
  bool wildcards = !random.one_in(3), allocates = random.one_in(3), heap = random.one_in(3);
  bool cancels = random.one_in(3), self = random.one_in(5), synchronous = random.one_in(3);
  uint32_t messages = 1 + random.below(random.one_in(4) ? 12 : 5);

  std::set<uint64_t> lengths;
  // Buffers in the heap lie there until their request is over; if they left no
  // room for a receive without a buffer, it would rightly wait for ever.
  uint64_t heap_left = s.heap_bytes >= 32768 ? s.heap_bytes / 4 : 0;
  auto take_heap = [&](uint64_t bytes) {
    bool takes = heap && random.one_in(2) && bytes <= heap_left;
    if (takes) heap_left -= bytes;
    return takes;
  };

  // First what is sent, and a receive for each, so that most find each other.
  for (uint32_t i = 0; i < messages; ++i) {
    uint32_t from = random.below(s.ranks), to = random.below(s.ranks);
    if (from == to && !self) to = (from + 1) % s.ranks;
    Operation send{};
    send.what = Do::Send;
    send.peer = to;
    send.tag = random.below(tags);
    send.context = random.below(contexts);
    send.length = random_length(random, s);
    // No two of the same length: a truncated receive tells its message by it.
    while (lengths.count(send.length) != 0) ++send.length;
    lengths.insert(send.length);
    send.synchronous = synchronous && random.one_in(2);
    send.in_heap = take_heap(send.length);
    Operation receive = send;
    receive.what = Do::Receive;
    receive.peer = wildcards && random.one_in(3) ? kAnySource : from;
    if (wildcards && random.one_in(3)) receive.tag = kAnyTag;
    receive.length = random.one_in(3) ? 2600 : random.one_in(8) ? send.length / 2 : send.length + random.below(3);
    receive.allocate = allocates && random.one_in(2);
    receive.in_heap = !receive.allocate && take_heap(receive.length);
    send.lend = send.in_heap && send.length % 3 != 0;
    auto insert = [&](std::vector<Operation>& list, const Operation& o, bool anywhere) {
      size_t at = anywhere ? random.below(static_cast<uint32_t>(list.size()) + 1) : list.size();
      list.insert(list.begin() + static_cast<ptrdiff_t>(at), o);
    };
    insert(p.ranks[from], send, false);
    insert(p.ranks[to], receive, true);
  }
  // All ranks begin the same collective operations, in one order.
  const uint32_t collectives = random.one_in(3) ? 1 + random.below(3) : 0;
  std::vector<size_t> after(s.ranks, 0);
  for (uint32_t i = 0; i < collectives; ++i) {
    Operation o{};
    o.what = Do::Collective;
    o.tag = i + 1;
    o.peer = random.below(s.ranks);
    o.request = random.below(3);
    static constexpr uint64_t kElements[] = {1, 4, 30, 120, 200};
    o.length = kElements[random.below(5)];
    for (uint32_t rank = 0; rank < s.ranks; ++rank) {
      auto& list = p.ranks[rank];
      const size_t at = after[rank] + random.below(static_cast<uint32_t>(list.size() - after[rank]) + 1);
      list.insert(list.begin() + static_cast<ptrdiff_t>(at), o);
      after[rank] = at + 1;
    }
  }
  // Then what goes on between.
  for (uint32_t rank = 0; rank < s.ranks; ++rank) {
    auto& list = p.ranks[rank];
    for (uint32_t i = random.below(5); i > 0; --i) {
      Operation o{};
      static constexpr Do kBetween[] = {Do::Test,     Do::WaitOne, Do::WaitAll, Do::Loop,  Do::Compute,
                                        Do::Callback, Do::Probe,   Do::GiveUp,  Do::Cancel};
      o.what = kBetween[random.below(cancels ? 9 : 8)];
      o.request = random.below(16);
      o.peer = random.one_in(2) ? kAnySource : random.below(s.ranks);
      o.tag = random.one_in(2) ? kAnyTag : random.below(tags);
      o.context = random.below(contexts);
      o.spins = random.below(3);
      o.abrupt = random.one_in(2);
      size_t at = random.below(static_cast<uint32_t>(list.size()) + 1);
      list.insert(list.begin() + static_cast<ptrdiff_t>(at), o);
    }
    Operation last{};
    last.what = random.one_in(2) ? Do::WaitAll : random.one_in(2) ? Do::Loop : Do::Compute;
    last.spins = random.below(2);
    last.abrupt = random.one_in(2);
    if (!random.one_in(6)) list.push_back(last);
    if (s.closing && random.one_in(2)) {
      (random.one_in(2) ? p.closes : p.abandons) |= 1u << rank;
    }
  }
  return p;
}

void run(Rank& r, const Program& p) {
  for (const Operation& o : p.ranks[r.rank()]) {
    size_t request = r.count() != 0 ? o.request % r.count() : 0;
    switch (o.what) {
      case Do::Send:
        r.isend(o.peer, o.length, {o.tag, o.context, o.synchronous, o.in_heap, o.lend});
        break;
      case Do::Receive:
        r.irecv(o.peer, o.length, {o.tag, o.context, o.allocate, o.in_heap});
        break;
      case Do::Cancel:
        if (r.count() != 0) r.cancel(request);
        break;
      case Do::GiveUp:
        if (r.count() != 0) r.give_up(request);
        break;
      case Do::Probe:
        r.probe(o.peer, o.tag, o.context);
        break;
      case Do::Test:
        r.test();
        r.release(o.spins);
        break;
      case Do::WaitOne:
        if (r.count() != 0) r.wait_one(request, o.spins, o.abrupt);
        break;
      case Do::WaitAll:
        r.wait_all(o.spins, o.abrupt);
        break;
      case Do::Loop:
        r.loop_all();
        break;
      case Do::Compute:
        r.compute();
        break;
      case Do::Callback:
        r.compute_in_callback();
        break;
      case Do::Collective:
        if (o.request == 0) r.iallreduce(o.length, o.tag);
        if (o.request == 1) r.ibcast(o.length, o.peer, o.tag);
        if (o.request == 2) r.ibarrier(o.tag);
        break;
    }
  }
  if ((p.closes >> r.rank() & 1) != 0) {
    r.close();
  } else if ((p.abandons >> r.rank() & 1) != 0) {
    r.abandon();
  } else {
    r.finish();
  }
}

}  // namespace

std::unique_ptr<EngineCase> random_case(uint64_t seed) {
  Random random(seed);
  Settings settings = random_settings(random);
  Program program = random_program(random, settings);
  return std::make_unique<EngineCase>(std::to_string(seed), settings,
                                      [program = std::move(program)](Rank& r) { run(r, program); });
}

}  // namespace simulator
