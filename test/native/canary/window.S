# canary_run (image.h). Between the labels of the window nothing of the thread changes unless an interrupt changes it.
# What it needs afterwards it finds through FS, because every register holds a pattern, rsp's value is one to check, and
# below rsp is the red zone.
#include "image.h"

# moves \op between registers and an image: rax (0) and the base register are the caller's business
    .macro fill_register number, name
    mov 8 * \number(%rdi), %\name
    .endm
    .macro keep_register number, name
    mov %\name, 8 * \number(%rax)
    .endm
    .macro most_registers do
    \do 1, rcx
    \do 2, rdx
    \do 3, rbx
    \do 5, rbp
    \do 6, rsi
    .irpc digit, 89
    \do \digit, r\digit
    .endr
    .irpc digit, 012345
    \do 1\digit, r1\digit
    .endr
    .endm

    .text
    .globl canary_run
    .type canary_run, @function
canary_run:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsi, %fs:seen@tpoff
    mov %rsp, %fs:stack@tpoff
    mov %rsp, 8 * 4(%rdi)
    mov canary_components(%rip), %eax
    xor %edx, %edx
    xrstor64 IMAGE_XSAVE(%rdi)
    push IMAGE_FLAGS(%rdi)
    popfq
    # From here on only moves, which leave the flags alone.
    .set at, 0
    .rept RED_ZONE / 8
    mov IMAGE_RED_ZONE + at(%rdi), %rax
    mov %rax, at - RED_ZONE(%rsp)
    .set at, at + 8
    .endr
    most_registers fill_register
    fill_register 0, rax
    fill_register 7, rdi

    .globl canary_window_begin, canary_window_end
canary_window_begin:
    .rept 48
    pause
    .endr
canary_window_end:

    mov %rax, %fs:rax@tpoff
    mov %fs:seen@tpoff, %rax
    keep_register 7, rdi
    most_registers keep_register
    keep_register 4, rsp
    mov %fs:rax@tpoff, %rcx
    keep_register 0, rcx
    .set at, 0
    .rept RED_ZONE / 8
    mov at - RED_ZONE(%rsp), %rcx
    mov %rcx, IMAGE_RED_ZONE + at(%rax)
    .set at, at + 8
    .endr
    mov %fs:stack@tpoff, %rsp
    pushfq
    pop IMAGE_FLAGS(%rax)
    cld
    mov %rax, %rdi
    mov canary_components(%rip), %eax
    xor %edx, %edx
    xsave64 IMAGE_XSAVE(%rdi)
    xrstor64 initial(%rip)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size canary_run, . - canary_run

# An area that says of every component that it is as after a reset; MXCSR is read from it all the same.
    .section .rodata
    .balign 64
initial:
    .skip 24
    .long 0x1f80
    .skip 576 - 28

    .section .tbss, "awT", @nobits
    .balign 8
seen:
    .skip 8
stack:
    .skip 8
rax:
    .skip 8

    .section .note.GNU-stack, "", @progbits
