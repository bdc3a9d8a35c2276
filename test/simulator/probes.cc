// Probes, as the addon and lib/probe.ts make them: one that waits looks only when it is told that something has come.
#include <cstring>

#include "rank.h"

namespace simulator {

using namespace uintr;

bool Rank::await_message(uint32_t source, uint32_t tag) {
  machine().trace("awaits a message");
  engine()->watch(true);
  bool still = false, found = probe(source, tag);
  while (!found && !still) {
    bool more;
    look(Effort::Idle, &more);
    if (engine()->take_sightings())
      found = probe(source, tag);
    else if (!more)
      still = sleep(Attention::Sleeping, false) == Slept::Still;
  }
  engine()->watch(false);
  return found;
}

size_t Rank::improbe(uint32_t source, uint32_t tag) {
  // What it takes is settled in there, so the model has to know of it before.
  uint32_t id = world_->model.posted(rank_, source, 1, tag, 0, false).id;
  Envelope e;
  Error error;
  Handle handle = engine()->improbe(source, 1, tag, &e, &error);
  Receipt& receipt = world_->model.receipt(id);
  receipt.handle = handle;
  if (handle == kNoHandle) {
    if (error != Error::None) machine().fail("rank %u: improbe has no request slot", rank_);
    receipt.over = true;
    receipt.error = Error::Cancelled;
    return kNothing;
  }
  receipt.capacity = e.length;
  machine().trace("improbe: source %u tag %u length %llu", e.source, e.tag, static_cast<unsigned long long>(e.length));
  requests_.push_back({handle, true, false, false, false, false, false, id, nullptr, e.length, Error::None, false});
  ++unfinished_;
  return requests_.size() - 1;
}

void Rank::imrecv(size_t request) {
  Request& r = requests_[request];
  bool in_heap = false;
  r.buffer = buffer(r.length, &in_heap);
  machine().fence();
  std::memset(r.buffer, 0xee, r.length);
  world_->buffers.lend(r.buffer, Buffers::Use::Receive);
  machine().trace("imrecv: request %zu", request);
  if (engine()->imrecv(r.handle, r.buffer, r.length, false).handle != r.handle)
    machine().fail("rank %u: a matched message is not there any more", rank_);
}

}  // namespace simulator
