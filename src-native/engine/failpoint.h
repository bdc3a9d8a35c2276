// Named steps of the protocols at which a test has the thread end, stop, or be held up (test/native/kills). Only that
// test's own build defines UINTR_FAILPOINTS; everywhere else a step is nothing.
//
// A name says who is where: `advert.taken` is reached by the sender that has just taken an advertised receive, and has
// told nobody. Each lies where shared memory, or a descriptor, shows one half of something.
#pragma once

#if defined(UINTR_FAILPOINTS)
namespace uintr {
// Defined by the test. Called in handlers, too, and keeps to their rules.
void reach_failpoint(const char* name);
}  // namespace uintr
// The names are in a section of their own, so that the test knows them all, also those that nobody reaches. By the
// assembler, because a compiler takes no variable of an inline function there.
#define UINTR_FAILPOINT(name)                                                                                      \
  do {                                                                                                             \
    asm(".pushsection uintr_failpoints, \"a\", @progbits\n\t.asciz \"" name "\"\n\t.popsection");                  \
    ::uintr::reach_failpoint(name);                                                                                \
  } while (false)
#else
#define UINTR_FAILPOINT(name) static_cast<void>(0)
#endif
