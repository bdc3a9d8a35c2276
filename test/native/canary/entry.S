# The handler's entry and its end, as src-native has them for user interrupts: caller-saved registers and the direction
# flag are the entry's business, every other register is the C++ code's.
    .text
    .globl canary_entry
    .type canary_entry, @function
canary_entry:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    lea 8 * 9(%rsp), %rdi
    sub $8, %rsp
    call canary_on_frame
    add $8, %rsp
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    ret   # to Frame::leave
    .size canary_entry, . - canary_entry

    .globl canary_leave
    .type canary_leave, @function
canary_leave:
    iretq
    .size canary_leave, . - canary_leave

    .section .note.GNU-stack, "", @progbits
