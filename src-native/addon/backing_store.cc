#include "addon/backing_store.h"

namespace uintr {

// std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore(). A shared_ptr<T> is two words whatever T is, and
// its owner's part, which frees, is reached through a vtable of its own; returned in memory, so a hidden first argument
// precedes `this`, which for V8's handles is the address that a napi_value holds.
// NOLINTNEXTLINE(clang-diagnostic-return-type-c-linkage): the name is C++'s, given below; extern "C" keeps ours out of it
extern "C" BackingStore get_backing_store(napi_value self) __asm__("_ZN2v811ArrayBuffer15GetBackingStoreEv")
    __attribute__((weak));

bool backing_stores_can_be_held() { return &get_backing_store != nullptr; }

BackingStore backing_store_of(napi_value array_buffer) {
  if (!backing_stores_can_be_held() || array_buffer == nullptr) return {};
  return get_backing_store(array_buffer);
}

}  // namespace uintr
