// support(): which drivers and ways to copy work here, tried rather than assumed.
#pragma once

#include <node_api.h>

namespace uintr {

void export_support(napi_env env, napi_value exports);

}  // namespace uintr
