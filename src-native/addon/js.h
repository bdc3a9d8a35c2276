// Node-API in the few shapes this addon uses. Any of these may fail while an environment is being torn down; what they
// then return is null or the default, and callers go on, because there is nobody left to tell.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

namespace uintr::js {

napi_value undefined(napi_env env);
napi_value boolean(napi_env env, bool value);
napi_value number(napi_env env, double value);
napi_value string(napi_env env, const std::string& value);
napi_value object(napi_env env);
napi_value array(napi_env env);
// A function that gets `data` back from this_data().
napi_value function(napi_env env, const char* name, napi_callback callback, void* data);

void set(napi_env env, napi_value object, const char* key, napi_value value);
void set(napi_env env, napi_value object, const char* key, double value);
void set(napi_env env, napi_value object, const char* key, const std::string& value);
void set(napi_env env, napi_value array, uint32_t index, napi_value value);

// Properties of an options object; `fallback` where there is none.
double get_number(napi_env env, napi_value object, const char* key, double fallback);
std::string get_string(napi_env env, napi_value object, const char* key);

double to_number(napi_env env, napi_value value, double fallback = 0);

// The environment is ending: no JavaScript runs in it any more.
bool has_ended(napi_env env);

// The data of the running function and up to `max` arguments; missing ones are undefined.
void* arguments(napi_env env, napi_callback_info info, size_t max, napi_value* values);

// A handle scope for code that the loop calls.
class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) { open_ = napi_open_handle_scope(env, &scope_) == napi_ok; }
  ~Scope() {
    if (open_) napi_close_handle_scope(env_, scope_);
  }
  Scope(const Scope&) = delete;
  bool open() const { return open_; }

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
  bool open_;
};

// Calls a JavaScript function from the loop, inside a callback scope: without one promise continuations wait for
// whatever comes next (Node 26: for ever).
class Callback {
 public:
  bool set(napi_env env, napi_value function, const char* resource_name);
  void clear();
  // In termination nothing happens.
  void call(size_t count, const napi_value* arguments);
  napi_env env() const { return env_; }

 private:
  napi_env env_ = nullptr;
  napi_ref function_ = nullptr, resource_ = nullptr;
  napi_async_context context_ = nullptr;
};

}  // namespace uintr::js
