/* SPDX-License-Identifier: MIT */
/*
 * The ways of handing bytes over. Each is a pair of functions: one runs in the process that sends, the other at
 * the same time in the one that receives.
 */
#ifndef DEMO_PATHS_H
#define DEMO_PATHS_H

#include <openssl/evp.h>

#include "link.h"

/* What becomes of received bytes: they are hashed if there is a hash, else added up. */
struct sink {
    EVP_MD_CTX *hash;
    exo_u64 sum;
};

struct path {
    const char *name;
    size_t frame;    /* bytes in a message, but for the last */
    int round_trips; /* whether its round trips are measured */
    int scheduled;   /* whether the scheduler places the processes, not we */
    exo_status (*send)(struct link *link, const exo_u8 *data, size_t bytes, size_t frame);
    exo_status (*receive)(struct link *link, size_t bytes, size_t frame, struct sink *sink);
};

enum { INLINE, INLINE_LOTS, ZERO_COPY_4K, ZERO_COPY_64K, ZERO_COPY_1M, PIPE, PATHS };

extern const struct path paths[PATHS];

/* Each side calls it before a path is used. */
void path_prepare(const struct link *link, unsigned path);

#endif
