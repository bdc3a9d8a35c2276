// Bugs planted on purpose. If the simulator finds each of them within its
// normal budget, then its silence about the engine means something.
//
// Most live in the simulator: one kind of shared word behaves more weakly than
// the engine asked for (an exchange as a load and a plain store, say), or a
// driver makes a step wrong. The others are replacements in a copy of the
// engine's sources (planted/*.txt, applied by plant.cc at build time), switched
// on at run time by their name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine.h"

namespace simulator {

// Which word of the layout an address belongs to.
enum class Word : uint8_t {
  Other,
  Attention,
  Posted,
  Life,
  DataTail,
  WantData,
  ReplyTail,
  WantReply,
  DataHead,
  Released,
  ReplyHead,
  Claim,
  Passes,
  Status,
  Pir,
  Pending,
  Match,
};

struct Mutant {
  const char* name;
  const char* what;
  const char* home = "";  // the scenario that was made for it, searched first
  Word word = Word::Other;
  Weakness weakness = Weakness::None;
};

// All that this program was built with: the planted ones need their own build.
const std::vector<Mutant>& mutants();
extern const Mutant* active_mutant;

// Is the mutant of this name switched on?
bool mutant_is(const char* name);

}  // namespace simulator
