/* SPDX-License-Identifier: MIT */
/*
 * What joins the demo's two processes: an end of exo_ipc, and a pipe in each direction to compare with.
 * Commands and answers travel over the end too, as inline messages.
 */
#ifndef DEMO_LINK_H
#define DEMO_LINK_H

#include <exo_linux.h>

#define FRAME_MAX 1048576u

/* One process's side. */
struct link {
    struct exo_end end;
    int pipe_out; /* to the peer */
    int pipe_in;  /* from the peer */
    int cpu;      /* to run on; -1: any */
};

/* What the receiver shall do with `times` transfers of `bytes` bytes each, in frames of `frame`. */
enum what {
    FOLD, /* read every byte, add up */
    HASH, /* SHA-256 */
    ECHO, /* fold, and send back as much of the pattern by the same path, each time */
    QUIT
};

struct command {
    exo_u32 what;
    exo_u32 path; /* index in paths[] */
    exo_u64 bytes;
    exo_u64 frame;
    exo_u64 times;
};

/* The receiver answers a command twice: when it is ready (all zero), and when it is done. */
struct answer {
    exo_u64 sum;
    exo_u8 digest[32];
};

/* Bytes that both processes can make: what is sent where no file is. FRAME_MAX of them. */
const exo_u8 *pattern(void);

/* The sum of all 64-bit words; the last one is filled up with zeros. */
exo_u64 fold(const void *data, size_t bytes);

#endif
