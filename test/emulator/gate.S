# The only code that may enter the kernel directly from a thread whose system calls are dispatched (strict.cc), and the
# pieces that C++ cannot express. General-purpose registers only: what runs here stands between a program's two
# instructions.
#include "record.h"

    .section .gate, "ax", @progbits
    .balign 4096
    .globl emulator_gate_begin, emulator_gate_end
    .hidden emulator_gate_begin, emulator_gate_end
emulator_gate_begin:

# long emulator_syscall(long number, long a, long b, long c, long d, long e, long f)
    .globl emulator_syscall
    .hidden emulator_syscall
    .type emulator_syscall, @function
emulator_syscall:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret
    .size emulator_syscall, . - emulator_syscall

# sa_restorer of every handler. Debuggers and unwinders know a signal frame by these very bytes.
    .balign 16
    .globl emulator_restorer
    .hidden emulator_restorer
    .type emulator_restorer, @function
emulator_restorer:
    mov $15, %rax
    syscall
    .size emulator_restorer, . - emulator_restorer

# Calls that create tasks, replace the image or change the stack's memory cannot be made from within a handler. Stub i
# makes one with the program's own registers and goes on at emulator_returns[i]; rcx and r11 are the call's to clobber.
    .balign 16
    .globl emulator_stubs
    .hidden emulator_stubs
emulator_stubs:
    .set i, 0
    .rept EMULATOR_STUBS
    syscall
    jmp *(emulator_returns + 8 * i)(%rip)
    .set i, i + 1
    .endr
emulator_gate_end:

# The handler of the emulator's signals. The record lies below the kernel's signal frame and above whatever comes after
# sigreturn, so it stays whole until emulator_deliver has read it.
    .text
    .globl emulator_on_signal
    .hidden emulator_on_signal
    .type emulator_on_signal, @function
emulator_on_signal:
    sub $RECORD_SIZE, %rsp
    mov %rsp, %rcx
    call emulator_handle
    add $RECORD_SIZE, %rsp
    ret
    .size emulator_on_signal, . - emulator_on_signal

# Delivery as the processor does it: the frame at (RSP - 128) & ~15, then the handler. It cannot be written before
# sigreturn, because it overlaps the signal frame. RSP holds the record; no other register and no flag is changed.
    .globl emulator_deliver
    .hidden emulator_deliver
    .type emulator_deliver, @function
emulator_deliver:
    mov %rax, RECORD_RAX(%rsp)
    mov %rdx, RECORD_RDX(%rsp)
    mov RECORD_FRAME(%rsp), %rdx
    mov RECORD_HANDLER(%rsp), %rax
    mov %rax, (%rdx)
    mov RECORD_VECTOR(%rsp), %rax
    mov %rax, 8(%rdx)
    mov RECORD_RIP(%rsp), %rax
    mov %rax, 16(%rdx)
    mov RECORD_RFLAGS(%rsp), %rax
    mov %rax, 24(%rdx)
    mov RECORD_RSP(%rsp), %rax
    mov %rax, 32(%rdx)
    mov RECORD_RAX(%rsp), %rax
    mov RECORD_RDX(%rsp), %rdx
    mov RECORD_FRAME(%rsp), %rsp
    ret
    .size emulator_deliver, . - emulator_deliver

    .bss
    .balign 8
    .globl emulator_returns
    .hidden emulator_returns
emulator_returns:
    .skip 8 * EMULATOR_STUBS

    .section .note.GNU-stack, "", @progbits
