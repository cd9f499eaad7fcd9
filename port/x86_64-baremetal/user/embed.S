/* SPDX-License-Identifier: MIT */
/* A program as bytes of an image: PROGRAM and PROGRAM_END are the symbols, PROGRAM_IMAGE the file. */
    .section .rodata, "a", @progbits
    .align 16
    .globl PROGRAM, PROGRAM_END
PROGRAM:
    .incbin PROGRAM_IMAGE
PROGRAM_END:
    .section .note.GNU-stack, "", @progbits
