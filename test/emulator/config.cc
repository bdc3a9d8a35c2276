#include "config.h"

#include <cstdlib>
#include <cstring>

#include "refuse.h"

namespace emulator {

Config config;

namespace {

const char* text_of(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value == nullptr || *value == 0 ? otherwise : value;
}

uint64_t number_of(const char* name, const char* text, char** rest) {
  const unsigned long long value = strtoull(text, rest, 10);
  if (*rest == text) refuse("%s: '%s' is no number", name, text);
  return value;
}

uint64_t number(const char* name, const char* otherwise) {
  char* rest;
  const char* text = text_of(name, otherwise);
  const uint64_t value = number_of(name, text, &rest);
  if (*rest != 0) refuse("%s: '%s' is no number", name, text);
  return value;
}

struct Rate {
  const char* name;
  uint32_t Rates::* value;
};
constexpr Rate kRates[] = {{"sn=", &Rates::sn},           {"delay=", &Rates::delay},
                           {"preempt=", &Rates::preempt}, {"die=", &Rates::die},
                           {"coalesce=", &Rates::coalesce}, {"spurious=", &Rates::spurious},
                           {"pause=", &Rates::pause}};

void read_rates(const char* text) {
  while (*text != 0) {
    const Rate* found = nullptr;
    for (const Rate& r : kRates) {
      if (strncmp(text, r.name, strlen(r.name)) == 0) found = &r;
    }
    if (found == nullptr) refuse("UINTR_EMULATOR_INJECT: '%s' is not known", text);
    char* rest;
    config.rates.*found->value =
        static_cast<uint32_t>(number_of("UINTR_EMULATOR_INJECT", text + strlen(found->name), &rest));
    text = *rest == ',' ? rest + 1 : rest;
  }
}

}  // namespace

void config_read() {
  const char* abi = text_of("UINTR_EMULATOR_ABI", "next");
  if (strcmp(abi, "next") == 0) {
    config.abi = Abi::Next;
  } else if (strcmp(abi, "rfc") == 0) {
    config.abi = Abi::Rfc;
  } else if (strcmp(abi, "rfc+1") == 0) {
    config.abi = Abi::RfcPlusOne;
  } else {
    refuse("UINTR_EMULATOR_ABI: '%s' is none of next, rfc, rfc+1", abi);
  }
  config.strict = number("UINTR_EMULATOR_STRICT", "1") != 0;
  config.cpuid = number("UINTR_EMULATOR_CPUID", "1") != 0;
  config.notify_signal = static_cast<int>(number("UINTR_EMULATOR_SIGNAL", "61"));
  // The C library keeps 32 and 33.
  if (config.notify_signal < 34 || config.notify_signal > 64) refuse("UINTR_EMULATOR_SIGNAL: 34 to 64");
  config.seed = number("UINTR_EMULATOR_SEED", "1");
  config.rates.pause = 100;
  read_rates(text_of("UINTR_EMULATOR_INJECT", ""));
  config.stats = text_of("UINTR_EMULATOR_STATS", nullptr);
}

}  // namespace emulator
