// How large the pieces of a transfer and the reply rings are, in bytes. The simulator has its own,
// so that messages of a few hundred bytes go through every stage.
#pragma once

#include <cstdint>

namespace uintr {

#if defined(UINTR_SIMULATED)
constexpr uint64_t kSingleChunk = 256, kMinChunk = 128, kMaxChunk = 256, kChunkUnit = 64;
constexpr uint64_t kMinSlice = 128, kMaxSlice = 512, kIdleBudget = 1024;
constexpr uint64_t kMaxPiece = 256;
constexpr uint64_t kStepCharge = 16;
constexpr uint64_t kHandlerReserve = 512;
constexpr uint32_t kReplyRingBytes = 256;
constexpr uint32_t kPostsPerLook = 2;
constexpr uint32_t kLooksPerSurvey = 4;
#else
constexpr uint64_t kSingleChunk = 64ull * 1024;       // up to here one end copies it all
constexpr uint64_t kMinChunk = 32ull * 1024;
constexpr uint64_t kMaxChunk = 256ull * 1024;         // from here on a chunk's system call no longer shows
constexpr uint64_t kChunkUnit = 4096;
constexpr uint64_t kMinSlice = 512ull * 1024;         // what a handler copies in one run
constexpr uint64_t kMaxSlice = 2ull * 1024 * 1024;
constexpr uint64_t kIdleBudget = 4ull * 1024 * 1024;  // per progress(Idle), so that rings and loop get their turn
constexpr uint64_t kMaxPiece = 256ull * 1024;         // of a pipelined transfer, or of a local step, at once
constexpr uint64_t kStepCharge = 4096;             // a step of a schedule counts as copying this much
constexpr uint64_t kHandlerReserve = 4ull * 1024 * 1024;  // of committed arena, for receives without a buffer
constexpr uint32_t kReplyRingBytes = 8192;         // 128 records of 64 bytes
constexpr uint32_t kPostsPerLook = 64;             // receives posted in a row, so that a program that does nothing else gets on
constexpr uint32_t kLooksPerSurvey = 256;          // at the bitmap, for one at all rings: a few microseconds of polling
#endif

}  // namespace uintr
