// What each operation does to a vector of 16 bytes, as JavaScript does it to each number of a typed array.
#pragma once

#include <cstdint>

namespace uintr::reduction {

template <class T>
struct Lanes {
  typedef T Vector __attribute__((vector_size(16)));
};
template <class T>
using Vector = typename Lanes<T>::Vector;

// Comparisons of vectors give integers of the same width, 0 or -1 (all bits).
template <class V>
using Mask = decltype(V() < V());

// ---- any number. Integers wrap when they are unsigned, and signed ones wrap to the same bits. A product is exact
// before it wraps, as Math.imul and BigInt have it (`a * b` of two large numbers in JavaScript is rounded first).
//
// Float32Array: JavaScript adds and multiplies in double precision and then rounds to single. That is the same as
// rounding once, because 53 bits are at least 2 * 24 + 2 (Figueroa, "When is double rounding innocuous?", 1995).

struct Sum {
  template <class V>
  static V of(V a, V b) {
    return a + b;
  }
};
struct Prod {
  template <class V>
  static V of(V a, V b) {
    return a * b;
  }
};

// ---- integers

struct Min {
  template <class V>
  static V of(V a, V b) {
    return a < b ? a : b;
  }
};
struct Max {
  template <class V>
  static V of(V a, V b) {
    return a > b ? a : b;
  }
};
struct BAnd {
  template <class V>
  static V of(V a, V b) {
    return a & b;
  }
};
struct BOr {
  template <class V>
  static V of(V a, V b) {
    return a | b;
  }
};
struct BXor {
  template <class V>
  static V of(V a, V b) {
    return a ^ b;
  }
};
struct LAnd {
  template <class V>
  static V of(V a, V b) {
    return (V)((a != 0) & (b != 0)) & 1;
  }
};
struct LOr {
  template <class V>
  static V of(V a, V b) {
    return (V)((a | b) != 0) & 1;
  }
};

// ---- Uint8ClampedArray

struct ClampedSum {
  static Vector<uint8_t> of(Vector<uint8_t> a, Vector<uint8_t> b) {
    const Vector<uint8_t> wrapped = a + b;
    return wrapped | (Vector<uint8_t>)(wrapped < a);
  }
};
struct ClampedProd {
  using Words = Vector<uint16_t>;
  static Words clamp(Words v) { return (v | (Words)(v > 255)) & 255; }
  static Vector<uint8_t> of(Vector<uint8_t> a, Vector<uint8_t> b) {
    // There is no product of bytes: those at even places and those at odd ones, each in a word.
    const Words x = (Words)a, y = (Words)b;
    return (Vector<uint8_t>)(clamp((x & 255) * (y & 255)) | clamp((x >> 8) * (y >> 8)) << 8);
  }
};

// ---- floating point

// Math.min: NaN if either is, and -0 is less than +0. Where a and b are neither less nor greater than each other,
// `less` is b and `other` is a: of two zeros, or of NaN and anything, the bits of both together are the result.
struct FloatMin {
  template <class V>
  static V of(V a, V b) {
    const V less = a < b ? a : b;
    const V other = b < a ? b : a;
    return (V)((Mask<V>)less | (Mask<V>)other);
  }
};
// Math.max, zeros and NaN included.
struct FloatMax {
  template <class V>
  static V of(V a, V b) {
    return -FloatMin::of(-a, -b);
  }
};
struct FloatLogical {
  // NaN is neither, and falsy.
  template <class V>
  static Mask<V> truthy(V v) {
    return (v < 0) | (v > 0);
  }
  template <class V>
  static V number(Mask<V> truth) {
    return truth ? V() + 1 : V();
  }
};
struct FloatLAnd : FloatLogical {
  template <class V>
  static V of(V a, V b) {
    return number<V>(truthy(a) & truthy(b));
  }
};
struct FloatLOr : FloatLogical {
  template <class V>
  static V of(V a, V b) {
    return number<V>(truthy(a) | truthy(b));
  }
};

}  // namespace uintr::reduction
