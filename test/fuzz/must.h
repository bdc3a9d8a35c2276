// What has to hold; libFuzzer keeps the input for which it does not.
#pragma once

#include <cstdio>
#include <cstdlib>

#define MUST(condition)                                                         \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                  \
    }                                                                           \
  } while (false)
