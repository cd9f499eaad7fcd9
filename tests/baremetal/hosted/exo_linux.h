/* SPDX-License-Identifier: MIT */
/*
 * In the place of the Linux port's ends of channels: both ends in one address space, with the profile that was asked for.
 */
#ifndef HOSTED_EXO_LINUX_H
#define HOSTED_EXO_LINUX_H

#include "hosted.h"
#include "exo_ipc/exo_ipc.h"

struct hosted_pair {
    struct exo_channel_pair pair;
    exo_u32 open;
};

struct exo_channel_end {
    struct exo_channel channel;
    struct hosted_pair *both;
};

EXO_INLINE exo_u32 getuid(void)
{
    return 0;
}
EXO_INLINE int getpid(void)
{
    return 1;
}
EXO_INLINE exo_u64 exo_channel_identity(exo_u32 user, exo_u32 process)
{
    return (exo_u64)user << 32 | process;
}

EXO_INLINE exo_status exo_channel_open_both(struct exo_channel_end *one, struct exo_channel_end *other,
                                            const struct exo_channel_config *config)
{
    struct hosted_pair *both = (struct hosted_pair *)malloc(sizeof(*both));
    exo_status status = both == NULL ? EXO_NO_MEMORY : exo_channel_pair_create(&both->pair, config);
    if (status != EXO_OK) {
        free(both);
        return status;
    }
    both->pair.identity[0] = exo_channel_identity(getuid(), (exo_u32)getpid());
    both->pair.identity[1] = both->pair.identity[0];
    both->open = 2;
    one->both = both;
    other->both = both;
    status = exo_channel_pair_open(&both->pair, 0, &one->channel);
    return status == EXO_OK ? exo_channel_pair_open(&both->pair, 1, &other->channel) : status;
}

EXO_INLINE void exo_channel_end_close(struct exo_channel_end *end)
{
    exo_channel_close(&end->channel);
    if (--end->both->open == 0) {
        exo_channel_pair_destroy(&end->both->pair);
        free(end->both);
    }
}

#endif
