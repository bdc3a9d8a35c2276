// Death at every instruction.
#include "parts.h"

namespace simulator {

using namespace uintr;

void deaths(Scenarios& add) {
  for (uint32_t who : {1u, 2u}) {
    std::string name = who == 1 ? "-sender-dies" : "-receiver-dies";
    add("eager" + name, 3, mortal(signal, who), one(kEager, Way::Wait, Way::Wait));
    add("one-chunk" + name, 3, mortal(signal, who), one(kOne, Way::Wait, Way::Loop, true));
    add("chunks" + name, 2, mortal(signal, who), one(kSeveral, Way::Wait, Way::Wait));
    add("chunks-compute" + name, 2, mortal(signal, who), one(kSeveral, Way::Compute, Way::Compute));
    add("pipeline" + name, 2, mortal(pipeline, who), one(kSeveral, Way::Wait, Way::Wait));
    add("allocate" + name, 2, mortal(signal, who), allocate(Way::Loop, 2));
    add("ring-full" + name, 2, mortal(full, who), fill(Way::Wait, Way::Wait));
  }
}

}  // namespace simulator
