// Where the bytes of a JavaScript buffer lie.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace uintr {

struct Bytes {
  void* data;               // never null, also where length is 0: null means "no buffer" to the engine
  uint64_t length;          // bytes
  napi_value array_buffer;  // what holds them
};

// A typed array, DataView or ArrayBuffer. A SharedArrayBuffer comes wrapped in a Uint8Array: Node-API of Node 20 knows
// no bare one. False: something else. A small typed array's bytes lie on V8's heap until this asks for them, and
// outside it, at one place, from then on.
bool bytes_of(napi_env env, napi_value value, Bytes* bytes);

}  // namespace uintr
