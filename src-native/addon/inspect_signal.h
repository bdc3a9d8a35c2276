// The signal on which ranks print what they wait for. Node hands signals to the main thread's event loop; this tells
// each environment that asks for it, worker threads, too: its event loop by a callback, and, where that does not turn
// because it blocks in wait() or loops on `done`, whoever calls the package, by Exchange::asked.
#pragma once

#include <node_api.h>

namespace uintr {

void export_inspect_signal(napi_env env, napi_value exports);

}  // namespace uintr
