// The canary, while handlers reduce: no register of the interrupted code changes, nor MXCSR, whatever it was, and the
// results do not depend on it. The handler runs on the interrupted stack, so no signal frame puts right what it spoils.
//
// sources: src-native/reduction/*.cc src-native/reduction/*.S
// sources: test/native/canary/entry.S test/native/canary/frame.cc test/native/canary/image.cc
// sources: test/native/canary/reduction_handler.cc test/native/canary/window.S
#include "reduction.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "frame.h"
#include "image.h"
#include "reduction/reduction.h"
#include "ticks.h"

using namespace canary;

namespace {

constexpr size_t kMxcsr = 24;  // in an XSAVE area (SDM, table 13-1)
constexpr int kModes = 10;     // bits of MXCSR above the six flags
constexpr int kImages = kModes + 16;
constexpr uint64_t kRunsOfEachKind = 100;

void prepare(std::mt19937_64& random) {
  constexpr uint64_t kSizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  for (uint64_t i = 0; i < kReducedBytes; ++i) {
    reduce_left[i] = static_cast<unsigned char>(random());
    reduce_right[i] = static_cast<unsigned char>(random());
  }
  // Subnormal, as any floating point.
  const uint64_t small = 3;
  memcpy(reduce_left, &small, sizeof small);
  memcpy(reduce_right, &small, sizeof small);
  for (uint32_t kind = 0; kind < kReducedKinds; ++kind) {
    if (!uintr_reduce_valid(kind)) continue;
    reduced[kind].elements = kReducedBytes / kSizes[kind / 16];
    memcpy(reduced[kind].expected, reduce_left, kReducedBytes);
    uintr_reduce(kind, reduced[kind].expected, reduce_right, reduced[kind].elements);
  }
}

void nothing_changes() {
  std::mt19937_64 random(3);
  prepare(random);
  auto images = std::make_unique<Image[]>(kImages);
  for (int i = 0; i < kImages; ++i) {
    fill(&images[i], random);
    // The default but for one mode or mask; and any rounding, any masks, subnormals as zeros or not. Any flags.
    const auto any = static_cast<uint32_t>(random() & 0xffff);
    const uint32_t mxcsr = i < kModes ? (0x1f80 ^ 0x40 << i) | (any & 0x3f) : any;
    memcpy(images[i].xsave + kMxcsr, &mxcsr, sizeof mxcsr);
  }
  auto seen = std::make_unique<Image>();
  const auto kinds = std::count_if(reduced, reduced + kReducedKinds, [](const Reduced& r) { return r.elements != 0; });
  const uint64_t least = kRunsOfEachKind * static_cast<uint64_t>(kinds);
  frame_enter();
  frame_install(SIGURG);
  auto ticks = std::make_unique<Ticks>(SIGURG, 20000);
  for (uint64_t run = 0; window_reductions() < least; ++run) {
    Image& want = images[run % kImages];
    canary_run(&want, seen.get());
    const std::vector<std::string> found = differences(want, *seen);
    for (const std::string& name : found) fprintf(stderr, "changed by a reduction: %s\n", name.c_str());
    CHECK(found.empty());
  }
  ticks.reset();
  frame_uninstall(SIGURG);
  frame_leave();
  CHECK(wrong_reductions() == 0);
  printf("%lu reductions in the window\n", window_reductions());
}

}  // namespace

int main() {
  alarm(120);
  nothing_changes();
  return test::report("canary/reduction");
}
