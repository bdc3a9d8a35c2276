#include "talk.h"

#include "kills/bytes.h"
#include "round.h"

namespace kills {

using namespace uintr;

void keep_talking(Member* m) {
  static thread_local bool talking = false;
  static thread_local uint32_t talked = 0;
  const uint32_t stopped = m->board()->stopped.load();
  // Not at once: what is under way with it goes on for a while, into whatever it has left half done.
  if (talking || stopped == talked || !m->random().one_in(16)) return;
  talking = true;
  // Nor with one that may not be there yet, or not any more.
  const uint32_t silent = m->plan().unsteady();
  for (const uint32_t peer : others(*m)) {
    if (((silent >> peer | silent >> m->rank()) & 1) != 0) continue;
    for (const uint64_t length : {uint64_t{100}, uint64_t{100'000}}) {
      std::vector<unsigned char> out(length), in(length);
      fill(out.data(), length, stopped);
      Op send, receive;
      m->receive(&receive, peer, kTalkContext, stopped, in.data(), length);
      m->send(&send, peer, kTalkContext, stopped, out.data(), length);
      m->until([&] { return send.over && receive.over; });
      // It may be on its way out, as this one may.
      if (receive.error() == Error::None) HOLDS(is_filled(in.data(), length, stopped));
      else if (receive.error() != Error::Closed) m->judge(receive, peer);
      if (send.error() != Error::Closed) m->judge(send, peer);
    }
  }
  talked = stopped;
  m->board()->talked[m->rank()] = stopped;
  talking = false;
}

}  // namespace kills
