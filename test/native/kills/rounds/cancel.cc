// Requests that are taken back.
#include "round.h"

#include "kills/bytes.h"

namespace kills::rounds {

using namespace uintr;

// A long message whose sender, or whose receiver, tries to take it back at any moment. The sender tells what came of it.
void cancel(Member* m, uint32_t round) {
  constexpr uint64_t kBytes = 90'000;
  const auto peers = others(*m);
  struct Part {
    Op send, receive, tell, hear;
    std::vector<unsigned char> out, in;
    uint32_t taken_back = 0, told = 0;
    bool told_yet = false, settled = false;
  };
  std::vector<Part> parts(peers.size());
  for (size_t i = 0; i < peers.size(); ++i) {
    Part& p = parts[i];
    p.out.resize(kBytes), p.in.resize(kBytes);
    fill(p.out.data(), kBytes, key_of(*m, round, m->rank(), peers[i], 0));
    m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
    m->receive(&p.hear, peers[i], context_of(round, 1), 0, &p.told, sizeof p.told);
    for (uint32_t n = m->random().below(3); n > 0; --n) m->step();
    m->send(&p.send, peers[i], context_of(round, 0), 0, p.out.data(), kBytes);
    for (uint32_t n = m->random().below(3); n > 0; --n) m->step();
    // The receiver's try: what it takes back it posts again.
    if (!p.receive.over && m->random().one_in(2) && (*m)->cancel(p.receive.posted.handle)) {
      m->until_over(p.receive);
      HOLDS(p.receive.error() == Error::Cancelled);
      m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
    }
    // And the sender's.
    if (!p.send.over && m->random().one_in(2)) p.taken_back = (*m)->cancel(p.send.posted.handle) ? 1 : 0;
  }
  m->until([&] {
    bool all = true;
    for (size_t i = 0; i < parts.size(); ++i) {
      Part& p = parts[i];
      if (p.send.over && !p.told_yet) {
        p.told_yet = true;
        HOLDS((p.taken_back != 0) == (p.send.error() == Error::Cancelled));
        if (p.taken_back == 0) m->judge(p.send, peers[i]);
        m->send(&p.tell, peers[i], context_of(round, 1), 0, &p.taken_back, sizeof p.taken_back);
      }
      if (p.hear.over && !p.settled) {
        p.settled = true;
        m->judge(p.hear, peers[i]);
        if (p.hear.error() == Error::None && p.told != 0) {
          // Nobody else has matched it, so it can be taken back, unless the end of the peer was first.
          HOLDS(p.receive.over ? p.receive.error() == Error::PeerExited : (*m)->cancel(p.receive.posted.handle));
        }
      }
      // Once more, for its sender may have matched it in the meantime, and not come to say so.
      if (!p.receive.over && !p.settled && m->random().one_in(4) && (*m)->cancel(p.receive.posted.handle)) {
        m->until_over(p.receive);
        m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
      }
      all &= p.told_yet && p.tell.over && p.settled && p.receive.over;
    }
    return all;
  });
  for (size_t i = 0; i < parts.size(); ++i) {
    Part& p = parts[i];
    m->judge(p.tell, peers[i]);
    if (p.receive.error() == Error::Cancelled)
      HOLDS(p.told != 0);
    else
      m->judge(p.receive, peers[i]);
    if (p.receive.error() == Error::None)
      HOLDS(is_filled(p.in.data(), kBytes, key_of(*m, round, peers[i], m->rank(), 0)));
  }
}

}  // namespace kills::rounds
