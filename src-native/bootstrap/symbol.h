// Looks up a name in the running program and its libraries: in the addon by libuv (symbol_uv.cc), because dlsym of a current
// glibc has a symbol version that older systems lack; in the native tests by dlsym (test/native/bootstrap/symbol_dl.cc).
#pragma once

namespace uintr {

// Null: nobody defines it.
void* symbol_of_program(const char* name);

}  // namespace uintr
