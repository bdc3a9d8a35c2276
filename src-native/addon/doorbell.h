// uintr/doorbell: registerHandler() and registerSender().
#pragma once

#include <node_api.h>

namespace uintr {

// Adds openReceiver(driver, signal, onEvent) and openSender(fd); each returns an object, or why it failed.
void export_doorbell(napi_env env, napi_value exports);

}  // namespace uintr
