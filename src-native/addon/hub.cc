#include "addon/hub.h"

#include <memory>
#include <vector>

#include "bootstrap/hub.h"
#include "engine/types.h"

namespace {

using HubBox = std::unique_ptr<uintr::Hub>;

Napi::Value close_hub(const Napi::CallbackInfo& info) {
  // A second close finds nothing.
  static_cast<HubBox*>(info.Data())->reset();
  return info.Env().Undefined();
}

Napi::Value create_hub(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  // What is no number in range is 0 here, and refused with the rest.
  const double size = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  std::vector<uintr::Fd> sockets;
  uintr::JoinError error;
  auto box = std::make_unique<HubBox>(uintr::Hub::for_children(
      size >= 1 && size <= uintr::kMaxRanks ? static_cast<uint32_t>(size) : 0, &sockets, &error));
  if (!*box) {
    Napi::Error failure = Napi::Error::New(env, error.message);
    failure.Set("code", error.code);
    if (error.syscall != nullptr) failure.Set("syscall", error.syscall);
    if (error.error_number != 0) failure.Set("errno", static_cast<double>(error.error_number));
    failure.ThrowAsJavaScriptException();
    return env.Undefined();
  }

  Napi::Function close = Napi::Function::New(env, close_hub, "close", box.get());
  if (close.IsEmpty()) return env.Undefined();
  // The function is what the box is reached by, so it is what keeps it.
  close.AddFinalizer([](Napi::Env, HubBox* data) { delete data; }, box.release());
  Napi::Array fds = Napi::Array::New(env, sockets.size());
  for (uint32_t i = 0; i < sockets.size(); ++i) fds.Set(i, static_cast<double>(sockets[i].release()));
  Napi::Object hub = Napi::Object::New(env);
  hub.Set("fds", fds);
  hub.Set("close", close);
  return hub;
}

}  // namespace

void export_hub(Napi::Env env, Napi::Object exports) {
  exports.Set("createHub", Napi::Function::New(env, create_hub, "createHub"));
}
