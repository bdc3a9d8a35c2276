// What the addon keeps per environment: a process has one on its main thread and one on each worker that loads it.
#pragma once

#include <node_api.h>

#include <atomic>
#include <memory>
#include <vector>

namespace uintr {

class World;
class Receiver;
struct SignalGuard;

struct Instance {
  // Every world this environment ever joined. A closed one is an empty shell, but the functions of its JavaScript
  // object point at it, and they may be called for as long as the environment lives.
  std::vector<std::shared_ptr<World>> worlds;
  std::vector<Receiver*> receivers;  // that are open (receiver.h)
  std::vector<SignalGuard*> guards;  // signal_guard.h; each ends with its own hook
  std::atomic<uint32_t> asked{0};    // how often the signal of inspect_signal.h has come
};

// Made by the module's init, deleted by the environment after everything that could use it.
bool instance_create(napi_env env);
Instance* instance_of(napi_env env);

}  // namespace uintr
