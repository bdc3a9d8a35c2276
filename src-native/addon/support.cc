#include "addon/support.h"

#include "addon/backing_store.h"
#include "addon/js.h"
#include "addon/other_process.h"
#include "drivers/driver.h"
#include "drivers/uintr_probe.h"

namespace uintr {
namespace {

napi_value verdict(napi_env env, bool ok, const std::string& reason) {
  napi_value result = js::object(env);
  js::set(env, result, "ok", js::boolean(env, ok));
  if (!ok) js::set(env, result, "reason", reason);
  return result;
}

napi_value try_driver(napi_env env, DriverOptions::Choice choice, const std::string& signal) {
  JoinError error;
  bool ok = Driver::prepare({choice, signal}, &error) != nullptr;
  return verdict(env, ok, error.message);
}

napi_value user_interrupts(napi_env env) {
  const UintrProbe& probe = uintr_probe();
  napi_value result = js::object(env);
  js::set(env, result, "cpu", js::boolean(env, probe.cpu));
  js::set(env, result, "enabled", js::boolean(env, probe.enabled));
  if (probe.abi != nullptr) js::set(env, result, "abi", std::string(probe.abi->name));
  js::set(env, result, "emulated", js::boolean(env, probe.emulated));
  if (!probe.remedy.empty()) js::set(env, result, "remedy", probe.remedy);
  return result;
}

// Whether it may be used on a peer of another user namespace, say, is known when there is one.
napi_value try_cma(napi_env env) {
  const CopyTrial& trial = copies_between_processes();
  return verdict(env, trial.works, trial.reason);
}

// support(signal): { drivers, userInterrupts, copies, holdsBackingStores }
napi_value support(napi_env env, napi_callback_info info) {
  napi_value signal_name = nullptr;
  js::arguments(env, info, 1, &signal_name);
  napi_value box = js::object(env);
  js::set(env, box, "signal", signal_name);
  std::string signal = js::get_string(env, box, "signal");
  if (signal.empty()) signal = DriverOptions{}.signal;

  napi_value drivers = js::object(env);
  js::set(env, drivers, "uintr", try_driver(env, DriverOptions::Choice::Uintr, signal));
  js::set(env, drivers, "signal", try_driver(env, DriverOptions::Choice::Signal, signal));
  js::set(env, drivers, "poll", try_driver(env, DriverOptions::Choice::Poll, signal));
  napi_value copies = js::object(env);
  js::set(env, copies, "direct", verdict(env, true, {}));
  js::set(env, copies, "heap", verdict(env, true, {}));
  js::set(env, copies, "cma", try_cma(env));
  js::set(env, copies, "pipeline", verdict(env, true, {}));
  napi_value result = js::object(env);
  js::set(env, result, "drivers", drivers);
  js::set(env, result, "userInterrupts", user_interrupts(env));
  js::set(env, result, "copies", copies);
  js::set(env, result, "holdsBackingStores", js::boolean(env, backing_stores_can_be_held()));
  return result;
}

}  // namespace

void export_support(napi_env env, napi_value exports) {
  js::set(env, exports, "support", js::function(env, "support", support, nullptr));
}

}  // namespace uintr
