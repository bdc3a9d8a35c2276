#include "addon/js.h"

namespace uintr::js {

napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

napi_value boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value string(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

napi_value object(napi_env env) {
  napi_value result = nullptr;
  napi_create_object(env, &result);
  return result;
}

napi_value array(napi_env env) {
  napi_value result = nullptr;
  napi_create_array(env, &result);
  return result;
}

napi_value function(napi_env env, const char* name, napi_callback callback, void* data) {
  napi_value result = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &result);
  return result;
}

void set(napi_env env, napi_value object, const char* key, napi_value value) {
  if (object != nullptr && value != nullptr) napi_set_named_property(env, object, key, value);
}
void set(napi_env env, napi_value object, const char* key, double value) { set(env, object, key, number(env, value)); }
void set(napi_env env, napi_value object, const char* key, const std::string& value) {
  set(env, object, key, string(env, value));
}
void set(napi_env env, napi_value array, uint32_t index, napi_value value) {
  if (array != nullptr && value != nullptr) napi_set_element(env, array, index, value);
}

double to_number(napi_env env, napi_value value, double fallback) {
  double result = fallback;
  return napi_get_value_double(env, value, &result) == napi_ok ? result : fallback;
}

double get_number(napi_env env, napi_value object, const char* key, double fallback) {
  napi_value value = nullptr;
  if (napi_get_named_property(env, object, key, &value) != napi_ok) return fallback;
  return to_number(env, value, fallback);
}

std::string get_string(napi_env env, napi_value object, const char* key) {
  napi_value value = nullptr;
  size_t length = 0;
  if (napi_get_named_property(env, object, key, &value) != napi_ok ||
      napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return {};
  }
  std::string result(length, '\0');
  napi_get_value_string_utf8(env, value, result.data(), length + 1, &length);
  return result;
}

bool has_ended(napi_env env) {
  Scope scope(env);
  if (!scope.open()) return true;
  // One of the calls that refuse where JavaScript cannot run, though it would run none. They say that an exception is
  // pending when there is none.
  napi_value some = undefined(env);
  bool same = false, thrown = false;
  if (napi_strict_equals(env, some, some, &same) == napi_ok) return false;
  return napi_is_exception_pending(env, &thrown) != napi_ok || !thrown;
}

void* arguments(napi_env env, napi_callback_info info, size_t max, napi_value* values) {
  void* data = nullptr;
  napi_get_cb_info(env, info, &max, values, nullptr, &data);
  return data;
}

bool Callback::set(napi_env env, napi_value function, const char* resource_name) {
  env_ = env;
  napi_value resource = object(env);
  return napi_create_reference(env, function, 1, &function_) == napi_ok && resource != nullptr &&
         napi_create_reference(env, resource, 1, &resource_) == napi_ok &&
         napi_async_init(env, resource, string(env, resource_name), &context_) == napi_ok;
}

void Callback::clear() {
  if (env_ == nullptr) return;
  if (function_ != nullptr) napi_delete_reference(env_, function_);
  if (resource_ != nullptr) napi_delete_reference(env_, resource_);
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  function_ = resource_ = nullptr;
  context_ = nullptr;
}

void Callback::call(size_t count, const napi_value* arguments) {
  if (function_ == nullptr) return;
  napi_value function = nullptr, resource = nullptr, receiver = undefined(env_);
  napi_get_reference_value(env_, function_, &function);
  napi_get_reference_value(env_, resource_, &resource);
  if (function == nullptr || resource == nullptr || receiver == nullptr) return;
  napi_callback_scope scope = nullptr;
  if (napi_open_callback_scope(env_, resource, context_, &scope) != napi_ok) return;
  napi_status status = napi_call_function(env_, receiver, function, count, arguments, nullptr);
  if (status == napi_pending_exception) {
    // A call that a worker's termination cut short has failed as well, with nothing to show for it.
    napi_value error = nullptr;
    napi_valuetype type = napi_undefined;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok && error != nullptr &&
        napi_typeof(env_, error, &type) == napi_ok && type != napi_undefined) {
      napi_fatal_exception(env_, error);
    }
  }
  napi_close_callback_scope(env_, scope);
}

}  // namespace uintr::js
