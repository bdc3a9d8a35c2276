// What a rank does with an outcome: everything the engine promised about a
// request that is over is looked at here.
#include <cstring>

#include "rank.h"

namespace simulator {

using namespace uintr;

void Rank::collect() {
  Completion out[4];
  uint32_t n;
  do {
    n = engine()->drain(out, 4);
    for (uint32_t i = 0; i < n; ++i) {
      if (complete_collective(out[i])) continue;
      Request* found = nullptr;
      for (Request& r : requests_) {
        if (r.handle == out[i].handle && !r.over) found = &r;
      }
      if (found == nullptr) {
        machine().fail("rank %u: a completion for no request, or a second one (handle %llx)", rank_,
                       static_cast<unsigned long long>(out[i].handle));
      }
      complete(*found, out[i]);
    }
  } while (n == 4);
}

void Rank::wrong(const Request& r, const Completion& c, const char* why) {
  Model& model = world_->model;
  machine().fail("%s: %s (error %u, cause %u, source %u, tag %u, length %llu)",
                 r.receive ? model.text(model.receipt(r.id)).c_str() : model.text(model.message(r.id)).c_str(), why,
                 static_cast<unsigned>(c.error), static_cast<unsigned>(c.cause), c.source, c.tag,
                 static_cast<unsigned long long>(c.length));
}

// Has somebody who is gone sent a message, eagerly and to the end, that this
// receive, and no other, should have got?
bool Rank::delivered(const Receipt& r) const {
  const Model& model = world_->model;
  for (const Message& m : model.messages()) {
    if (!m.over || m.error != Error::None || m.synchronous || m.length > world_->settings().eager_limit) continue;
    if (!world_->dead(m.source) || !model.could_meet(m, r)) continue;
    bool other = false;
    for (const Message& o : model.messages()) {
      const bool before = o.source == m.source ? o.id < m.id : world_->dead(o.source);
      other |= before && o.received_by == kNone && model.fits(o, r);
    }
    for (const Receipt& o : model.receipts()) other |= o.id != r.id && model.fits(m, o) && o.message == kNone;
    if (!other) return true;
  }
  return false;
}

// Errors have to have a reason.
void Rank::check_allowed(const Request& r, const Completion& c) {
  bool others_leave = world_->dead_ranks() != 0 || world_->settings().closing;
  uint32_t peer = r.receive ? world_->model.receipt(r.id).source : world_->model.message(r.id).dest;
  if (world_->settings().forged) return;
  switch (c.error) {
    case Error::None:
      return;
    case Error::Truncated:
      if (!r.receive) wrong(r, c, "a send was truncated");
      return;
    case Error::Cancelled:
      if (!r.cancelled) wrong(r, c, "cancelled by nobody");
      return;
    case Error::PeerExited:
      if (!others_leave) wrong(r, c, "nobody has left");
      if (peer == rank_ && !closing_) wrong(r, c, "this rank itself has not left");
      if (peer != kAnySource && c.source != peer) wrong(r, c, "it names another rank");
      if (c.cause == Cause::None) wrong(r, c, "no cause is given");
      if (r.receive && delivered(world_->model.receipt(r.id))) wrong(r, c, "what it waited for had been delivered");
      return;
    case Error::Closed:
      if (!closing_) wrong(r, c, "nobody has closed");
      return;
    case Error::Timeout:
      if (!abandoned_ && !world_->settings().closing) wrong(r, c, "nobody has abandoned it");
      return;
    case Error::CopyFailed:
      if (!world_->settings().refuses) wrong(r, c, "the kernel has refused nothing");
      return;
    case Error::NoMemory:
      if (world_->settings().heap_committable >= world_->settings().heap_bytes && !r.allocate &&
          requests_.size() <= world_->settings().max_requests)
        wrong(r, c, "memory was there");
      return;
    default:
      wrong(r, c, "an error that cannot happen here");
  }
}

void Rank::complete(Request& r, const Completion& c) {
  if (r.over) wrong(r, c, "completed twice");
  if (r.given_up && c.error != Error::NoMemory) wrong(r, c, "was said to be given up");
  if (r.cancelled && c.error != Error::Cancelled) wrong(r, c, "was said to be cancelled");
  check_allowed(r, c);
  r.over = true;
  r.error = c.error;
  --unfinished_;
  machine().trace("request %zu (%s) is over: error %u, length %llu", static_cast<size_t>(&r - requests_.data()),
                  r.receive ? "receive" : "send", static_cast<unsigned>(c.error),
                  static_cast<unsigned long long>(c.length));
  if (r.receive) {
    complete_receive(r, c);
    return;
  }
  if (r.lend) check_returned(r);
  {
    Message& m = world_->model.message(r.id);
    m.over = true;
    m.error = c.error;
  }
  give_back(r);
  const Message& m = world_->model.message(r.id);
  if (c.error != Error::None) return;
  if (c.source != rank_ || c.tag != m.tag || c.length != m.length) wrong(r, c, "the status is not the message's");
  if (!m.synchronous) return;
  for (const Receipt& other : world_->model.receipts()) {
    if (m.received_by == other.id || world_->model.could_meet(m, other)) return;
  }
  // A chunk that one end could not copy may have been copied by the other, which then is through.
  if (world_->dead_ranks() == 0 && !world_->settings().closing && !world_->refused())
    wrong(r, c, "a synchronous send nobody could have received");
}

void Rank::complete_receive(Request& r, const Completion& c) {
  Receipt& receipt = world_->model.receipt(r.id);
  receipt.over = true;
  receipt.error = c.error;
  if (c.error != Error::None && c.error != Error::Truncated) {
    if (r.buffer != nullptr) give_back(r);
    if (c.error != Error::NoMemory || c.handle == kNoHandle || r.given_up) return;
    // It found a message that fits nowhere, and consumed it.
    receipt.over = false;
    std::string why = world_->model.received(r.id, c, nullptr);
    if (!why.empty()) machine().fail("%s", why.c_str());
    world_->model.receipt(r.id).over = true;
    return;
  }
  receipt.over = false;  // so that the model still lets it meet its message
  uint64_t n = r.allocate || c.length < r.length ? c.length : r.length;
  const unsigned char* from = r.buffer;
  if (r.allocate) {
    if ((c.heap_offset == kNoHeap) != (c.length == 0)) wrong(r, c, "a block where none belongs, or none");
    if (c.length != 0 && (c.heap_offset & kLent) != 0) return borrow(r, c);
    from = c.length == 0 ? nullptr : world_->heap(rank_) + c.heap_offset;
  } else {
    bool beyond;
    size_t written = world_->buffers.written(r.buffer, &beyond);
    if (written != n || beyond) wrong(r, c, "not every byte was written, or one too many");
  }
  // Not a plain read: this rank's own last bytes may be in its store buffer yet.
  bytes_.resize(n);
  for (uint64_t at = 0; at < n; at += 4096) {
    machine().look(bytes_.data() + at, from + at, n - at < 4096 ? n - at : 4096);
  }
  std::string why = world_->model.received(r.id, c, bytes_.data());
  // Its sender may believe that it has withdrawn the message.
  if (!why.empty() && !world_->settings().forged) machine().fail("%s", why.c_str());
  world_->model.receipt(r.id).over = true;
  if (r.allocate && n != 0) {
    engine()->heap_free(c.heap_offset);
  } else if (!r.allocate) {
    give_back(r);
  }
}

void Rank::give_back(const Request& r) {
  world_->buffers.give_back(r.buffer);
  if (!r.in_heap) return;
  world_->buffers.forget(r.buffer);
  engine()->heap_free(static_cast<uint64_t>(r.buffer - world_->heap(rank_)));
}

bool Rank::probe(uint32_t source, uint32_t tag, uint32_t context) {
  Envelope e;
  if (!engine()->probe(source, context, tag, &e)) return false;
  machine().trace("probe: source %u tag %u length %llu", e.source, e.tag, static_cast<unsigned long long>(e.length));
  for (const Message& m : world_->model.messages()) {
    if (m.dest == rank_ && m.received_by == kNone && m.source == e.source && m.tag == e.tag && m.length == e.length &&
        m.context == context)
      return true;
  }
  machine().fail("rank %u: probe saw a message nobody sent: source %u tag %u length %llu", rank_, e.source, e.tag,
                 static_cast<unsigned long long>(e.length));
}

}  // namespace simulator
