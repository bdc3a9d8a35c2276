// A per-processor addition as a restartable sequence (restartable.h). In assembly, because the kernel, and handlers, know
// it by the addresses of its instructions.
//
//   int uintr_rseq_add(RseqArea* area %rdi, void* base %rsi, uint32_t slots %edx, uint64_t n %rcx)

        .text
        .globl  uintr_rseq_add
        .hidden uintr_rseq_add
        .type   uintr_rseq_add, @function
uintr_rseq_add:
        lea     uintr_rseq_descriptor(%rip), %rax
        mov     %rax, 8(%rdi)           // from the next instruction on a sequence is under way
.Lstart:
        mov     4(%rdi), %eax           // the processor; right until the addition, or it is not reached
        cmp     %edx, %eax
        jae     .Lno_slot
        shl     $6, %rax
        add     %rcx, (%rsi,%rax)
.Lend:
        xor     %eax, %eax
        ret
.Lno_slot:
        mov     $2, %eax
        ret
        .size   uintr_rseq_add, . - uintr_rseq_add

        // Where the kernel jumps it wants this signature before, so that nobody else can have it jump anywhere. It is the
        // operand of an instruction that is invalid (glibc's, sys/rseq.h).
        .byte   0x0f, 0xb9, 0x3d
        .long   0x53053053
.Labort:
        mov     $1, %eax
        ret

        .section .data.rel.ro.uintr_rseq, "aw", @progbits
        .balign 32
        .globl  uintr_rseq_descriptor
        .hidden uintr_rseq_descriptor
uintr_rseq_descriptor:
        .long   0, 0
        .quad   .Lstart, .Lend - .Lstart, .Labort
        .section .note.GNU-stack, "", @progbits
