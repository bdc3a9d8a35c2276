#include "engine_case.h"

namespace simulator {

World& the_world() {
  static World world;
  return world;
}

std::string EngineCase::run(Machine* machine, Choices* choices) {
  World& world = the_world();
  machine->weakened = active_mutant != nullptr && active_mutant->weakness != Weakness::None;
  the_machine = machine;
  world.reset(settings, machine);
  ranks_.clear();
  for (uint32_t i = 0; i < settings.ranks; ++i) ranks_.emplace_back(&world, i);
  std::string failure = machine->run(world.rules(), choices, &world, [this](uint32_t rank) {
    if (ranks_[rank].life() != 0) ranks_[rank].begin_life();
    program(ranks_[rank]);
  });
  if (failure.empty()) {
    for (uint32_t i = 0; i < settings.ranks; ++i) {
      if (machine->state(i) != State::Finished && machine->state(i) != State::Dead)
        return "rank " + std::to_string(i) + " never ended";
    }
    if (!settings.forged) failure = world.model.check(world.dead_ranks());
  }
  return failure;
}

}  // namespace simulator
