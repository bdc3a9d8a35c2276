// Messages that are probed for, and taken out of matching.
#include "round.h"

#include <deque>

#include "kills/buffer.h"
#include "kills/bytes.h"

namespace kills::rounds {

using namespace uintr;

void probe(Member* m, uint32_t round) {
  constexpr uint64_t kLengths[] = {100, 5'000, 90'000};
  std::deque<Op> sends;
  std::deque<Buffer> out;
  for (const uint32_t peer : others(*m)) {
    for (uint32_t k = 0; k < 3; ++k) {
      out.emplace_back(m, kLengths[k], false);
      fill(out.back().data(), kLengths[k], key_of(*m, round, m->rank(), peer, k));
      sends.emplace_back();
      m->send(&sends.back(), peer, context_of(round, 0), k, out.back().data(), kLengths[k]);
    }
  }
  (*m)->watch(true);
  for (const uint32_t peer : others(*m)) {
    for (uint32_t k = 0; k < 3; ++k) {
      Envelope envelope{};
      Handle handle = kNoHandle;
      m->until([&] {
        Error error;
        handle = (*m)->improbe(peer, context_of(round, 0), k, &envelope, &error);
        HOLDS(error == Error::None);
        return handle != kNoHandle || m->gone(peer);
      });
      if (handle == kNoHandle) continue;
      HOLDS(envelope.source == peer && envelope.tag == k && envelope.length == kLengths[k]);
      for (uint32_t i = m->random().below(4); i > 0; --i) m->step();
      Buffer in(m, envelope.length, false);
      Op op;
      m->post(&op, (*m)->imrecv(handle, in.data(), envelope.length, false));
      m->until_over(op);
      m->judge(op, peer);
      if (op.error() == Error::None)
        HOLDS(is_filled(in.data(), envelope.length, key_of(*m, round, peer, m->rank(), k)));
    }
  }
  (*m)->watch(false);
  (*m)->take_sightings();
  m->until([&] {
    for (const Op& op : sends)
      if (!op.over) return false;
    return true;
  });
  for (size_t i = 0; i < sends.size(); ++i) m->judge(sends[i], others(*m)[i / 3]);
}

}  // namespace kills::rounds
