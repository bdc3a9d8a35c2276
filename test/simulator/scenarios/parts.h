// What the scenarios are made of: settings, and programs that several of them run.
#pragma once

#include "scenarios.h"

namespace simulator {

using Program = std::function<void(Rank&)>;

// ---- settings

Settings with(Driver driver, uint32_t kinds = uintr::kCopyDirect);
Settings mortal(Settings s, uint32_t mask);
// One that is dead may come back: rank 0.
Settings elastic(Settings s);
Settings closing(Settings s);
Settings three(Settings s);
// Of long runs of three ranks there are too many for every order in which ranks take turns to be free.
Settings with_turns(Settings s);

inline const Settings signal = with(Driver::Signal), user = with(Driver::Uintr), poll = with(Driver::Poll);
inline const Settings pipeline = with(Driver::Signal, uintr::kCopyPipeline);
inline const Settings heap = with(Driver::Signal, uintr::kCopyHeap | uintr::kCopyPipeline);
Settings with_a_ring_that_fills();
inline const Settings full = with_a_ring_that_fills();

constexpr uint64_t kEager = 24;     // bytes
constexpr uint64_t kOne = 250;      // a rendezvous of one chunk (sent synchronously, or past the limit)
constexpr uint64_t kSeveral = 500;  // of four

// ---- programs

enum class Way { Wait, Loop, Compute, Callback };

// Lets time pass until what was posted is over.
void pass(Rank& r, Way way);

// One message from 0 to 1. `at_post`: both ends copy all they can as they post, expecting to wait.
Program one(uint64_t length, Way sender, Way receiver, bool synchronous = false, bool at_post = false);
// One more from 0 to 1 than its ring has room for.
Program fill(Way sender, Way receiver);
// From 0 to 1, received without a buffer.
Program allocate(Way receiver, int messages);

// What the sender of a message does whose receiver is in no hurry.
void goes_on(Rank& r, size_t sent);
void takes_back(Rank& r, size_t sent);

}  // namespace simulator
