// What the emulator knows of the calling thread: the architectural state (UIF, UIRR, UIHANDLER) and its own.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "record.h"
#include "upid.h"

namespace emulator {

// A system call of a dispatched thread that is being made from within the handler, kept in that handler's frame.
struct Call {
  Call* outer;
};

struct Thread {
  uint32_t memory;  // 0: this thread has done nothing yet; an older one than this: it is a forked child's
  int tid;
  bool uif;
  bool registered;
  bool dispatched;  // its system calls go through strict.cc
  bool replaced;    // it is becoming another program, or has tried to
  uint32_t flags;   // of register_handler
  uint64_t uirr;
  uint64_t handler;
  UpidPage* upid;   // from the first registration until the thread ends
  int memfd;
  bool has_timer;
  int timer;
  Call* call;       // the innermost
  uint64_t hidden_mask;  // signals the program believes it has blocked
  uint64_t random;
};

// Usable at any instruction; sees to it that a forked child does not take itself for its parent.
Thread& this_thread();

// The thread, if it is making a dispatched call; never that of a vfork parent, whose memory this may be.
Thread* thread_in_call();

// Ends the thread's part: no interrupts any more, senders are told ESHUTDOWN.
void thread_end(Thread& t);
// Before main(): has thread_end() called when a thread that has a descriptor ends.
void thread_prepare();
void thread_watch_end(Thread& t);

using Context = ucontext_t;
inline greg_t& reg(Context* c, int which) { return c->uc_mcontext.gregs[which]; }
// The kernel's 64-bit mask, which is the first word of the library's.
inline uint64_t& mask_of(Context* c) { return *reinterpret_cast<uint64_t*>(&c->uc_sigmask); }

}  // namespace emulator
