#include "addon/hub.h"

#include <memory>
#include <vector>

#include "bootstrap/hub.h"
#include "bootstrap/hub_socket.h"
#include "engine/types.h"

namespace {

// A hub and the ends of its sockets that nobody has taken yet.
struct Launch {
  struct End {
    int fd;
    uint64_t inode;
  };
  ~Launch() { close(); }
  void close() {
    hub.reset();
    for (size_t rank = 0; rank < ends.size(); ++rank) release(rank);
    ends.clear();
  }
  // What has been taken over, by a rank that is a thread, is no longer this one's to close.
  void release(size_t rank) { uintr::drop_hub_socket(ends[rank].fd, ends[rank].inode); }

  std::unique_ptr<uintr::Hub> hub;
  std::vector<End> ends;
};

using Shared = std::shared_ptr<Launch>;

// release(rank): the launcher keeps that rank's end no longer. Whoever is to use it has it by now, or will not come.
Napi::Value release(const Napi::CallbackInfo& info) {
  Launch& launch = **static_cast<Shared*>(info.Data());
  const double rank = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (rank >= 0 && rank < static_cast<double>(launch.ends.size())) launch.release(static_cast<size_t>(rank));
  return info.Env().Undefined();
}

Napi::Value close_hub(const Napi::CallbackInfo& info) {
  (*static_cast<Shared*>(info.Data()))->close();
  return info.Env().Undefined();
}

// A function of the hub; each keeps what they share.
bool add_function(Napi::Object hub, const char* name, Napi::Value (*body)(const Napi::CallbackInfo&),
                  const Shared& shared) {
  auto* data = new Shared(shared);
  Napi::Function function = Napi::Function::New(hub.Env(), body, name, data);
  if (function.IsEmpty()) {
    delete data;
    return false;
  }
  function.AddFinalizer([](Napi::Env, Shared* held) { delete held; }, data);
  hub.Set(name, function);
  return true;
}

Napi::Value create_hub(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  // What is no number in range is 0 here, and refused with the rest.
  const double size = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  std::vector<uintr::Fd> sockets;
  uintr::JoinError error;
  // Not make_shared: without RTTI it needs a newer libstdc++ than the oldest that is supported.
  Shared shared(new Launch());
  Launch& launch = *shared;
  launch.hub = uintr::Hub::for_children(size >= 1 && size <= uintr::kMaxRanks ? static_cast<uint32_t>(size) : 0,
                                        &sockets, &error);
  if (launch.hub == nullptr) {
    Napi::Error failure = Napi::Error::New(env, error.message);
    failure.Set("code", error.code);
    if (error.syscall != nullptr) failure.Set("syscall", error.syscall);
    if (error.error_number != 0) failure.Set("errno", static_cast<double>(error.error_number));
    failure.ThrowAsJavaScriptException();
    return env.Undefined();
  }

  Napi::Array fds = Napi::Array::New(env, sockets.size());
  for (uint32_t rank = 0; rank < sockets.size(); ++rank) {
    const int fd = sockets[rank].release();
    launch.ends.push_back({fd, uintr::inode_of(fd)});
    fds.Set(rank, static_cast<double>(fd));
  }
  Napi::Object hub = Napi::Object::New(env);
  hub.Set("fds", fds);
  if (!add_function(hub, "release", release, shared) || !add_function(hub, "close", close_hub, shared)) {
    return env.Undefined();
  }
  return hub;
}

}  // namespace

void export_hub(Napi::Env env, Napi::Object exports) {
  exports.Set("createHub", Napi::Function::New(env, create_hub, "createHub"));
}
