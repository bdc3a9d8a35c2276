// process.exit() runs no cleanup hooks on the main thread, only what C registers for exit(). There a rank says its last
// word, so that its peers read 'exited' and not 'killed', and names of regions are taken back.
#pragma once

namespace uintr {

// Has `last_word(who)` called if the calling thread exits the process.
void exit_watch(void* who, void (*last_word)(void*));
void exit_forget(void* who);

}  // namespace uintr
