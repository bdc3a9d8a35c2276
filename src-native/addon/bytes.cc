#include "addon/bytes.h"

#include "addon/js.h"

namespace uintr {
namespace {

char no_bytes;

// Bytes per element, by napi_typedarray_type. 0: a type that this Node's Node-API has no name for.
constexpr uint8_t kElementBytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};

}  // namespace

bool bytes_of(napi_env env, napi_value value, Bytes* bytes) {
  void* data = nullptr;
  size_t length = 0, offset = 0;
  bytes->array_buffer = nullptr;
  int type = -1;  // stays so for a type that Node-API does not know
  static_assert(sizeof(napi_typedarray_type) == sizeof(int));
  if (napi_get_typedarray_info(env, value, reinterpret_cast<napi_typedarray_type*>(&type), &length, &data,
                               &bytes->array_buffer, &offset) == napi_ok) {
    if (type >= 0 && type < static_cast<int>(sizeof kElementBytes)) {
      length *= kElementBytes[type];
    } else {
      length = static_cast<size_t>(js::get_number(env, value, "byteLength", 0));
    }
  } else if (napi_get_arraybuffer_info(env, value, &data, &length) == napi_ok) {
    bytes->array_buffer = value;
  } else if (napi_get_dataview_info(env, value, &length, &data, &bytes->array_buffer, &offset) != napi_ok) {
    return false;
  }
  bytes->data = length == 0 || data == nullptr ? &no_bytes : data;
  bytes->length = data == nullptr ? 0 : length;
  return true;
}

}  // namespace uintr
