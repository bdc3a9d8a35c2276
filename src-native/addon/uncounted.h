// Bytes of ArrayBuffers that V8 is not to take for this thread's memory. It counts each by its length as external memory
// and collects garbage as that grows; what is taken off that count here is put back before V8 takes off the length.
//
// V8 ends the process where the count would fall below zero (Node 24 on), and takes the length off a while before the
// finalizer runs that puts the rest back. So there is a ballast: as much is added once as is taken off at any time.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace uintr {

class Uncounted {
 public:
  // Before V8 counts them.
  void leave_out(napi_env env, int64_t bytes) {
    left_out_ += bytes;
    if (left_out_ > ballast_) {
      const int64_t more = left_out_ - ballast_ > ballast_ ? left_out_ - ballast_ : ballast_;
      adjust(env, more);
      ballast_ += more;
    }
    adjust(env, -bytes);
  }

  // Before V8 no longer counts them, or in the finalizer.
  void put_back(napi_env env, int64_t bytes) {
    adjust(env, bytes);
    left_out_ -= bytes;
  }

 private:
  static void adjust(napi_env env, int64_t bytes) {
    int64_t total = 0;
    if (bytes != 0) napi_adjust_external_memory(env, bytes, &total);
  }

  int64_t left_out_ = 0, ballast_ = 0;
};

}  // namespace uintr
