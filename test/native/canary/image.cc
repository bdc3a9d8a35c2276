#include "image.h"

#include <cpuid.h>

#include <cstring>

namespace canary {
namespace {

constexpr const char* kGpr[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
struct Flag {
  const char* name;
  uint64_t bit;
};
constexpr Flag kFlags[] = {{"CF", 1},       {"PF", 4},       {"AF", 0x10},  {"ZF", 0x40},
                           {"SF", 0x80},    {"DF", 0x400},   {"OF", 0x800}};
constexpr uint64_t kFlagsAlways = 0x202;  // bit 1 and IF
// Offsets in the legacy region of an XSAVE area (SDM, table 13-1), and of the header behind it.
constexpr size_t kControlWord = 0, kStatusWord = 2, kTagWord = 4, kMxcsr = 24, kSt = 32, kXmm = 160, kHeader = 512;

uint32_t components() {
  uint32_t a, b, c, d;
  __cpuid(1, a, b, c, d);
  if ((c & bit_OSXSAVE) == 0) __builtin_trap();  // every processor that Node 20 runs on has it
  asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return a & (1u << kX87 | 1u << kSse | 1u << kAvx | 1u << kOpmask | 1u << kZmmHigh | 1u << kZmm16);
}

// Where a component lies in the area; the processor says.
size_t place(Component component) {
  uint32_t a, b, c, d;
  __cpuid_count(0xd, component, a, b, c, d);
  if (b + a > sizeof(Image::xsave)) __builtin_trap();
  return b;
}

struct Field {
  std::string name;
  size_t at, bytes;
};

std::vector<Field> fields() {
  std::vector<Field> all = {{"x87 control word", kControlWord, 2},
                            {"x87 status word", kStatusWord, 2},
                            {"x87 tags", kTagWord, 1},
                            {"MXCSR", kMxcsr, 4}};
  auto add = [&all](const char* prefix, size_t first, size_t count, const char* suffix, size_t at, size_t bytes,
                    size_t step) {
    for (size_t i = 0; i < count; ++i) {
      all.push_back({prefix + std::to_string(first + i) + suffix, at + i * step, bytes});
    }
  };
  add("st", 0, 8, "", kSt, 10, 16);
  add("xmm", 0, 16, "", kXmm, 16, 16);
  if (has(kAvx)) add("ymm", 0, 16, " high", place(kAvx), 16, 16);
  if (has(kOpmask)) add("k", 0, 8, "", place(kOpmask), 8, 8);
  if (has(kZmmHigh)) add("zmm", 0, 16, " high", place(kZmmHigh), 32, 32);
  if (has(kZmm16)) add("zmm", 16, 16, "", place(kZmm16), 64, 64);
  return all;
}

template <class T>
void put(Image* image, size_t at, T value) {
  memcpy(image->xsave + at, &value, sizeof value);
}

}  // namespace

uint32_t canary_components = components();

bool has(Component component) { return (canary_components >> component & 1) != 0; }

void fill(Image* image, std::mt19937_64& random) {
  *image = Image{};
  for (uint64_t& r : image->gpr) r = random();
  image->flags = kFlagsAlways;
  for (const Flag& f : kFlags) image->flags |= random() % 2 == 0 ? f.bit : 0;
  for (unsigned char& b : image->red_zone) b = static_cast<unsigned char>(random());
  for (const Field& f : fields()) {
    for (size_t i = 0; i < f.bytes; ++i) image->xsave[f.at + i] = static_cast<unsigned char>(random());
  }
  // All exceptions masked; precision and rounding as it comes, without the reserved precision.
  constexpr uint16_t kPrecision[] = {0, 0x200, 0x300};
  put(image, kControlWord, static_cast<uint16_t>(0x7f | kPrecision[random() % 3] | (random() % 4) << 10));
  put(image, kStatusWord, static_cast<uint16_t>(random() % 8 << 11));  // the top of the stack
  put(image, kTagWord, uint8_t{0xff});                                 // no register is empty
  put(image, kMxcsr, static_cast<uint32_t>(0x1f80 | (random() & 0xe07f)));
  put(image, kHeader, uint64_t{canary_components});
}

std::vector<std::string> differences(const Image& want, const Image& seen) {
  std::vector<std::string> found;
  for (size_t i = 0; i < 16; ++i) {
    if (want.gpr[i] != seen.gpr[i]) found.push_back(kGpr[i]);
  }
  for (const Flag& f : kFlags) {
    if (((want.flags ^ seen.flags) & f.bit) != 0) found.push_back(f.name);
  }
  for (int i = 0; i < RED_ZONE; ++i) {
    if (want.red_zone[i] != seen.red_zone[i]) found.push_back("red zone -" + std::to_string(RED_ZONE - i));
  }
  static const std::vector<Field> all = fields();
  for (const Field& f : all) {
    if (memcmp(want.xsave + f.at, seen.xsave + f.at, f.bytes) != 0) found.push_back(f.name);
  }
  return found;
}

}  // namespace canary
