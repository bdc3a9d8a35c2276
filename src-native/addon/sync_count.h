// openCounting({ region, kind, name }): the loop of `uintr bench counter` in native code, for what a primitive costs
// without a call from JavaScript for each operation. threadUsage(): what the calling thread has spent so far.
#pragma once

#include <node_api.h>

namespace uintr {

void export_sync_count(napi_env env, napi_value exports);

}  // namespace uintr
