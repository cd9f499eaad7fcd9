/* SPDX-License-Identifier: MIT */
/*
 * The serial line, and the end of everything.
 */
#ifndef BAREMETAL_CONSOLE_H
#define BAREMETAL_CONSOLE_H

#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/types.h"

void console_init(void);

/**
 * print - write a line, or a part of one, to the serial line.
 * @format: text; %s a string, %u and %x a 64-bit number, %p one with all its digits, %c a character given as a number
 *
 * Each call stays in one piece, whatever the other processors print. Context: any but that of a panic.
 */
void print(const char *format, ...);

/* Bytes of anybody's, in one piece. What is no printable ASCII becomes a dot. */
void print_bytes(const char *bytes, exo_size count);

/* What a number format takes. */
#define NUMBER(x) ((exo_u64)(x))

/* From here on nobody waits for the lock of the line: its holder may be what failed. */
void console_panic_mode(void);

/* Says why, who was running and how it came there, and ends. */
void panic(const char *why) __attribute__((noreturn, cold));

/* Return addresses, from a frame pointer on; stops where the chain leaves the stack. */
void print_trace(exo_uptr frame_pointer);

/* Ends the emulator with the status 2 * code + 1, by its device for that; elsewhere, halts. */
void machine_exit(exo_u8 code) __attribute__((noreturn));
#define EXIT_PASSED 0x10u
#define EXIT_FAILED 0x11u
#define EXIT_PANIC  0x12u
#define EXIT_SKIP   0x13u

#endif
