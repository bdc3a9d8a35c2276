// The option `signal`: which signals may serve as interrupts, and what they are called.
#include <csignal>

#include "drivers/driver.h"

namespace uintr {
namespace {

struct Named {
  const char* name;
  int number;
};
// Neither Node, V8, libuv nor the kernel sends these by itself in a Node process.
constexpr Named kUsable[] = {{"SIGURG", SIGURG},      {"SIGUSR2", SIGUSR2}, {"SIGIO", SIGIO},
                             {"SIGPOLL", SIGPOLL},    {"SIGPWR", SIGPWR},   {"SIGSTKFLT", SIGSTKFLT},
                             {"SIGVTALRM", SIGVTALRM}};

// "SIGRTMIN+3" after its prefix: "" or a sign and digits.
bool parse_offset(const std::string& text, char sign, int* offset) {
  *offset = 0;
  if (text.empty()) return true;
  if (text[0] != sign || text.size() < 2 || text.size() > 3) return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *offset = *offset * 10 + (text[i] - '0');
  }
  return true;
}

}  // namespace

bool signal_is_usable(int signal_number) {
  for (const Named& s : kUsable) {
    if (signal_number == s.number) return true;
  }
  return signal_number >= SIGRTMIN && signal_number <= SIGRTMAX;
}

bool parse_signal(const std::string& name, int* signal_number, JoinError* error) {
  for (const Named& s : kUsable) {
    if (name != s.name) continue;
    *signal_number = s.number;
    return true;
  }
  int offset = 0;
  // SIGRTMIN leaves out what the C library keeps for itself.
  if (name.starts_with("SIGRTMIN") && parse_offset(name.substr(8), '+', &offset) && SIGRTMIN + offset <= SIGRTMAX) {
    *signal_number = SIGRTMIN + offset;
    return true;
  }
  if (name.starts_with("SIGRTMAX") && parse_offset(name.substr(8), '-', &offset) && SIGRTMAX - offset >= SIGRTMIN) {
    *signal_number = SIGRTMAX - offset;
    return true;
  }
  return fail(error, "ERR_UINTR_INVALID_ARGUMENT",
              "signal '" + name +
                  "': one of SIGURG, SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGRTMIN+n and "
                  "SIGRTMAX-n; the others have a meaning to Node or to the kernel");
}

}  // namespace uintr
