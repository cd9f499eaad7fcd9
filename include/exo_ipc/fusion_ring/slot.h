/* SPDX-License-Identifier: MIT */
/*
 * Writing and reading one line of a slot. The writer owns the line (its position is claimed and the
 * receiver has given it back); the control word goes last. The reader has acquired the control word.
 *
 * A crash between two stores leaves the control word of the previous lap, so nothing half-written is ever
 * seen. A hostile writer may change the words at any time: the reader copies each once and decides on its
 * copy.
 */
#ifndef EXO_IPC_FUSION_RING_SLOT_H
#define EXO_IPC_FUSION_RING_SLOT_H

#include "../base/copy.h"
#include "layout.h"

/*
 * Store len <= 56 bytes in a line that is the caller's: pairs of words, a word, the rest. Loads take the
 * same steps, so that each finds its bytes in one store where one thread sends and receives; a load that
 * needs two stores waits until both have left the store buffer.
 */
EXO_HOT void exo_line_store_pvt(exo_word64 *line, const void *data, exo_size len)
{
    const exo_u8 *bytes = (const exo_u8 *)data;
    exo_size at = len & 48;
    if (len >= 16) {
        exo_store_pair_relaxed(line, exo_read64(bytes), exo_read64(bytes + 8));
    }
    if (len >= 32) {
        exo_store_pair_relaxed(line + 2, exo_read64(bytes + 16), exo_read64(bytes + 24));
    }
    if (len >= 48) {
        exo_store_pair_relaxed(line + 4, exo_read64(bytes + 32), exo_read64(bytes + 40));
    }
    if ((len & 15) != 0) {
        exo_words_store(line + at / 8, bytes + at, len & 15);
    }
}

/* The same for a length that is not known when the caller is compiled; a full line is the likeliest. */
EXO_OUTLINE void exo_line_store_any_pvt(exo_word64 *line, const void *data, exo_size len)
{
    if (len == EXO_INLINE_THRESHOLD) {
        exo_line_store_pvt(line, data, EXO_INLINE_THRESHOLD);
    } else {
        exo_line_store_pvt(line, data, len);
    }
}

/* Fill a line with len <= 56 bytes and publish it under the given control word. The control word is a store
 * of its own: a pair that had to wait for both halves went out later. */
EXO_HOT void exo_line_publish_pvt(exo_word64 *line, const void *data, exo_size len, exo_u64 control)
{
    if (__builtin_constant_p(len)) {
        exo_line_store_pvt(line, data, len);
    } else {
        exo_line_store_any_pvt(line, data, len);
    }
    exo_store64(&line[EXO_LINE_WORDS], control, EXO_RELEASE); /* [slot:publish] pairs [slot:ready] */
}

/* Publish a line whose payload was stored before. */
EXO_HOT void exo_line_commit_pvt(exo_word64 *line, exo_u64 control)
{
    exo_store64(&line[EXO_LINE_WORDS], control, EXO_RELEASE); /* [slot:commit] pairs [slot:ready] */
}

/* The control word; what it publishes may be read afterwards. */
EXO_HOT exo_u64 exo_line_ready_pvt(const exo_word64 *line)
{
    /* [slot:ready] pairs [slot:publish], [slot:commit] */
    return exo_load64(&line[EXO_LINE_WORDS], EXO_ACQUIRE);
}

/* Load len <= 56 bytes of an acquired line, in the steps of exo_line_store_pvt(). */
EXO_HOT void exo_line_load_pvt(void *to, const exo_word64 *line, exo_size len)
{
    exo_u8 *bytes = (exo_u8 *)to;
    exo_size at = len & 48;
    if (len >= 16) {
        exo_load_pair_relaxed(bytes, line);
    }
    if (len >= 32) {
        exo_load_pair_relaxed(bytes + 16, line + 2);
    }
    if (len >= 48) {
        exo_load_pair_relaxed(bytes + 32, line + 4);
    }
    if ((len & 15) != 0) {
        exo_words_load(bytes + at, line + at / 8, len & 15);
    }
}

EXO_OUTLINE void exo_line_load_any_pvt(void *to, const exo_word64 *line, exo_size len)
{
    if (len == EXO_INLINE_THRESHOLD) {
        exo_line_load_pvt(to, line, EXO_INLINE_THRESHOLD);
    } else {
        exo_line_load_pvt(to, line, len);
    }
}

/* Copy len <= 56 bytes of an acquired line. */
EXO_HOT void exo_line_read_pvt(void *to, const exo_word64 *line, exo_size len)
{
    if (__builtin_constant_p(len)) {
        exo_line_load_pvt(to, line, len);
    } else {
        exo_line_load_any_pvt(to, line, len);
    }
}

#endif
