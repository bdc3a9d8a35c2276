// Every type and every operation, against what JavaScript does with one number at a time.
// sources: src-native/reduction/*.cc src-native/reduction/*.S
#include "reference.h"

using namespace reduction;

namespace {

// Two arrays as they lie in memory, `shift` bytes off any alignment, with bytes around them that must not change.
template <class T>
class Arrays {
 public:
  Arrays(uint64_t elements, uint64_t shift_inout, uint64_t shift_in)
      : elements_(elements), inout_(kMargin + shift_inout), in_(kMargin + shift_in) {
    const uint64_t bytes = elements * sizeof(T) + 2 * kMargin + 16;
    a_.assign(bytes, 0xa5);
    b_.assign(bytes, 0x5a);
  }
  template <class Next>
  void fill(Next next) {
    for (uint64_t i = 0; i < elements_; ++i) {
      const T x = next(), y = next();
      memcpy(&a_[inout_ + i * sizeof(T)], &x, sizeof x);
      memcpy(&b_[in_ + i * sizeof(T)], &y, sizeof y);
    }
  }
  void check(const Case<T>& c) {
    std::vector<unsigned char> expected = a_;
    const std::vector<unsigned char> in = b_;
    for (uint64_t i = 0; i < elements_; ++i) {
      const T x = at(expected, inout_, i), y = at(b_, in_, i);
      const T z = c.reference(x, y);
      memcpy(&expected[inout_ + i * sizeof(T)], &z, sizeof z);
    }
    uintr_reduce(c.kind, &a_[inout_], &b_[in_], elements_);
    for (uint64_t i = 0; i < elements_; ++i) {
      const T found = at(a_, inout_, i), wanted = at(expected, inout_, i);
      // One NaN is as good as another.
      if (is_nan(found) && is_nan(wanted)) memcpy(&expected[inout_ + i * sizeof(T)], &found, sizeof found);
    }
    CHECK(a_ == expected);
    CHECK(b_ == in);
  }

 private:
  static constexpr uint64_t kMargin = 32;
  static T at(const std::vector<unsigned char>& bytes, uint64_t from, uint64_t i) {
    T value;
    memcpy(&value, &bytes[from + i * sizeof(T)], sizeof value);
    return value;
  }
  const uint64_t elements_, inout_, in_;
  std::vector<unsigned char> a_, b_;
};

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> all = {T(0), T(1), T(2), T(3), Limits::max(), Limits::lowest(), T(Limits::max() / 2), T(15), T(17)};
  if constexpr (std::is_floating_point_v<T>) {
    for (T v : {Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(), Limits::min(), Limits::epsilon(),
                T(0.1)}) {
      all.push_back(v);
      all.push_back(-v);
    }
    all.push_back(T(-0.0));
    all.push_back(T(1) + Limits::epsilon());
  } else {
    all.push_back(T(-1));
    all.push_back(T(1) << (sizeof(T) * 4));
    all.push_back(T(Limits::lowest() + 1));
  }
  return all;
}

// Any bits: of floating point, every exponent.
template <class T>
T random_bits(Random& random) {
  const uint64_t bits = random();
  T value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
void check_edges(const Case<T>& c) {
  const std::vector<T> all = edges<T>();
  Arrays<T> arrays(all.size() * all.size(), 0, 0);
  uint64_t k = 0;
  arrays.fill([&] {
    const uint64_t i = k++;
    return all[i % 2 == 0 ? i / 2 / all.size() : i / 2 % all.size()];
  });
  arrays.check(c);
}

template <class T>
void check_lengths(const Case<T>& c) {
  Random random(c.kind + 1);
  const std::vector<T> all = edges<T>();
  const auto next = [&] { return random() % 4 == 0 ? all[random() % all.size()] : random_bits<T>(random); };
  for (uint64_t elements = 0; elements <= 67; ++elements) {
    Arrays<T> arrays(elements, elements % 16, (elements / 16 + elements * 7) % 16);
    arrays.fill(next);
    arrays.check(c);
  }
  Arrays<T> large(100003, 3, 5);
  large.fill(next);
  large.check(c);
}

template <class T>
void check_itself(const Case<T>& c) {
  for (uint64_t elements : {1, 7, 64, 67}) {
    Random random(elements);
    std::vector<T> values(elements), expected(elements);
    for (uint64_t i = 0; i < elements; ++i) {
      values[i] = random_bits<T>(random);
      expected[i] = c.reference(values[i], values[i]);
    }
    uintr_reduce(c.kind, values.data(), values.data(), elements);
    for (uint64_t i = 0; i < elements; ++i) {
      CHECK(memcmp(&values[i], &expected[i], sizeof(T)) == 0 || (is_nan(values[i]) && is_nan(expected[i])));
    }
  }
}

}  // namespace

TEST("01 every pair of edge values") {
  each_kind([](auto c) { check_edges(c); });
}

TEST("02 any length, wherever the arrays lie, and nothing beyond them") {
  each_kind([](auto c) { check_lengths(c); });
}

TEST("03 an array with itself") {
  each_kind([](auto c) { check_itself(c); });
}

TEST("04 the kinds there are, and no others") {
  std::vector<uint32_t> kinds;
  each_kind([&](auto c) { kinds.push_back(c.kind); });
  CHECK_EQ(kinds.size(), size_t{11 * 9 - 2 * 3});
  for (uint32_t kind = 0; kind < 1024; ++kind) {
    const bool valid = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    CHECK_EQ(uintr_reduce_valid(kind), valid);
    if (valid) continue;
    uint64_t a = 3, b = 5;
    uintr_reduce(kind, &a, &b, 1);
    CHECK_EQ(a, uint64_t{3});
  }
  CHECK(!uintr_reduce_valid(UINT32_MAX));
}

CHECK_MAIN("reduction/values")
