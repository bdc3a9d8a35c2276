// createHub(size) → { fds: number[], close(): void }: the rendezvous for ranks that this process starts. If it cannot
// be had, it throws an Error with code, and errno and syscall where a system call failed.
//
// fds[i] is the socket for rank i, close-on-exec and the caller's: it passes it on (stdio of a child, or `hubFd` of
// join() in this process, which takes it over) and closes it where it was only passed on. close() ends the hub thread
// and with it every join that is not complete; a hub whose `close` is garbage-collected, or whose environment ends,
// ends likewise. After all ranks have joined there is nothing left to end.
#pragma once

#include <napi.h>

void export_hub(Napi::Env env, Napi::Object exports);
