// What JavaScript does to one number of a typed array, said as plainly as C++ allows.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <random>

#include "check.h"
#include "reduction/reduction.h"

namespace reduction {

using Random = std::mt19937_64;
using uintr::ReduceOp;
using uintr::ReduceType;

template <class T>
bool is_nan(T v) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(v);
  return false;
}

// Wraps: exact, then cut off, as Math.imul and BigInt.asIntN do.
template <class T, bool clamped>
struct Reference {
  using Wide = unsigned __int128;
  static T cut(Wide exact) { return clamped && exact > 255 ? T(255) : static_cast<T>(exact); }
  static T sum(T a, T b) { return cut(static_cast<Wide>(a) + static_cast<Wide>(b)); }
  static T prod(T a, T b) { return cut(static_cast<Wide>(a) * static_cast<Wide>(b)); }
  static T min(T a, T b) { return std::min(a, b); }
  static T max(T a, T b) { return std::max(a, b); }
  static T band(T a, T b) { return static_cast<T>(a & b); }
  static T bor(T a, T b) { return static_cast<T>(a | b); }
  static T bxor(T a, T b) { return static_cast<T>(a ^ b); }
  static T land(T a, T b) { return a != 0 && b != 0 ? 1 : 0; }
  static T lor(T a, T b) { return a != 0 || b != 0 ? 1 : 0; }
};

template <std::floating_point T>
struct Reference<T, false> {
  // Numbers of JavaScript are doubles; storing rounds.
  static T sum(T a, T b) { return static_cast<T>(static_cast<double>(a) + static_cast<double>(b)); }
  static T prod(T a, T b) { return static_cast<T>(static_cast<double>(a) * static_cast<double>(b)); }
  static T min(T a, T b) {
    if (is_nan(a) || is_nan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == 0 && b == 0) return std::signbit(a) ? a : b;
    return a < b ? a : b;
  }
  static T max(T a, T b) {
    if (is_nan(a) || is_nan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == 0 && b == 0) return std::signbit(a) ? b : a;
    return a > b ? a : b;
  }
  static bool truthy(T v) { return v != 0 && !is_nan(v); }
  static T land(T a, T b) { return truthy(a) && truthy(b) ? 1 : 0; }
  static T lor(T a, T b) { return truthy(a) || truthy(b) ? 1 : 0; }
};

template <class T>
struct Case {
  uint32_t kind;
  T (*reference)(T, T);
};

template <class T, bool clamped = false, class Do>
void each_op(ReduceType type, Do run) {
  using R = Reference<T, clamped>;
  auto one = [&](ReduceOp op, T (*reference)(T, T)) { run(Case<T>{uintr::reduce_kind(type, op), reference}); };
  one(ReduceOp::Sum, R::sum);
  one(ReduceOp::Prod, R::prod);
  one(ReduceOp::Min, R::min);
  one(ReduceOp::Max, R::max);
  if constexpr (std::is_integral_v<T>) {
    one(ReduceOp::BAnd, R::band);
    one(ReduceOp::BOr, R::bor);
    one(ReduceOp::BXor, R::bxor);
  }
  one(ReduceOp::LAnd, R::land);
  one(ReduceOp::LOr, R::lor);
}

// Calls `run` with the Case of every kind there is.
template <class Do>
void each_kind(Do run) {
  each_op<int8_t>(ReduceType::I8, run);
  each_op<uint8_t>(ReduceType::U8, run);
  each_op<uint8_t, true>(ReduceType::U8Clamped, run);
  each_op<int16_t>(ReduceType::I16, run);
  each_op<uint16_t>(ReduceType::U16, run);
  each_op<int32_t>(ReduceType::I32, run);
  each_op<uint32_t>(ReduceType::U32, run);
  each_op<int64_t>(ReduceType::I64, run);
  each_op<uint64_t>(ReduceType::U64, run);
  each_op<float>(ReduceType::F32, run);
  each_op<double>(ReduceType::F64, run);
}

}  // namespace reduction
