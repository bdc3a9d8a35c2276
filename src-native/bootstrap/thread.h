// A helper thread, behind two functions: in the addon libuv's (thread_uv.cc), because pthread_create of a current glibc
// has a symbol version that older systems lack; in the native tests pthread's
// (test/native/bootstrap/thread_pthread.cc).
#pragma once

namespace uintr {

using ThreadHandle = unsigned long;  // pthread_t, which uv_thread_t is on Linux

// The thread starts with all signals blocked: signals belong to the threads that JavaScript runs on.
bool thread_start(ThreadHandle* thread, void (*body)(void*), void* argument);
void thread_join(ThreadHandle* thread);

}  // namespace uintr
