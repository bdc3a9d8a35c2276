// All that an interrupted program sees of its thread: an image to fill the registers with, and one of what was found.
// The assembler (window.S) knows its layout by these numbers.
#pragma once

#define IMAGE_FLAGS 128
#define IMAGE_RED_ZONE 136
#define IMAGE_XSAVE 320
#define RED_ZONE 128

#ifndef __ASSEMBLER__
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace canary {

struct alignas(64) Image {
  uint64_t gpr[16];  // rax rcx rdx rbx rsp rbp rsi rdi r8 … r15; rsp is filled in by canary_run
  uint64_t flags;
  unsigned char red_zone[RED_ZONE];  // from rsp - 128 upward
  unsigned char unused[IMAGE_XSAVE - IMAGE_RED_ZONE - RED_ZONE];
  unsigned char xsave[4096];
};
static_assert(offsetof(Image, flags) == IMAGE_FLAGS);
static_assert(offsetof(Image, red_zone) == IMAGE_RED_ZONE);
static_assert(offsetof(Image, xsave) == IMAGE_XSAVE);

// State components of XCR0 (SDM, 13.1).
enum Component : uint32_t { kX87 = 0, kSse = 1, kAvx = 2, kOpmask = 5, kZmmHigh = 6, kZmm16 = 7 };
// Those that this processor has and the system has switched on.
bool has(Component component);

// No register holds zeros, ones, or what another one holds.
void fill(Image* image, std::mt19937_64& random);

// The names of what differs: "rbx", "DF", "red zone -17", "xmm3", "ymm3 high", "zmm3 high", "zmm20", "k1", "MXCSR", …
std::vector<std::string> differences(const Image& want, const Image& seen);

extern "C" {
// Components that are filled and looked at; read by canary_run. Set by image.cc before main.
extern uint32_t canary_components;
// Fills every register of the thread from `want`, waits a few microseconds in the window, and puts into `seen` what
// they hold then.
void canary_run(Image* want, Image* seen);
extern const char canary_window_begin[], canary_window_end[];
}

}  // namespace canary
#endif
