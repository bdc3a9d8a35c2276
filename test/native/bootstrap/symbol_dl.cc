#include <dlfcn.h>

#include "bootstrap/symbol.h"

namespace uintr {

void* symbol_of_program(const char* name) { return dlsym(RTLD_DEFAULT, name); }

}  // namespace uintr
