// Whom the kernel is told to permit, where several worlds of one process want it for different launchers.
// sources: src-native/bootstrap/copy_permission.cc
#include "bootstrap/copy_permission.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cstdarg>

#include "check.h"

using namespace uintr;

namespace {
unsigned long told = 0;
}

// In place of the C library's.
extern "C" int prctl(int option, ...) {
  va_list rest;
  va_start(rest, option);
  if (option == PR_SET_PTRACER) told = va_arg(rest, unsigned long);
  va_end(rest);
  return 0;
}

TEST("01 who has it keeps it while others come and go") {
  CopyPermission first = CopyPermission::to_family_of(1001);
  CHECK_EQ(told, 1001u);
  CopyPermission second = CopyPermission::to_family_of(1002);
  CHECK_EQ(told, 1001u);
  first = CopyPermission();
  CHECK_EQ(told, 1002u);
  // Its place in the list is before that of the second.
  CopyPermission third = CopyPermission::to_family_of(1003);
  CHECK_EQ(told, 1002u);
  second = CopyPermission();
  CHECK_EQ(told, 1003u);
  third = CopyPermission();
  CHECK_EQ(told, 0u);
}

TEST("02 everybody covers all, and then it is as before") {
  CopyPermission family = CopyPermission::to_family_of(1001);
  {
    const CopyPermission all = CopyPermission::to_all_of_this_user();
    CHECK_EQ(told, PR_SET_PTRACER_ANY);
  }
  CHECK_EQ(told, 1001u);
}

TEST("03 an ancestor covers what this process has started itself") {
  CopyPermission own = CopyPermission::to_family_of(getpid());
  CHECK_EQ(told, static_cast<unsigned long>(getpid()));
  CopyPermission ancestor = CopyPermission::to_family_of(1001);
  CHECK_EQ(told, 1001u);
  ancestor = CopyPermission();
  CHECK_EQ(told, static_cast<unsigned long>(getpid()));
}

CHECK_MAIN("bootstrap/copy_permission")
