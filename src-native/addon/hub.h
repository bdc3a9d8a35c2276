// createHub(size) → { fds: number[], release(rank): void, close(): void }: the rendezvous for ranks that this process
// starts. If it cannot be had, it throws an Error with code, and errno and syscall where a system call failed.
//
// fds[i] is the socket for rank i, close-on-exec: for the stdio of a child, or for `hubFd` of join() in this process, in
// any thread, which takes it over. release(i) gives up what was only passed on, so that the end of a child that does
// not join is noticed. close() ends the hub thread and with it every join that is not complete, and releases all; a hub
// whose functions are garbage-collected, or whose environment ends, ends likewise. After all ranks have joined there is
// nothing left to end.
#pragma once

#include <napi.h>

void export_hub(Napi::Env env, Napi::Object exports);
