// JavaScript objects with functions over one native thing, which they own.
#pragma once

#include <node_api.h>

#include <memory>

#include "addon/js.h"

namespace uintr {

struct Method {
  const char* name;
  napi_callback callback;
};

// The functions find the box by box_of(). Undefined while the environment ends.
template <class Box, size_t n>
napi_value boxed_object(napi_env env, std::unique_ptr<Box> box, const Method (&methods)[n]) {
  napi_value object = js::object(env);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Box*>(data); };
  if (object == nullptr || napi_add_finalizer(env, object, box.get(), finalize, nullptr, nullptr) != napi_ok) {
    return js::undefined(env);
  }
  Box* owned = box.release();  // the finalizer's now
  for (const Method& method : methods) {
    js::set(env, object, method.name, js::function(env, method.name, method.callback, owned));
  }
  return object;
}

template <class Box>
Box& box_of(napi_env env, napi_callback_info info, size_t max = 0, napi_value* values = nullptr) {
  return *static_cast<Box*>(js::arguments(env, info, max, values));
}

}  // namespace uintr
