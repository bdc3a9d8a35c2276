#include "addon/doorbell.h"

#include "addon/join_job.h"
#include "addon/js.h"
#include "addon/receiver.h"
#include "drivers/doorbell_sender.h"

namespace uintr {
namespace {

using Choice = DoorbellReceiver::Choice;

Receiver* receiver_of(napi_env env, napi_callback_info info, size_t max = 0, napi_value* values = nullptr) {
  return static_cast<Receiver*>(js::arguments(env, info, max, values));
}

napi_value bigint(napi_env env, uint64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_uint64(env, value, &result);
  return result;
}

// createFd(vector): a descriptor, or why not
napi_value create_fd(napi_env env, napi_callback_info info) {
  napi_value vector = nullptr;
  Receiver* receiver = receiver_of(env, info, 1, &vector);
  JoinError error;
  const int fd = receiver->create_fd(static_cast<uint32_t>(js::to_number(env, vector)), &error);
  return fd >= 0 ? js::number(env, fd) : failure_object(env, doorbell_error(error));
}

// count(vector)
napi_value count(napi_env env, napi_callback_info info) {
  napi_value vector = nullptr;
  Receiver* receiver = receiver_of(env, info, 1, &vector);
  return bigint(env, receiver->count(static_cast<uint32_t>(js::to_number(env, vector))));
}

// wait(ms, first): the vectors taken; 0n: none yet
napi_value wait(napi_env env, napi_callback_info info) {
  napi_value values[2] = {};
  Receiver* receiver = receiver_of(env, info, 2, values);
  bool first = false;
  napi_get_value_bool(env, values[1], &first);
  return bigint(env, receiver->wait_slice(js::to_number(env, values[0]), first));
}

napi_value ref(napi_env env, napi_callback_info info) {
  receiver_of(env, info)->ref();
  return js::undefined(env);
}

napi_value unref(napi_env env, napi_callback_info info) {
  receiver_of(env, info)->unref();
  return js::undefined(env);
}

napi_value close_receiver(napi_env env, napi_callback_info info) {
  receiver_of(env, info)->close();
  return js::undefined(env);
}

Choice choice_of(const std::string& driver) {
  return driver == "uintr" ? Choice::Uintr : driver == "signal" ? Choice::Signal : Choice::Auto;
}

napi_value open_receiver(napi_env env, napi_callback_info info) {
  napi_value values[3] = {};
  js::arguments(env, info, 3, values);
  napi_value box = js::object(env);
  js::set(env, box, "driver", values[0]);
  js::set(env, box, "signal", values[1]);
  JoinError error;
  Receiver* receiver = Receiver::open(env, choice_of(js::get_string(env, box, "driver")),
                                      js::get_string(env, box, "signal"), values[2], &error);
  if (receiver == nullptr) return failure_object(env, doorbell_error(error));
  napi_value object = js::object(env);
  const auto finalize = [](napi_env, void* data, void*) { static_cast<Receiver*>(data)->forgotten(); };
  if (object == nullptr || napi_add_finalizer(env, object, receiver, finalize, nullptr, nullptr) != napi_ok) {
    receiver->forgotten();
    receiver->close();
    return js::undefined(env);
  }
  js::set(env, object, "driver", receiver->driver());
  constexpr struct {
    const char* name;
    napi_callback callback;
  } kCalls[] = {
      {"createFd", create_fd}, {"count", count}, {"wait", wait},
      {"ref", ref},            {"unref", unref}, {"close", close_receiver},
  };
  for (const auto& call : kCalls) js::set(env, object, call.name, js::function(env, call.name, call.callback, receiver));
  return object;
}

// ---- the sender: what its object refers to lives as long as the object, open or closed

using SenderBox = std::unique_ptr<DoorbellSender>;

napi_value send(napi_env env, napi_callback_info info) {
  auto& sender = *static_cast<SenderBox*>(js::arguments(env, info, 0, nullptr));
  if (sender != nullptr) sender->send();
  return js::undefined(env);
}

napi_value close_sender(napi_env env, napi_callback_info info) {
  static_cast<SenderBox*>(js::arguments(env, info, 0, nullptr))->reset();
  return js::undefined(env);
}

napi_value open_sender(napi_env env, napi_callback_info info) {
  napi_value fd = nullptr;
  js::arguments(env, info, 1, &fd);
  JoinError error;
  auto box = std::make_unique<SenderBox>(DoorbellSender::open(static_cast<int>(js::to_number(env, fd, -1)), &error));
  if (*box == nullptr) return failure_object(env, doorbell_error(error));
  napi_value object = js::object(env);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<SenderBox*>(data); };
  if (object == nullptr || napi_add_finalizer(env, object, box.get(), finalize, nullptr, nullptr) != napi_ok) {
    return js::undefined(env);
  }
  js::set(env, object, "send", js::function(env, "send", send, box.get()));
  js::set(env, object, "close", js::function(env, "close", close_sender, box.get()));
  static_cast<void>(box.release());  // the finalizer's now
  return object;
}

}  // namespace

void export_doorbell(napi_env env, napi_value exports) {
  js::set(env, exports, "openReceiver", js::function(env, "openReceiver", open_receiver, nullptr));
  js::set(env, exports, "openSender", js::function(env, "openSender", open_sender, nullptr));
}

}  // namespace uintr
