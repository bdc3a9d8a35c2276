// libstdc++'s std::shared_ptr asks glibc 2.32 and later whether the process has one thread only, to save an atomic
// instruction. Defining the answer here, as "no" and for this library alone, keeps the binary loadable with glibc 2.28.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
