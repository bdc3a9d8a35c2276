# void mix_sse(State*, uint64_t rounds), void mix_avx512(...): everything that a program may have live, mixed in every
# round: 15 general registers, the carry flag from one instruction to the next, all of the red zone, and the vector
# registers. State: 15 general, 16 words of red zone, at 256 the vectors, at 2304 the masks.

#define COUNTER (%rsp)
#define STATE 8(%rsp)
#define SPARE 16(%rsp)

    .macro load_general
    clc
    mov (%rdi), %rax
    mov 8(%rdi), %rbx
    mov 16(%rdi), %rcx
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 48(%rdi), %rbp
    mov 56(%rdi), %r8
    mov 64(%rdi), %r9
    mov 72(%rdi), %r10
    mov 80(%rdi), %r11
    mov 88(%rdi), %r12
    mov 96(%rdi), %r13
    mov 104(%rdi), %r14
    mov 112(%rdi), %r15
    mov 40(%rdi), %rdi
    .endm

    .macro store_general
    mov %rdi, SPARE
    mov STATE, %rdi
    mov %rax, (%rdi)
    mov %rbx, 8(%rdi)
    mov %rcx, 16(%rdi)
    mov %rdx, 24(%rdi)
    mov %rsi, 32(%rdi)
    mov %rbp, 48(%rdi)
    mov %r8, 56(%rdi)
    mov %r9, 64(%rdi)
    mov %r10, 72(%rdi)
    mov %r11, 80(%rdi)
    mov %r12, 88(%rdi)
    mov %r13, 96(%rdi)
    mov %r14, 104(%rdi)
    mov %r15, 112(%rdi)
    mov SPARE, %rax
    mov %rax, 40(%rdi)
    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    mov -8*(\i+1)(%rsp), %rax
    mov %rax, 120+8*\i(%rdi)
    .endr
    .endm

    .macro mix_general
    adc %rbx, %rax
    adc %rcx, %rbx
    adc %rdx, %rcx
    adc %rsi, %rdx
    adc %rdi, %rsi
    adc %rbp, %rdi
    adc %r8, %rbp
    adc %r9, %r8
    adc %r10, %r9
    adc %r11, %r10
    adc %r12, %r11
    adc %r13, %r12
    adc %r14, %r13
    adc %r15, %r14
    adc %rax, %r15
    .irp i, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
    adc %rax, -8*\i(%rsp)
    .endr
    .endm

    .macro enter
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $24, %rsp
    mov %rsi, COUNTER
    mov %rdi, STATE
    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    mov 120+8*\i(%rdi), %rax
    mov %rax, -8*(\i+1)(%rsp)
    .endr
    .endm

    .macro leave_and_return
    add $24, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .endm

    .text
    .globl mix_sse
mix_sse:
    enter
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movdqu 256+64*\r(%rdi), %xmm\r
    .endr
    load_general
1:  mix_general
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    pshufd $0x39, %xmm\r, %xmm\r
    .endr
    decq COUNTER
    jnz 1b
    store_general
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movdqu %xmm\r, 256+64*\r(%rdi)
    .endr
    leave_and_return

    .globl mix_avx512
mix_avx512:
    enter
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqu64 256+64*\r(%rdi), %zmm\r
    .endr
    .irp r, 0,1,2,3,4,5,6,7
    kmovq 2304+8*\r(%rdi), %k\r
    .endr
    load_general
1:  mix_general
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vprolq $7, %zmm\r, %zmm\r
    .endr
    .irp r, 0,1,2,3,4,5,6,7
    knotq %k\r, %k\r
    .endr
    decq COUNTER
    jnz 1b
    store_general
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqu64 %zmm\r, 256+64*\r(%rdi)
    .endr
    .irp r, 0,1,2,3,4,5,6,7
    kmovq %k\r, 2304+8*\r(%rdi)
    .endr
    vzeroupper
    leave_and_return

    .section .note.GNU-stack, "", @progbits
