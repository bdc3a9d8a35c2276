// Single messages, in every way they can travel.
// sources: src-native/engine/*.cc
#include "world.h"

using namespace test;

namespace {

// One message from 0 to 1, the receive posted first or last; checks all of it.
void one(World& w, uint64_t length, bool receive_first, bool synchronous, uint32_t seed) {
  auto data = pattern(length, seed);
  std::vector<unsigned char> into(length + 16, 0xee);
  Posted r{}, s{};
  if (receive_first) r = w[1].recv(0, into.data(), into.size(), 7, 3);
  s = w[0].send(1, data.data(), length, 7, 3, synchronous);
  if (!receive_first) {
    w[1].progress();
    r = w[1].recv(0, into.data(), into.size(), 7, 3);
  }
  w.settle();
  Completion c = w[1].outcome(r), d = w[0].outcome(s);
  CHECK_EQ(c.error, Error::None);
  CHECK_EQ(d.error, Error::None);
  CHECK_EQ(c.source, 0u);
  CHECK_EQ(c.tag, 7u);
  CHECK_EQ(c.length, length);
  CHECK_EQ(d.source, 0u);
  CHECK_EQ(d.tag, 7u);
  CHECK_EQ(d.length, length);
  CHECK(length == 0 || std::memcmp(into.data(), data.data(), length) == 0);
  for (uint64_t i = length; i < into.size(); ++i) CHECK_EQ(into[i], 0xee);
  CHECK_EQ(w[0].queues().slots_used, 0u);
  CHECK_EQ(w[1].queues().slots_used, 0u);
}

const uint64_t kLengths[] = {0,    1,    7,     8,     31,    127,   512,    513,     1023,   1024,
                             1025, 4096, 16384, 65535, 65536, 65537, 262144, 1000001, 3145729};

}  // namespace

TEST("01 every length arrives whole, posted before or after, plain or synchronous, by every copy") {
  for (uint32_t kinds :
       {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, uint32_t{kCopyPipeline}, kCopyCma | kCopyPipeline}) {
    Options o;
    o.copy_kinds = kinds;
    World w(o);
    uint32_t seed = kinds;
    for (uint64_t length : kLengths) {
      for (bool first : {false, true}) {
        for (bool synchronous : {false, true}) one(w, length, first, synchronous, ++seed);
      }
    }
  }
}

TEST("02 a small message is over for its sender at once, and its buffer is free") {
  World w;
  auto data = pattern(1024, 1);
  auto kept = data;
  Posted s = w[0].send(1, data.data(), data.size());
  CHECK_EQ(s.handle, kNoHandle);
  CHECK_EQ(s.completion.error, Error::None);
  std::fill(data.begin(), data.end(), 0);
  std::vector<unsigned char> into(1024);
  Posted r = w[1].recv(0, into.data(), into.size());
  w.settle();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(into == kept);
}

TEST("03 a synchronous send is not over before it is matched") {
  World w;
  unsigned char byte = 9, into = 0;
  Posted s = w[0].ssend(1, &byte, 1);
  w.settle();
  CHECK(!w[0].over(s));
  Posted r = w[1].recv(0, &into, 1);
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK_EQ(into, 9);
}

TEST("04 messages to oneself need no progress of anybody else") {
  World w;
  for (uint64_t length : {0ull, 5ull, 1024ull, 1025ull, 300000ull}) {
    for (bool first : {false, true}) {
      auto data = pattern(length, 4);
      std::vector<unsigned char> into(length);
      Posted r{};
      if (first) r = w[0].recv(0, into.data(), length, 1);
      Posted s = w[0].send(0, data.data(), length, 1);
      if (!first) r = w[0].recv(kAnySource, into.data(), length, kAnyTag);
      w[0].collect();
      for (int i = 0; i < 3; ++i) w[0].progress();
      CHECK_EQ(w[0].error(s), Error::None);
      CHECK_EQ(w[0].error(r), Error::None);
      CHECK(into == data);
    }
  }
  CHECK_EQ(w[1].interrupted.load(), 0u);
}

TEST("05 a world of one rank talks to itself") {
  Options o;
  o.size = 1;
  World w(o);
  auto data = pattern(100000, 2);
  std::vector<unsigned char> into(data.size());
  Posted s = w[0].ssend(0, data.data(), data.size());
  Posted r = w[0].recv(kAnySource, into.data(), into.size());
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[0].error(r), Error::None);
  CHECK(into == data);
}

TEST("06 a message longer than the buffer is truncated, and tells its whole length") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    Options o;
    o.copy_kinds = kinds;
    World w(o);
    for (uint64_t length : {10ull, 1024ull, 2000ull, 500000ull}) {
      for (bool first : {false, true}) {
        for (uint64_t room : {uint64_t{0}, uint64_t{1}, length / 2, length - 1}) {
          auto data = pattern(length, 6);
          std::vector<unsigned char> into(room + 8, 0xee);
          Posted r{};
          if (first) r = w[1].recv(0, into.data(), room);
          Posted s = w[0].send(1, data.data(), length);
          if (!first) w[1].progress(), r = w[1].recv(0, into.data(), room);
          w.settle();
          CHECK_EQ(w[0].error(s), Error::None);
          CHECK_EQ(w[1].error(r), Error::Truncated);
          CHECK_EQ(w[1].outcome(r).length, length);
          CHECK(room == 0 || std::memcmp(into.data(), data.data(), room) == 0);
          for (uint64_t i = room; i < into.size(); ++i) CHECK_EQ(into[i], 0xee);
        }
      }
    }
  }
}

TEST("07 many ranks exchange with all others at once") {
  Options o;
  o.size = 5;
  World w(o);
  std::vector<std::vector<unsigned char>> data, into;
  std::vector<std::pair<uint32_t, Posted>> requests;
  for (uint32_t a = 0; a < 5; ++a) {
    for (uint32_t b = 0; b < 5; ++b) {
      data.push_back(pattern(a * 40000 + b * 100 + 1, a * 5 + b));
      into.emplace_back(b * 40000 + a * 100 + 1);
    }
  }
  for (uint32_t a = 0; a < 5; ++a) {
    for (uint32_t b = 0; b < 5; ++b) {
      auto& i = into[a * 5 + b];
      auto& d = data[a * 5 + b];
      requests.push_back({a, w[a].recv(b, i.data(), i.size(), 1)});
      requests.push_back({a, w[a].send(b, d.data(), d.size(), 1)});
    }
  }
  w.settle();
  for (auto& [rank, p] : requests) CHECK_EQ(w[rank].error(p), Error::None);
  for (uint32_t a = 0; a < 5; ++a) {
    for (uint32_t b = 0; b < 5; ++b) CHECK(into[a * 5 + b] == data[b * 5 + a]);
  }
}

CHECK_MAIN("engine/messages")
