// The addon's entry. It runs once per environment: on the main thread, and on every worker that loads the package.
#include <napi.h>

#include "addon/doorbell.h"
#include "addon/hub.h"
#include "addon/inspect_signal.h"
#include "addon/instance.h"
#include "addon/join_job.h"
#include "addon/signal_guard.h"
#include "addon/support.h"
#include "addon/sync.h"
#include "addon/sync_count.h"

namespace {

napi_value init(napi_env env, napi_value exports) {
  if (!uintr::instance_create(env)) return exports;
  uintr::export_join(env, exports);
  uintr::export_support(env, exports);
  uintr::export_signal_guard(env, exports);
  uintr::export_inspect_signal(env, exports);
  uintr::export_doorbell(env, exports);
  uintr::export_sync(env, exports);
  uintr::export_sync_count(env, exports);
  export_hub(Napi::Env(env), Napi::Object(env, exports));
  return exports;
}

}  // namespace

NAPI_MODULE_INIT() { return init(env, exports); }
