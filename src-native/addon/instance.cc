#include "addon/instance.h"

#include "addon/world.h"

namespace uintr {

bool instance_create(napi_env env) {
  auto* instance = new Instance;
  napi_status status = napi_set_instance_data(
      env, instance, [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr);
  if (status != napi_ok) delete instance;
  return status == napi_ok;
}

Instance* instance_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Instance*>(data);
}

}  // namespace uintr
