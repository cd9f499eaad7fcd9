/* SPDX-License-Identifier: MIT */
/*
 * Several processes that talk: until one of them dies, to a server, or badly.
 */
#include "subject_parts.h"

static struct user_link link;

void sleep_for_ever(void)
{
    static const exo_u32 word;
    for (;;) {
        exo_port_wait(&word, 0, EXO_FOREVER, EXO_TRUE, (struct exo_port_peer *)EXO_NULL);
    }
}

void orphans(exo_u64 depth)
{
    struct user_child child;
    exo_status status = EXO_OK;
    while (depth != 0 && status == EXO_OK) {
        status = user_spawn(PROGRAM_SUBJECT, SUBJECT_ARGUMENT(SUBJECT_ORPHANS, depth - 1), &child);
    }
    USER_OR_EXIT(status == EXO_OK || status == EXO_QUOTA_EXCEEDED || status == EXO_NO_MEMORY);
    sleep_for_ever();
}

static void hang_up(void)
{
    exo_status other;
    USER_OR_EXIT(exo_sys_close(user_door, link.channel) == EXO_OK);
    USER_OR_EXIT(exo_sys_close(user_door, link.queue) == EXO_OK);
    USER_OR_EXIT(exo_sys_close(user_door, link.region[0]) == EXO_OK);
    other = exo_sys_close(user_door, link.region[1]);
    USER_OR_EXIT(other == EXO_OK || other == EXO_NOT_FOUND); /* it may have ended with him who made it */
    __builtin_memset(&link, 0, sizeof(link));
}

static exo_status call_up(exo_u32 act, exo_u64 number, struct user_child *child)
{
    USER_OR_EXIT(user_link(&link, 0, "talk", 4) == EXO_OK);
    spawn_other(act, number, child);
    return user_link_wait(&link, 0);
}

/* The other one faults after some messages. */
void talk(void)
{
    struct user_child child;
    struct user_end end;
    exo_u64 after;
    for (after = 0; after < 12; after++) {
        exo_i64 status = EXO_OK;
        exo_u64 number = 0;
        USER_OR_EXIT(call_up(SUBJECT_TALK, after, &child) == EXO_OK);
        while (status >= 0) {
            status = exo_send_blocking(&link.tx, &number, sizeof(number), EXO_FOREVER);
            if (status >= 0) {
                status = exo_recv_blocking(&link.rx, &number, sizeof(number), EXO_FOREVER);
            }
        }
        USER_OR_EXIT(status == EXO_PEER_DIED);
        USER_OR_EXIT(number == after);
        USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
        USER_OR_EXIT(end.vector == 6);
        hang_up();
    }
}

void talk_other(exo_u64 after)
{
    exo_u64 number;
    USER_OR_EXIT(user_link(&link, 1, "talk", 4) == EXO_OK);
    USER_OR_EXIT(user_link_wait(&link, 1) == EXO_OK);
    for (; after != 0; after--) {
        USER_OR_EXIT(exo_recv_blocking(&link.rx, &number, sizeof(number), EXO_FOREVER) == sizeof(number));
        number++;
        USER_OR_EXIT(exo_send_blocking(&link.tx, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
    }
    __asm__ __volatile__("ud2");
}

/* What may stand in a slot, and agrees with nothing: three words of the line, kind and argument. */
static const exo_u64 lies[][5] = {
    {1ull << 32 | 0x7FFFFFFF, 0, 8, EXO_KIND_LOAN, EXO_ARGUMENT_MAX}, /* no such block */
    {1ull << 32 | 0x7FFFFFFF, 0, 8, EXO_KIND_LOAN, 8},
    {0, 0, 8, EXO_KIND_LOAN, EXO_ARGUMENT_MAX},
    {1ull << 32, 1ull << 46, 8, EXO_KIND_LOAN, EXO_ARGUMENT_MAX}, /* beyond the arena */
    {1ull << 32, ~0ull - 3, 8, EXO_KIND_LOAN, EXO_ARGUMENT_MAX},
    {1ull << 32, 0, 1ull << 46, EXO_KIND_LOAN, EXO_ARGUMENT_MAX},
    {0, 0, 0, EXO_KIND_INLINE, 57},
    {0, 0, 0, EXO_KIND_INLINE, EXO_ARGUMENT_MAX},
    {0, 0, 0, EXO_KIND_PACKED, 8 | 8 << 8},
    {0, 0, 0, EXO_KIND_CLAIM, 0},
    {0, 0, 0, 200, 0},
};
#define LIES (sizeof(lies) / sizeof(lies[0]))
#define STORMS 4u /* more times it writes anything anywhere */

/* Receives and sends until the other one says that it has done its worst. */
static void bear(exo_bool attached)
{
    exo_u8 buffer[64];
    exo_u64 done;
    exo_u32 i;
    for (i = 0; i % 64 != 63 || exo_sys_channel_recv(user_door, link.channel, &done, sizeof(done)) == EXO_EMPTY; i++) {
        exo_i64 status = !attached    ? EXO_EMPTY
                         : i % 64 == 0 ? exo_recv_blocking(&link.rx, buffer, sizeof(buffer), 1)
                                       : exo_recv(&link.rx, buffer, sizeof(buffer));
        exo_status sent = attached ? exo_send_inline(&link.tx, buffer, 8) : EXO_OK;
        USER_OR_EXIT(status <= (exo_i64)sizeof(buffer) && sent <= 0);
        if (i % 64 == 0) {
            user_yield();
        }
    }
}

/* The other one writes what it likes into the pages that are its own. Whatever is received, this side does not fault, reads
 * nothing but the two regions, and says of a lie that it is one. */
void scribble(void)
{
    struct user_child child;
    struct user_end end;
    exo_u8 buffer[64];
    exo_u64 nth;
    for (nth = 0; nth < LIES + STORMS; nth++) {
        exo_bool attached = call_up(SUBJECT_SCRIBBLE, nth, &child) == EXO_OK; /* or refused for what it had written */
        bear(attached);
        USER_OR_EXIT(nth >= LIES || exo_recv(&link.rx, buffer, sizeof(buffer)) == EXO_CORRUPT);
        hang_up();
        USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
        USER_OR_EXIT(end.vector == USER_END_EXIT && end.code == 0);
    }
}

static void lie(const exo_u64 *words)
{
    exo_word64 *line = exo_tx_line_pvt(&link.tx, link.tx.pos);
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        exo_store64(&line[i], words[i], EXO_RELAXED); /* relaxed: published next */
    }
    exo_line_commit_pvt(line, exo_control_pvt(link.tx.pos, (exo_u32)words[3], (exo_u32)words[4]));
}

static void write_anywhere(exo_u64 seed)
{
    volatile exo_u64 *words = (volatile exo_u64 *)link.at[1];
    const exo_u64 count = user_link_bytes(&link.geometry) / sizeof(exo_u64);
    exo_u32 turn;
    for (turn = 0; turn < 20000; turn++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        words[(seed >> 33) % count] = (seed >> 20 & 1) != 0 ? seed >> 40 : seed;
    }
}

void scribble_other(exo_u64 nth)
{
    USER_OR_EXIT(user_link(&link, 1, "talk", 4) == EXO_OK);
    USER_OR_EXIT(user_link_wait(&link, 1) == EXO_OK);
    if (nth < LIES) {
        lie(lies[nth]);
    } else {
        write_anywhere(nth);
    }
    USER_OR_EXIT(exo_sys_channel_send(user_door, link.channel, &nth, sizeof(nth)) == EXO_OK); /* that was all */
}

void liar(void)
{
    struct user_child child;
    struct user_end end;
    USER_OR_EXIT(call_up(SUBJECT_LIAR, 0, &child) == EXO_CORRUPT);
    USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
    USER_OR_EXIT(end.vector == USER_END_EXIT && end.code == 0);
}

void liar_other(void)
{
    user_self.process = 1;
    USER_OR_EXIT(user_link(&link, 1, "talk", 4) == EXO_OK);
}

#define CLIENTS  4u
#define REQUESTS 50u

static char name_of_client(exo_u64 i, char *name)
{
    name[0] = 'c';
    name[1] = (char)('0' + i);
    return name[1];
}

static exo_u32 serve(exo_u64 channel, exo_u64 nucleus)
{
    struct exo_sys_letter letter;
    exo_u32 served = 0;
    exo_u64 number;
    exo_i64 got;
    while ((got = exo_sys_channel_recv_letter(user_door, channel, &letter, &number, sizeof(number))) == sizeof(number)) {
        USER_OR_EXIT(letter.header.sender == nucleus);
        number += nucleus;
        USER_OR_EXIT(exo_sys_channel_send(user_door, channel, &number, sizeof(number)) == EXO_OK);
        served++;
    }
    USER_OR_EXIT(got == EXO_EMPTY || got == EXO_CLOSED);
    return served;
}

void server(void)
{
    struct user_child child[CLIENTS];
    struct user_end end;
    exo_u64 channel[CLIENTS];
    exo_u64 queue;
    exo_u64 source;
    exo_u32 served = 0;
    exo_u32 i;
    char name[2];
    USER_OR_EXIT(exo_sys_queue_create(user_door, CLIENTS, &queue) == EXO_OK);
    for (i = 0; i < CLIENTS; i++) {
        (void)name_of_client(i, name);
        USER_OR_EXIT(exo_sys_channel_create(user_door, name, 2, EXO_PERMS(EXO_RIGHTS_CHANNEL, 0), 0, 0, &channel[i]) ==
                     EXO_OK);
        USER_OR_EXIT(exo_sys_queue_bind(user_door, queue, channel[i], i, EXO_READABLE, &source) == EXO_OK);
        spawn_other(SUBJECT_SERVER, i, &child[i]);
    }
    while (served < CLIENTS * REQUESTS) {
        struct exo_sys_event events[CLIENTS];
        exo_i64 count = exo_sys_wait(user_door, queue, events, CLIENTS, EXO_FOREVER);
        USER_OR_EXIT(count > 0);
        while (count-- > 0) {
            USER_OR_EXIT(events[count].key < CLIENTS);
            served += serve(channel[events[count].key], child[events[count].key].nucleus);
        }
    }
    for (i = 0; i < CLIENTS; i++) {
        USER_OR_EXIT(user_join(&child[i], EXO_FOREVER, &end) == EXO_OK);
        USER_OR_EXIT(end.vector == USER_END_EXIT && end.code == 0);
    }
}

void server_other(exo_u64 self)
{
    struct meeting meeting;
    struct exo_sys_letter letter;
    exo_u64 number;
    exo_u64 i;
    char name[3] = {0, 0, 0};
    (void)name_of_client(self, name);
    meet(&meeting, name, EXO_FALSE);
    for (i = 0; i < REQUESTS; i++) {
        USER_OR_EXIT(exo_sys_channel_send(user_door, meeting.channel, &i, sizeof(i)) == EXO_OK);
        USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == sizeof(number));
        USER_OR_EXIT(number == i + user_self.nucleus);
    }
}
