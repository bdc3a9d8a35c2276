// One lie at a time, with what exactly comes of it: the pair is lost, what came before stays receivable, and a third rank
// notices nothing. (garbage.cc and the fuzzer lie at random.)
// sources: src-native/engine/*.cc
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

CHECK_MAIN("forged")
