// Keeps the memory behind an ArrayBuffer although JavaScript detaches the buffer (a transfer to another thread) while a
// peer still copies. Node-API has no call for it, so this uses V8's own, where the running Node exports it under the
// name it has had since V8 8; where it does not, detaching a buffer in flight is the caller's error, as documented.
#pragma once

#include <node_api.h>

#include <memory>

namespace uintr {

using BackingStore = std::shared_ptr<void>;

// True: backing_store_of() really holds memory.
bool backing_stores_can_be_held();
// Empty where that is not so. `array_buffer` is an ArrayBuffer, or the SharedArrayBuffer behind a typed array.
BackingStore backing_store_of(napi_value array_buffer);

}  // namespace uintr
