/* SPDX-License-Identifier: MIT */
/* The program USER_IMAGE, as bytes. */
    .section .rodata, "a", @progbits
    .align 16
    .globl user_image, user_image_end
user_image:
    .incbin USER_IMAGE
user_image_end:
    .section .note.GNU-stack, "", @progbits
