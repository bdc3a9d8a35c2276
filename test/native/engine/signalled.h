// Ranks that are threads, interrupted by real signals at any instruction, with
// the two steps of a user interrupt done in memory.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

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

// Threads that wait for each other without computing.
struct Meeting {
  void wait_for(uint32_t count) {
    for (came.fetch_add(1); came.load() != count;) usleep(100);
  }
  std::atomic<uint32_t> came{0};
};

// Runs `body` as all ranks of a world, at the same time, each a thread.
template <class Body>
void as_threads(Options options, Body body) {
  options.interrupt = &signal_peer;
  World w(options);
  signalled(w);
  Meeting begin;
  auto run = [&](uint32_t rank) {
    enter(rank);
    begin.wait_for(w.size());
    body(w, rank);
    leave();
  };
  std::vector<std::thread> others;
  for (uint32_t rank = 1; rank < w.size(); ++rank) others.emplace_back(run, rank);
  run(0);
  for (std::thread& other : others) other.join();
}

// Each rank computes until it has what the other sends it, as seen without looking into the engine's rings: only
// handlers bring that on. The last Fin needs one look.
inline void exchange_computing(World& w, uint32_t rank, uint32_t rounds) {
  for (uint32_t round = 0; round < rounds; ++round) {
    auto out = pattern(4 << 20, round + rank);
    std::vector<unsigned char> in(out.size());
    Posted r = w[rank].recv(1 - rank, in.data(), in.size(), round);
    Posted s = w[rank].send(1 - rank, out.data(), out.size(), round);
    for (uint64_t i = 0; !(w[rank].over(s) && w[rank].over(r)); ++i) {
      volatile uint64_t work = 0;
      for (int k = 0; k < 20000; ++k) work = work + static_cast<uint64_t>(k);
      w[rank].collect();
      if (i % 64 == 63) w[rank].progress(Effort::Call);
    }
    CHECK(in == pattern(4 << 20, round + 1 - rank));
  }
}

}  // namespace test
