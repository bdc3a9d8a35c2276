// What went wrong below JavaScript, in the terms of UintrError (shared/api.md).
#pragma once

#include <string>

namespace uintr {

struct JoinError {
  const char* code = "ERR_UINTR_JOIN";  // "ERR_UINTR_JOIN" | "ERR_UINTR_TIMEOUT" | "ERR_UINTR_NO_MEMORY" |
                                        // "ERR_UINTR_INVALID_ARGUMENT" | "ERR_UINTR_CLOSED" (cancelled) |
                                        // "ERR_UINTR_PROTOCOL" | "ERR_UINTR_UNSUPPORTED"
  std::string message;            // names the argument and the value, or the rank, that is to blame
  int error_number = 0;           // errno, 0: not a system call's failure
  const char* syscall = nullptr;  // with error_number
};

// Fill `error` (which may be null) and return false, so that a check is one line: return fail(error, …).
bool fail(JoinError* error, const char* code, std::string message);
// Appends what errno says to the message, and chooses ERR_UINTR_NO_MEMORY where errno means that.
bool fail_syscall(JoinError* error, const char* syscall, int error_number, std::string message);

// Whether errno says that there is no descriptor left, or no memory for one: who is to blame then is not the argument.
bool is_shortage(int error_number);

// errno by its symbol ("ENOMEM"), without strerror's shared buffer: join runs beside the JavaScript thread.
std::string errno_name(int error_number);

}  // namespace uintr
