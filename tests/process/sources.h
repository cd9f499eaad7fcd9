/* SPDX-License-Identifier: MIT */
/*
 * Sources: child processes that send numbered, stamped messages over a channel each, to a receiver that takes them all
 * through one fan-in. All words of a message follow from its number, but the stamp.
 */
#ifndef EXO_TESTS_SOURCES_H
#define EXO_TESTS_SOURCES_H

#include "kill_fixture.h"

#define SOURCE_WORDS 40u /* of the largest message */

/* What a source tells its parent; it alone writes it, but for stop. */
struct source_note {
    exo_word64 sent; /* calls that have returned EXO_OK */
    exo_word64 kill_ns;
    exo_u32 ready;
    exo_u32 stop; /* 1: close and end */
} EXO_ALIGNED(128);

/* A source as its parent has it. */
struct source {
    struct source_note *note; /* shared */
    int sockets[2];
    pid_t child;
    exo_u64 got;
    struct exo_channel_end end;
};

EXO_INLINE exo_size source_words(exo_u64 number)
{
    return number % 4 == 0 ? SOURCE_WORDS : 5;
}

/* Send message `number`. */
EXO_INLINE exo_status source_send(struct exo_channel *channel, exo_u64 number, exo_u64 deadline_ns)
{
    exo_word64 words[SOURCE_WORDS];
    exo_size count = source_words(number);
    stream_fill(words, number, count);
    words[0] = number;
    words[1] = exo_port_now_ns();
    return exo_channel_send_blocking(channel, NULL, words, 8 * count, deadline_ns);
}

/* Whether a received message is the next one of its source; *age_ns is how long it took. */
EXO_INLINE exo_bool source_heard(struct source *source, struct exo_message *message, exo_u64 *age_ns)
{
    const exo_u8 *bytes = (const exo_u8 *)exo_message_payload(message);
    exo_size count = source_words(source->got);
    exo_u64 now = exo_port_now_ns();
    exo_bool right = exo_message_size(message) == 8 * count && exo_read64(bytes) == source->got;
    exo_size i;
    for (i = 2; right && i < count; i++) {
        right = exo_read64(bytes + 8 * i) == stream_word(source->got, i);
    }
    *age_ns = right ? now - exo_read64(bytes + 8) : 0;
    source->got++;
    return right && exo_channel_release(&source->end.channel, message) == EXO_OK;
}

/* In a child: open its end of a source. */
EXO_INLINE void source_opens(const struct source *source, struct exo_channel_end *end,
                             const struct exo_channel_config *config)
{
    CHECK(exo_channel_open(end, source->sockets[1], config, in_seconds(20)) == EXO_OK);
    exo_store32(&source->note->ready, 1, EXO_RELEASE);
}

EXO_INLINE struct exo_channel_config source_config(exo_u32 profile, exo_u64 start)
{
    struct exo_channel_config config;
    memset(&config, 0, sizeof(config));
    config.ring.slots = 64;
    config.ring.profile = profile;
    config.ring.start = start;
    config.ring.arena_size = 16384;
    return config;
}

#endif
