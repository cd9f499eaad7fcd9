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

/* Fill a line with len <= 56 bytes and publish it under the given control word. */
EXO_HOT void exo_line_publish_pvt(exo_word64 *line, const void *data, exo_size len, exo_u64 control)
{
    if (len == EXO_INLINE_THRESHOLD) {
        /* Whole lines go out as pairs of words, the last of which carries payload and control at once. */
        const exo_u8 *bytes = (const exo_u8 *)data;
        exo_store_pair_relaxed(line, exo_read64(bytes), exo_read64(bytes + 8));
        exo_store_pair_relaxed(line + 2, exo_read64(bytes + 16), exo_read64(bytes + 24));
        exo_store_pair_relaxed(line + 4, exo_read64(bytes + 32), exo_read64(bytes + 40));
        exo_store_pair_release(line + 6, exo_read64(bytes + 48), control);
        return;
    }
    exo_words_store(line, data, len);
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

/* Copy len <= 56 bytes of an acquired line. */
EXO_HOT void exo_line_read_pvt(void *to, const exo_word64 *line, exo_size len)
{
    if (len == EXO_INLINE_THRESHOLD) {
        exo_words_load(to, line, EXO_INLINE_THRESHOLD);
        return;
    }
    exo_words_load(to, line, len);
}

#endif
