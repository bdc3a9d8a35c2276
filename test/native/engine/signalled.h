// Ranks that are threads, interrupted by real signals at any instruction, with
// the two steps of a user interrupt done in memory.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "world.h"

namespace test {

inline World* the_world;
inline pthread_t threads[8];
inline thread_local uint32_t me = kNone;
inline std::atomic<uint64_t> handled{0};

inline Upid& upid(uint32_t rank) {
  return reinterpret_cast<Doorbell*>(the_world->world_segment() + the_world->layout().doorbell(rank))->upid;
}

// For Options::interrupt.
// SYNC POINT: upid. The bit first; who turns ON from 0 to 1 signals.
inline void signal_peer(World*, uint32_t peer) {
  upid(peer).pir.or_sc(1ull << 63);
  if ((upid(peer).status.or_sc(kUpidOn) & kUpidOn) == 0) pthread_kill(threads[peer], SIGURG);
}

inline void on_signal(int) {
  if (me == kNone) return;
  int saved = errno;
  handled.fetch_add(1, std::memory_order_relaxed);
  // SYNC POINT: upid. ON is cleared, then PIR is taken.
  upid(me).status.and_sc(~kUpidOn);
  upid(me).pir.exchange_sc(0);
  (*the_world)[me]->on_interrupt();
  errno = saved;
}

// Signals are for this world's ranks from now on.
inline void signalled(World& w) {
  the_world = &w;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGURG, &action, nullptr);
}

// This thread is that rank, and can be interrupted once it has told the others.
inline void enter(uint32_t rank) {
  me = rank;
  threads[rank] = pthread_self();
  // ThreadSanitizer makes a thread's memory for signals in its first blocking call, and forgets one that comes
  // just then (gcc 12: SigCtx() is not reentrant). So before the first can.
  usleep(1);
}

inline void leave() { me = kNone; }

}  // namespace test
