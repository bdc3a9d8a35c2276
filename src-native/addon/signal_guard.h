// What happens when the program listens to a signal that ranks or receivers are interrupted by.
//
// libuv then puts its handler in the place of ours, and when the last listener goes, it restores the default action,
// which ends the process; peers that have not heard of it yet may still send the signal, to any rank of the process. A
// guard is one more listener, of the addon's own, that does nothing: while it is there libuv's handler stays.
#pragma once

#include <node_api.h>

namespace uintr {

// Adds checkSignal(number), to be called when the program has just begun to listen to that signal: guards it, if a rank
// of this process uses it, and has all of this environment's worlds and receivers look at once.
void export_signal_guard(napi_env env, napi_value exports);

// Ends those guards of this environment whose signals no rank of the process uses any more.
void end_unused_guards(napi_env env);

}  // namespace uintr
