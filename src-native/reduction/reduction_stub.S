// uintr_reduce (reduction.h): what makes code that uses SSE2 fit for a handler.
//
// To its caller the vector registers are dead across a call (System V ABI, "Register Usage"); to the code that the
// handler interrupted they are alive, all 16, and so is MXCSR with its modes, masks and flags. Legacy SSE instructions
// leave the upper parts of YMM and ZMM registers alone, so there is no more to save; nothing here uses x87.
//
// The direction flag is clear, as the ABI wants it: the way into every handler clears it. What is below the stack
// pointer is nobody's: the handler's frame is below the red zone of what it interrupted, and code that calls has none.

        .set    SAVED_MXCSR, 16 * 16    // on the stack, behind the vector registers
        .set    KERNELS_MXCSR, 16 * 16 + 4

        .set    DEFAULT, 0x1f80         // round to nearest, every exception masked, subnormal numbers as they are
        .set    FLAGS, 0x3f             // which exceptions there were; they change no result

        .text
        .globl  uintr_reduce
        .hidden uintr_reduce
        .type   uintr_reduce, @function
uintr_reduce:
        push    %rbp
        mov     %rsp, %rbp
        sub     $(16 * 16 + 16), %rsp
        and     $-16, %rsp              // the kernels keep vectors on the stack, whoever calls
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  %xmm\n, 16 * \n(%rsp)
        .endr
        stmxcsr SAVED_MXCSR(%rsp)
        // JavaScript runs with the default modes and masks, so MXCSR seldom needs to be loaded, which can cost more
        // than a short reduction does (measured: some 80 ns).
        mov     SAVED_MXCSR(%rsp), %eax
        and     $~FLAGS, %eax
        cmp     $DEFAULT, %eax
        je      1f
        ldmxcsr default_mxcsr(%rip)
1:      call    uintr_reduce_kernels
        stmxcsr KERNELS_MXCSR(%rsp)
        mov     KERNELS_MXCSR(%rsp), %eax
        cmp     SAVED_MXCSR(%rsp), %eax
        je      2f
        ldmxcsr SAVED_MXCSR(%rsp)       // also takes away flags that the kernels raised; loading flags traps nothing
2:
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  16 * \n(%rsp), %xmm\n
        .endr
        leave
        ret
        .size   uintr_reduce, . - uintr_reduce

        .section .rodata
        .balign 4
default_mxcsr:
        .long   DEFAULT
        .section .note.GNU-stack, "", @progbits
