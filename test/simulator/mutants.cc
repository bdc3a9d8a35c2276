#include "mutants.h"

#include <cstring>

namespace simulator {

const Mutant* active_mutant;

bool mutant_is(const char* name) { return active_mutant != nullptr && std::strcmp(active_mutant->name, name) == 0; }

const std::vector<Mutant>& mutants() {
  static const std::vector<Mutant> all = {
      {"attention-stored", "attention is stored, not exchanged, before the last look", "", Word::Attention,
       Weakness::PlainStore},
      {"posted-stored", "the number of posted receives is stored, not exchanged, before the last look",
       "chunks-compute-receiver", Word::Posted, Weakness::PlainStore},
      {"pending-not-atomic", "a bit of the pending bitmap is set by load and store", "", Word::Pending,
       Weakness::LoadStore},
      {"match-not-atomic", "a message is matched, or withdrawn, by load and store", "", Word::Match, Weakness::LoadStore},
      {"claim-stored", "a claim word is stored, not exchanged, before the other's is read", "", Word::Claim,
       Weakness::PlainStore},
      {"want-space-stored", "want-space is stored, not exchanged, before the head is read again",
       "ring-full-computing-sender", Word::WantData, Weakness::PlainStore},
      {"head-stored", "the head is stored, not exchanged, before want-space is read", "ring-full-pause", Word::DataHead,
       Weakness::PlainStore},
      {"want-space-lost", "a producer that finds its ring full does not say so", "", Word::WantData, Weakness::Lost},
      {"tail-early", "the data ring's tail is published before what it covers", "", Word::DataTail, Weakness::Early},
      {"reply-tail-early", "the reply ring's tail is published before what it covers", "", Word::ReplyTail,
       Weakness::Early},
      {"baton-dropped", "passing the baton leaves no trace", "", Word::Passes, Weakness::Lost},
      {"on-after-pir", "the handler clears ON after its work, not before"},
      {"wake-lost-in-handler", "a handler does not wake its own sleeping loop"},
#if defined(UINTR_PLANTED)
#define UINTR_MUTANT(name, what, home) {name, what, home},
#include "planted.inc"
#undef UINTR_MUTANT
#endif
  };
  return all;
}

}  // namespace simulator
