#include <uv.h>

#include "bootstrap/symbol.h"

namespace uintr {

void* symbol_of_program(const char* name) {
  uv_lib_t program{};  // a null handle is RTLD_DEFAULT
  void* symbol = nullptr;
  if (uv_dlsym(&program, name, &symbol) != 0) symbol = nullptr;
  uv_dlclose(&program);  // frees the message, and with a null handle no more
  return symbol;
}

}  // namespace uintr
