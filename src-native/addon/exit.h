// process.exit() runs no cleanup hooks on the main thread, only what C registers for exit(). There a rank says its last
// word, so that its peers read 'exited' and not 'killed'.
#pragma once

namespace uintr {

class World;

void exit_watch(World* world);
void exit_forget(World* world);

}  // namespace uintr
