// postSchedule(): from records of numbers to what the engine carries out. The engine trusts its steps, so every number
// is looked at here.
#include "addon/schedule.h"

#include <cmath>
#include <memory>

#include "addon/bytes.h"
#include "addon/js.h"
#include "addon/world.h"
#include "reduction/reduction.h"

namespace uintr {
namespace {

using Kind = ScheduleStep::Kind;

constexpr size_t kRecordNumbers = 8;

// lib/collectives/schedule.ts
struct Record {
  uint64_t kind, peer, buffer, offset, length, buffer2, offset2, extra;
};
static_assert(sizeof(Record) == kRecordNumbers * sizeof(uint64_t));

// False: one of them is no integer from 0 to 2^53.
bool read(const double* from, Record* record) {
  uint64_t* to = &record->kind;
  for (size_t i = 0; i < kRecordNumbers; ++i) {
    if (!(from[i] >= 0 && from[i] <= 0x1p53) || from[i] != std::floor(from[i])) return false;
    to[i] = static_cast<uint64_t>(from[i]);
  }
  return true;
}

struct Reader {
  uint32_t rank, size;
  std::vector<Bytes> buffers;

  // Null: not within the buffer.
  unsigned char* place(uint64_t buffer, uint64_t offset, uint64_t length) const {
    if (buffer >= buffers.size()) return nullptr;
    const Bytes& bytes = buffers[buffer];
    if (length > bytes.length || offset > bytes.length - length) return nullptr;
    return static_cast<unsigned char*>(bytes.data) + offset;
  }

  // These are false where no correct program makes the record.
  bool resolve(const Record& r, ScheduleStep* step) const {
    if (r.kind > static_cast<uint64_t>(Kind::Reduce)) return false;
    step->kind = static_cast<Kind>(r.kind);
    if (step->kind == Kind::End) return true;
    step->length = r.length;
    step->to = place(r.buffer, r.offset, r.length);
    if (step->to == nullptr) return false;
    if (step->kind == Kind::Send || step->kind == Kind::Receive) return resolve_message(r, step);
    step->from = place(r.buffer2, r.offset2, r.length);
    if (step->from == nullptr) return false;
    return step->kind == Kind::Copy || resolve_reduction(r, step);
  }

 private:
  bool resolve_message(const Record& r, ScheduleStep* step) const {
    if (r.peer >= size || r.peer == rank) return false;
    step->peer = static_cast<uint32_t>(r.peer);
    if (step->kind == Kind::Send) {
      step->from = step->to;
    } else if (r.extra != 0) {
      if (r.extra > r.length || r.extra > kMostCompared) return false;
      step->expected = static_cast<uint32_t>(r.extra);
      step->from = place(r.buffer2, r.offset2, r.extra);
      return step->from != nullptr;
    }
    return true;
  }

  static bool resolve_reduction(const Record& r, ScheduleStep* step) {
    if (r.extra >= uint64_t{kReductionTypes} * 16) return false;
    step->reduction = static_cast<uint32_t>(r.extra);
    const bool apart = step->to + step->length <= step->from || step->from + step->length <= step->to;
    return uintr_reduce_valid(step->reduction) && step->length % reduction_bytes(step->reduction) == 0 &&
           (apart || step->to == step->from);
  }
};

// postSchedule(ops: Float64Array, buffers): slot or PostResult; the context and the tag are in the exchange. With
// kPostBadSchedule Exchange::immediate.tag is the index of the record, with kPostNotBytes that of the buffer.
napi_value post_schedule(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  auto* world = static_cast<World*>(js::arguments(env, info, 2, arguments));
  if (world->engine() == nullptr) return js::number(env, kPostClosed);
  Exchange& x = world->exchange();
  auto refuse = [&](PostResult why, size_t index) {
    x.immediate.tag = static_cast<uint32_t>(index);
    return js::number(env, why);
  };

  auto posted = std::make_unique<PostedSchedule>();
  Reader reader{world->rank(), world->joined().geometry.size, {}};
  uint32_t count = 0;
  if (napi_get_array_length(env, arguments[1], &count) != napi_ok) return refuse(kPostNotBytes, 0);
  for (uint32_t i = 0; i < count; ++i) {
    napi_value value = nullptr;
    Bytes bytes{};
    if (napi_get_element(env, arguments[1], i, &value) != napi_ok || !bytes_of(env, value, &bytes)) {
      return refuse(kPostNotBytes, i);
    }
    reader.buffers.push_back(bytes);
    posted->bytes.push_back(backing_store_of(bytes.array_buffer));
  }

  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* numbers = nullptr;
  if (napi_get_typedarray_info(env, arguments[0], &type, &length, &numbers, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array || length % kRecordNumbers != 0) {
    return refuse(kPostBadSchedule, 0);
  }
  posted->steps.resize(length / kRecordNumbers);
  for (size_t i = 0; i < posted->steps.size(); ++i) {
    Record record{};
    if (!read(static_cast<const double*>(numbers) + i * kRecordNumbers, &record) ||
        !reader.resolve(record, &posted->steps[i])) {
      return refuse(kPostBadSchedule, i);
    }
  }

  Schedule& schedule = posted->schedule;
  schedule.steps = posted->steps.data();
  schedule.count = static_cast<uint32_t>(posted->steps.size());
  schedule.context = x.context;
  schedule.tag = x.tag & 0x7fffffff;
  const Posted result = world->engine()->post_schedule(&schedule);
  if (result.handle == kNoHandle) {
    x.immediate = result.completion;
    return js::number(env, kPostFailed);
  }
  world->remember(result.handle, std::move(posted));
  return js::number(env, handle_slot(result.handle));
}

}  // namespace

void define_schedules(World* world, napi_value object) {
  napi_env env = world->env();
  js::set(env, object, "postSchedule", js::function(env, "postSchedule", post_schedule, world));
}

}  // namespace uintr
