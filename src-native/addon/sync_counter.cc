// Counters: by locked instructions, or per processor.
#include "addon/boxed.h"
#include "addon/sync.h"
#include "sync/counter.h"
#include "sync/per_cpu.h"

namespace uintr {
namespace {

using sync::Kind;

struct AtomicBox {
  SharedOpenRegion open;
  sync::AtomicCounterWords* words;
};

struct PerCpuBox {
  SharedOpenRegion open;
  sync::PerCpuCounter counter;
};

// What `value` is modulo 2^64; numbers are integers (lib/sync checks).
uint64_t to_word(napi_env env, napi_value value) {
  int64_t word = 0;
  bool lossless = true;
  if (napi_get_value_int64(env, value, &word) != napi_ok) napi_get_value_bigint_int64(env, value, &word, &lossless);
  return static_cast<uint64_t>(word);
}

napi_value bigint(napi_env env, uint64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_int64(env, static_cast<int64_t>(value), &result);
  return result;
}

// Whether the region is open; of the first function that is called in a program's loop nothing else is asked.
template <class Box>
napi_value told(napi_env env, const Box& box) {
  return js::boolean(env, box.open->region != nullptr);
}

template <uint64_t n>
napi_value atomic_step(napi_env env, napi_callback_info info) {
  auto& box = box_of<AtomicBox>(env, info);
  if (box.open->region != nullptr) box.words->value.add_sc(n);
  return told(env, box);
}

napi_value atomic_add(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto& box = box_of<AtomicBox>(env, info, 1, &value);
  if (box.open->region != nullptr) box.words->value.add_sc(to_word(env, value));
  return told(env, box);
}

napi_value fetch_add(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto& box = box_of<AtomicBox>(env, info, 1, &value);
  if (box.open->region == nullptr) return js::undefined(env);
  return bigint(env, box.words->value.add_sc(to_word(env, value)));
}

napi_value exchange(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto& box = box_of<AtomicBox>(env, info, 1, &value);
  if (box.open->region == nullptr) return js::undefined(env);
  return bigint(env, box.words->value.exchange_sc(to_word(env, value)));
}

napi_value load(napi_env env, napi_callback_info info) {
  auto& box = box_of<AtomicBox>(env, info);
  return box.open->region == nullptr ? js::undefined(env) : bigint(env, box.words->value.load_sc());
}

template <uint64_t n>
napi_value per_cpu_step(napi_env env, napi_callback_info info) {
  auto& box = box_of<PerCpuBox>(env, info);
  if (box.open->region != nullptr) box.counter.add(n);
  return told(env, box);
}

napi_value per_cpu_add(napi_env env, napi_callback_info info) {
  napi_value value = nullptr;
  auto& box = box_of<PerCpuBox>(env, info, 1, &value);
  if (box.open->region != nullptr) box.counter.add(to_word(env, value));
  return told(env, box);
}

napi_value sum(napi_env env, napi_callback_info info) {
  auto& box = box_of<PerCpuBox>(env, info);
  return box.open->region == nullptr ? js::undefined(env) : bigint(env, box.counter.sum());
}

}  // namespace

napi_value counter_object(napi_env env, const SharedOpenRegion& open, Kind kind, sync::ObjectHeader* object) {
  if (kind == Kind::AtomicCounter) {
    constexpr Method kCalls[] = {{"increment", atomic_step<1>}, {"decrement", atomic_step<~0ull>}, {"add", atomic_add},
                                 {"fetchAdd", fetch_add},       {"exchange", exchange},            {"load", load}};
    auto* words = &sync::words_of<sync::AtomicCounterWords>(object);
    return boxed_object(env, std::make_unique<AtomicBox>(AtomicBox{open, words}), kCalls);
  }
  constexpr Method kCalls[] = {
      {"increment", per_cpu_step<1>}, {"decrement", per_cpu_step<~0ull>}, {"add", per_cpu_add}, {"sum", sum}};
  const sync::PerCpuCounter counter(&sync::words_of<sync::PerCpuSlot>(object), open->region->lines_at(object));
  napi_value result = boxed_object(env, std::make_unique<PerCpuBox>(PerCpuBox{open, counter}), kCalls);
  js::set(env, result, "restartable", js::boolean(env, sync::has_restartable_sequences()));
  return result;
}

}  // namespace uintr
