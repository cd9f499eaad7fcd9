/* SPDX-License-Identifier: MIT */
/*
 * What can be a name, and its hash.
 *
 * The hash is keyed, SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein, 2012), so that who chooses names cannot choose that they
 * collide.
 */
#ifndef EXO_IPC_SHARED_MEMORY_NAME_TEXT_H
#define EXO_IPC_SHARED_MEMORY_NAME_TEXT_H

#include "../base/compiler.h"
#include "../base/status.h"
#include "../base/types.h"

#define EXO_NAME_MAX 255u
#define EXO_NAME_WORDS 32u

/* A name in words, as records hold it. */
struct exo_name_text {
    exo_word64 word[EXO_NAME_WORDS];
    exo_u32 bytes;
};

/**
 * exo_name_check - whether something can be a name.
 * @name: the bytes  @bytes: how many
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE over 255 bytes; EXO_INVALID_ARGUMENT for none, or one with a NUL, a slash or a control
 * byte. Context: any.
 */
EXO_INLINE exo_status exo_name_check(const char *name, exo_size bytes)
{
    exo_size i;
    if (bytes > EXO_NAME_MAX) {
        return EXO_INVALID_SIZE;
    }
    for (i = 0; i < bytes; i++) {
        exo_u8 byte = (exo_u8)name[i];
        if (byte < 0x20 || byte == 0x7F || byte == '/') {
            return EXO_INVALID_ARGUMENT;
        }
    }
    return bytes == 0 ? EXO_INVALID_ARGUMENT : EXO_OK;
}

EXO_HOT exo_u64 exo_rotate64_pvt(exo_u64 word, exo_u32 by)
{
    return word << by | word >> (64u - by);
}

EXO_HOT void exo_sip_round_pvt(exo_u64 v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = exo_rotate64_pvt(v[1], 13) ^ v[0];
    v[3] = exo_rotate64_pvt(v[3], 16) ^ v[2];
    v[0] = exo_rotate64_pvt(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = exo_rotate64_pvt(v[1], 17) ^ v[2];
    v[3] = exo_rotate64_pvt(v[3], 21) ^ v[0];
    v[2] = exo_rotate64_pvt(v[2], 32);
}

/* Of the words of a text, its length in the last one. */
EXO_INLINE exo_u64 exo_name_hash_pvt(exo_u64 seed, const struct exo_name_text *text)
{
    exo_u64 key = (seed ^ seed >> 29) * 0xBF58476D1CE4E5B9ull;
    exo_u64 v[4];
    exo_u32 i;
    v[0] = seed ^ 0x736F6D6570736575ull;
    v[1] = key ^ 0x646F72616E646F6Dull;
    v[2] = seed ^ 0x6C7967656E657261ull;
    v[3] = key ^ 0x7465646279746573ull;
    for (i = 0; i <= text->bytes / 8; i++) {
        exo_u64 word = i < text->bytes / 8 ? text->word[i] : ((exo_u64)text->bytes << 56) ^ text->word[i];
        v[3] ^= word;
        exo_sip_round_pvt(v);
        v[0] ^= word;
    }
    v[2] ^= 0xFF;
    for (i = 0; i < 3; i++) {
        exo_sip_round_pvt(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

EXO_INLINE void exo_name_text_pvt(struct exo_name_text *text, const char *name, exo_size bytes)
{
    exo_u8 *to = (exo_u8 *)(void *)text->word;
    exo_size i;
    for (i = bytes / 8; i < EXO_NAME_WORDS; i++) {
        text->word[i] = 0;
    }
    for (i = 0; i < bytes; i++) {
        to[i] = (exo_u8)name[i];
    }
    text->bytes = (exo_u32)bytes;
}

#endif
