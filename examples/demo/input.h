/* SPDX-License-Identifier: MIT */
/* The file that is handed over. */
#ifndef DEMO_INPUT_H
#define DEMO_INPUT_H

#include <stddef.h>

struct input {
    char *name;
    const unsigned char *data; /* mapped; children do not inherit it */
    size_t bytes;
};

/* Map a file for reading; a null name means a large file that every machine with a compiler has. On an
 * error says so, in one line, and returns -1. */
int input_open(struct input *input, const char *name);

/* From now on, a file that shrinks under us ends the program with one line. */
void input_guard(void);

#endif
