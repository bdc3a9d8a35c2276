// A Node addon for the tests: start() makes the calling JavaScript thread a receiver and lets another thread send to it
// without end; stop() returns how often the handler has run.
#include "uintr.h"

// The part of the stable Node-API that this takes.
extern "C" {
struct napi_env__;
struct napi_value__;
using napi_env = napi_env__*;
using napi_value = napi_value__*;
using napi_callback = napi_value (*)(napi_env, void*);
int napi_create_function(napi_env, const char*, size_t, napi_callback, void*, napi_value*);
int napi_set_named_property(napi_env, napi_value, const char*, napi_value);
int napi_create_double(napi_env, double, napi_value*);
}

namespace {

struct Fire {
  uint64_t runs;
  int fd;
  uint64_t index;
  std::atomic<bool> stop;
  pthread_t thread;
};
thread_local Fire* fire = nullptr;
thread_local uint64_t* runs = nullptr;

HANDLER void count_run(__uintr_frame*, unsigned long long) {
  ++*runs;
}

// Cycles from one interrupt to the next, about 100 us: an emulated one takes some 30 us of its receiver, and without a
// pause a receiver with a processor of its own would get to nothing else.
constexpr uint64_t kPeriod = 200'000;

void* storm(void* self) {
  auto* f = static_cast<Fire*>(self);
  while (!f->stop) {
    senduipi(f->index);
    for (const uint64_t next = __builtin_ia32_rdtsc() + kPeriod; __builtin_ia32_rdtsc() < next;) __builtin_ia32_pause();
  }
  return nullptr;
}

napi_value start(napi_env, void*) {
  fire = new Fire{};
  runs = &fire->runs;
  CHECK_EQ(uintr(kRegister, reinterpret_cast<long>(count_run)), 0);
  fire->fd = vector_fd(42);
  // Here, because the worker may have been terminated before its storm's thread comes to run.
  fire->index = sender(fire->fd);
  stui();
  CHECK_EQ(pthread_create(&fire->thread, nullptr, storm, fire), 0);
  return nullptr;
}

napi_value stop(napi_env env, void*) {
  fire->stop = true;
  pthread_join(fire->thread, nullptr);
  CHECK_EQ(remove_sender(fire->index, fire->fd), 0);
  CHECK_EQ(uintr(kUnregister), 0);
  close(fire->fd);
  napi_value result;
  napi_create_double(env, static_cast<double>(fire->runs), &result);
  delete fire;
  return result;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int node_api_module_get_api_version_v1() { return 8; }

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value f;
  napi_create_function(env, "start", 5, start, nullptr, &f);
  napi_set_named_property(env, exports, "start", f);
  napi_create_function(env, "stop", 4, stop, nullptr, &f);
  napi_set_named_property(env, exports, "stop", f);
  return exports;
}
