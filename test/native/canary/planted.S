# Faults: each is the end of a handler that lets one thing of the interrupted program be lost. On the stack lies what
# iretq takes: rip, cs, rflags, rsp, ss.
    .set FRAME_FLAGS, 16
    .set FRAME_RSP, 24
# Component of image.h that the processor must have.
    .set X87, 0
    .set SSE, 1
    .set AVX, 2
    .set OPMASK, 5
    .set ZMM_HIGH, 6
    .set ZMM16, 7

    .section .data.rel.ro, "aw", @progbits
    .balign 8
    .globl canary_planted
canary_planted:

# plant "what differs", component, instructions…
    .macro plant name, component, first, second, third, fourth
    .section .rodata.planted, "a", @progbits
100:
    .asciz "\name"
    .text
101:
    \first
    \second
    \third
    \fourth
    iretq
    .section .data.rel.ro
    .quad 100b
    .long \component, 0
    .quad 101b
    .endm

    .irp register, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    plant "\register", X87, "not %\register"
    .endr
    plant "rsp", X87, "xorq $64, FRAME_RSP(%rsp)"

    plant "CF", X87, "xorq $0x1, FRAME_FLAGS(%rsp)"
    plant "PF", X87, "xorq $0x4, FRAME_FLAGS(%rsp)"
    plant "AF", X87, "xorq $0x10, FRAME_FLAGS(%rsp)"
    plant "ZF", X87, "xorq $0x40, FRAME_FLAGS(%rsp)"
    plant "SF", X87, "xorq $0x80, FRAME_FLAGS(%rsp)"
    plant "DF", X87, "xorq $0x400, FRAME_FLAGS(%rsp)"
    plant "OF", X87, "xorq $0x800, FRAME_FLAGS(%rsp)"

    .macro plant_red_zone distance
    plant "red zone -\distance", X87, "push %rax", "mov 8 + FRAME_RSP(%rsp), %rax", "notb -\distance(%rax)", "pop %rax"
    .endm
    .irpc ones, 123456789
    plant_red_zone \ones
    .endr
    .irpc tens, 123456789
    .irpc ones, 0123456789
    plant_red_zone \tens\ones
    .endr
    .endr
    .irpc tens, 01
    .irpc ones, 0123456789
    plant_red_zone 1\tens\ones
    .endr
    .endr
    .irpc ones, 012345678
    plant_red_zone 12\ones
    .endr

    .macro plant_low number
    plant "xmm\number", SSE, "pcmpeqd %xmm\number, %xmm\number"
    plant "ymm\number high", AVX, "vinsertf128 $1, %xmm\number, %ymm\number, %ymm\number"
    plant "zmm\number high", ZMM_HIGH, "vinserti64x4 $1, %ymm\number, %zmm\number, %zmm\number"
    .endm
    .irpc number, 0123456789
    plant_low \number
    .endr
    .irpc ones, 012345
    plant_low 1\ones
    .endr
    .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    plant "zmm\number", ZMM16, "vpternlogd $0xff, %zmm\number, %zmm\number, %zmm\number"
    .endr
    .irpc number, 01234567
    plant "k\number", OPMASK, "kxnorw %k\number, %k\number, %k\number"
    .endr

    plant "MXCSR", SSE, "ldmxcsr mxcsr(%rip)"
    plant "ymm5 high", AVX, "vzeroupper"
    plant "x87 control word", X87, "fldcw control_word(%rip)"
    plant "x87 status word", X87, "fincstp"
    plant "x87 tags", X87, "ffree %st(2)"
    plant "st0", X87, "fchs"
    plant "st3", X87, "emms", "pcmpeqd %mm3, %mm3"

    .globl canary_planted_end
canary_planted_end:

    .section .rodata
# Values that no image has: all of those mask every exception.
mxcsr:
    .long 0x1f00
control_word:
    .word 0x007e

    .section .note.GNU-stack, "", @progbits
