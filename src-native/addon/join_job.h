// join(options, onBatch, done): cancel()
//
// Enters a world on a helper thread, for bootstrap's join() blocks. `done(failure | undefined, world | undefined)` is
// called from the event loop, which stays alive for it. Returns a function that ends the attempt, or, where the
// arguments already rule it out, a failure { code, message, errno?, syscall? }.
#pragma once

#include <node_api.h>

#include "bootstrap/error.h"

namespace uintr {

void export_join(napi_env env, napi_value exports);
napi_value failure_object(napi_env env, const JoinError& error);

}  // namespace uintr
