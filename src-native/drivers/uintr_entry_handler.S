// Where the processor goes on a user interrupt (SDM vol. 3, "User Interrupts", "User-Interrupt Delivery").
//
// It has set RSP to (RSP - 128) & ~15, so that the red zone is left alone, and pushed old RSP, RFLAGS, RIP and the
// vector; UIF is 0 until uiret, so no other one comes. Nothing else is saved: this saves what a C function may change,
// which is the caller-saved general-purpose registers alone, because the archive it calls into uses no others.

        .text
        .globl  uintr_entry
        .hidden uintr_entry
        .type   uintr_entry, @function
uintr_entry:
        .byte   0xf3, 0x0f, 0x1e, 0xfa  // endbr64: delivery is an indirect branch to CET's eyes
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        lea     72(%rsp), %rdi          // the frame: the vector, and what the processor has pushed
        sub     $8, %rsp                // 32 + 72 + 8 bytes: aligned for the call
        cld                             // the interrupted code may be copying downwards
        call    uintr_dispatch
        add     $8, %rsp
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $8, %rsp                // the vector; uiret takes the rest, and restores the flags
        .byte   0xf3, 0x0f, 0x01, 0xec  // uiret
        .size   uintr_entry, . - uintr_entry
        .section .note.GNU-stack, "", @progbits
