// What lies at an address of the simulated world: names for traces, and which
// words a mutant weakens.
#include <cstdio>

#include "world.h"

namespace simulator {

using namespace uintr;

namespace {
struct Place {
  Word word = Word::Other;
  const char* name = nullptr;
  uint32_t owner = 0, index = 0;
};

#define AT(type, field) offsetof(type, field)

Place in_control(const Layout& l, uint32_t rank, uint64_t at) {
  const Geometry& g = l.g;
  if (at == AT(ControlHeader, attention)) return {Word::Attention, "attention", rank, 0};
  if (at == AT(ControlHeader, posted)) return {Word::Posted, "posted", rank, 0};
  if (at == AT(ControlHeader, life)) return {Word::Life, "life", rank, 0};
  if (at >= l.data_ring(0)) {
    return {Word::Other, "data-ring", rank, static_cast<uint32_t>((at - l.data_ring(0)) / g.ring_bytes)};
  }
  if (at >= l.reply_ring(0)) {
    return {Word::Other, "reply-ring", rank, static_cast<uint32_t>((at - l.reply_ring(0)) / kReplyRingBytes)};
  }
  if (at >= l.slot(0)) {
    auto i = static_cast<uint32_t>((at - l.slot(0)) / sizeof(PublicSlot));
    bool claim = (at - l.slot(0)) % sizeof(PublicSlot) == AT(PublicSlot, claim);
    return claim ? Place{Word::Claim, "claim", rank, i} : Place{Word::Passes, "passes", rank, i};
  }
  if (at >= l.inbound(0)) {
    auto i = static_cast<uint32_t>((at - l.inbound(0)) / sizeof(Inbound));
    switch ((at - l.inbound(0)) % sizeof(Inbound)) {
      case AT(Inbound, data_head):
        return {Word::DataHead, "data-head-from", rank, i};
      case AT(Inbound, released_blocks):
        return {Word::Released, "released-to", rank, i};
      case AT(Inbound, reply_head):
        return {Word::ReplyHead, "reply-head-from", rank, i};
      default:
        return {Word::Other, "control", rank, static_cast<uint32_t>(at)};
    }
  }
  if (at >= l.outbound(0)) {
    auto i = static_cast<uint32_t>((at - l.outbound(0)) / sizeof(Outbound));
    switch ((at - l.outbound(0)) % sizeof(Outbound)) {
      case AT(Outbound, data_tail):
        return {Word::DataTail, "data-tail-to", rank, i};
      case AT(Outbound, want_data_space):
        return {Word::WantData, "want-data-from", rank, i};
      case AT(Outbound, reply_tail):
        return {Word::ReplyTail, "reply-tail-to", rank, i};
      case AT(Outbound, let_go):
        return {Word::Other, "let-go-of", rank, i};
      case AT(Outbound, want_reply_space):
        return {Word::WantReply, "want-reply-from", rank, i};
      default:
        return {Word::Other, "control", rank, static_cast<uint32_t>(at)};
    }
  }
  return {Word::Other, "control", rank, static_cast<uint32_t>(at)};
}

Place in_world(const Layout& l, uint64_t at) {
  if (at >= l.match_word(0, 0)) {
    auto i = static_cast<uint32_t>((at - l.match_word(0, 0)) / sizeof(MatchWord));
    return {Word::Match, "match", i / l.g.max_requests, i % l.g.max_requests};
  }
  if (at >= l.formed()) return {Word::Other, "formed", 0, 0};
  auto rank = static_cast<uint32_t>(at / sizeof(Doorbell));
  switch (at % sizeof(Doorbell)) {
    case AT(Doorbell, upid) + AT(Upid, status):
      return {Word::Status, "upid-status", rank, 0};
    case AT(Doorbell, upid) + AT(Upid, pir):
      return {Word::Pir, "upid-pir", rank, 0};
    default:
      return {Word::Pending, "pending", rank, 0};
  }
}
#undef AT

Place place(const Layout& l, const unsigned char* p, const unsigned char* world_segment, unsigned char* const* controls,
            unsigned char* const* heaps) {
  auto inside = [p](const unsigned char* begin, uint64_t bytes) { return p >= begin && p < begin + bytes; };
  if (inside(world_segment, l.world_bytes())) return in_world(l, static_cast<uint64_t>(p - world_segment));
  for (uint32_t i = 0; i < l.g.size; ++i) {
    if (inside(controls[i], l.control_bytes())) return in_control(l, i, static_cast<uint64_t>(p - controls[i]));
    if (inside(heaps[i], l.g.heap_bytes)) return {Word::Other, "heap", i, static_cast<uint32_t>(p - heaps[i])};
  }
  return {};
}
}  // namespace

std::string World::word(const void* address) {
  auto* p = static_cast<const unsigned char*>(address);
  Place at = place(layout_, p, world_segment_, controls_, heaps_);
  char text[60];
  if (at.name != nullptr) {
    std::snprintf(text, sizeof text, "%s[%u,%u]", at.name, at.owner, at.index);
  } else if (p >= memory_ && p < memory_ + kMemory) {
    std::snprintf(text, sizeof text, "buffer+%llx",
                  static_cast<unsigned long long>(p - memory_ - (kMemory - kBufferBytes)));
  } else {
    std::snprintf(text, sizeof text, "private");
  }
  return text;
}

Weakness World::weakness(const void* address) {
  if (active_mutant == nullptr || active_mutant->weakness == Weakness::None) return Weakness::None;
  auto* p = static_cast<const unsigned char*>(address);
  Place at = place(layout_, p, world_segment_, controls_, heaps_);
  return at.word == active_mutant->word ? active_mutant->weakness : Weakness::None;
}

}  // namespace simulator
