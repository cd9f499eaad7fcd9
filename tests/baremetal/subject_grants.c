/* SPDX-License-Identifier: MIT */
/*
 * What one process gives to another, and takes away again.
 */
#include "subject_parts.h"

#define CODE_ALLOWED 99 /* what should have faulted did not */

static void expect_fault(const struct user_child *child, exo_u64 address)
{
    struct user_end end;
    USER_OR_EXIT(user_join(child, EXO_FOREVER, &end) == EXO_OK);
    USER_OR_EXIT(end.vector == 14);
    USER_OR_EXIT(end.address == address);
}

/* The number that the other side sends. */
static exo_u64 number_from(const struct meeting *meeting)
{
    struct exo_sys_letter letter;
    exo_u64 number = 0;
    USER_OR_EXIT(user_letter(meeting->queue, meeting->channel, &letter, &number, sizeof(number)) == sizeof(number));
    return number;
}

void read_only(void)
{
    struct meeting meeting;
    struct user_child child;
    void *at;
    exo_u64 region = page_made(&at);
    exo_u64 theirs;
    *(volatile exo_u64 *)at = 4711;
    meet(&meeting, "read only", EXO_TRUE);
    spawn_other(SUBJECT_READ_ONLY, 0, &child);
    USER_OR_EXIT(user_pass(meeting.channel, region, EXO_RIGHT_MAP_READ, &region, sizeof(region)) == EXO_OK);
    theirs = number_from(&meeting);
    expect_fault(&child, theirs);
    USER_OR_EXIT(*(volatile exo_u64 *)at == 4711);
}

void read_only_other(void)
{
    struct meeting meeting;
    struct exo_sys_letter letter;
    exo_u64 number;
    exo_u64 made;
    void *at;
    void *other;
    meet(&meeting, "read only", EXO_FALSE);
    USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == sizeof(number));
    USER_OR_EXIT(letter.rights == EXO_RIGHT_MAP_READ);
    USER_OR_EXIT(exo_sys_shm_map(user_door, letter.passed, EXO_NULL, EXO_MAP_READ | EXO_MAP_WRITE, &other) ==
                 EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_shm_map(user_door, letter.passed, EXO_NULL, EXO_MAP_READ, &at) == EXO_OK);
    USER_OR_EXIT(exo_sys_shm_protect(user_door, at, EXO_MAP_READ | EXO_MAP_WRITE) == EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_shm_protect(user_door, at, EXO_MAP_READ | EXO_MAP_EXEC) == EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_derive(user_door, letter.passed, EXO_RIGHT_MAP_WRITE, &made) == EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_grant(user_door, letter.passed, letter.header.sender, EXO_RIGHT_MAP_READ, &made) ==
                 EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_shm_destroy(user_door, letter.passed) == EXO_PERMISSION_DENIED);
    USER_OR_EXIT(*(volatile exo_u64 *)at == 4711);
    /* The kernel does not write there for us either. */
    USER_OR_EXIT(exo_sys_inspect(user_door, letter.passed, (struct exo_sys_info *)at) == EXO_INVALID_ARGUMENT);
    number = (exo_u64)(exo_uptr)at;
    USER_OR_EXIT(exo_sys_channel_send(user_door, meeting.channel, &number, sizeof(number)) == EXO_OK);
    *(volatile exo_u64 *)at = 1;
    user_exit(CODE_ALLOWED);
}

/* The region that it is passed last, and where, while it has been writing there all the time. */
void revoke(void)
{
    struct meeting meeting;
    struct user_child child;
    void *at;
    exo_u64 region = page_made(&at);
    exo_u64 count = 0;
    exo_u64 theirs;
    exo_u64 seen;
    meet(&meeting, "revoke", EXO_TRUE);
    spawn_other(SUBJECT_REVOKE, 0, &child);
    USER_OR_EXIT(user_pass(meeting.channel, region, EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &region,
                           sizeof(region)) == EXO_OK);
    theirs = number_from(&meeting);
    while (*(volatile exo_u64 *)at < 1000) { /* it writes */
        user_yield();
    }
    USER_OR_EXIT(exo_sys_revoke(user_door, region, EXO_FALSE, &count) == EXO_OK);
    seen = *(volatile exo_u64 *)at;
    USER_OR_EXIT(count == 1);
    expect_fault(&child, theirs);
    USER_OR_EXIT(*(volatile exo_u64 *)at == seen); /* not once after the call */
}

void revoke_other(void)
{
    struct meeting meeting;
    struct exo_sys_letter letter;
    exo_u64 number;
    void *at;
    meet(&meeting, "revoke", EXO_FALSE);
    USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == sizeof(number));
    USER_OR_EXIT(exo_sys_shm_map(user_door, letter.passed, EXO_NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at) == EXO_OK);
    number = (exo_u64)(exo_uptr)at;
    USER_OR_EXIT(exo_sys_channel_send(user_door, meeting.channel, &number, sizeof(number)) == EXO_OK);
    for (;;) {
        (*(volatile exo_u64 *)at)++;
    }
}

void sender(void)
{
    struct meeting meeting;
    struct user_child child;
    struct user_end end;
    struct exo_sys_letter letter;
    exo_u64 number;
    exo_u32 i;
    meet(&meeting, "sender", EXO_TRUE);
    spawn_other(SUBJECT_SENDER, 0, &child);
    for (i = 0; i < 2; i++) {
        USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == sizeof(number));
        USER_OR_EXIT(letter.header.sender == child.nucleus);
        USER_OR_EXIT(letter.header.sender != user_self.nucleus);
    }
    USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
    USER_OR_EXIT(end.vector == USER_END_EXIT && end.code == 0);
}

/* Once with our number in the header, and once with a kernel's. */
void sender_other(void)
{
    struct meeting meeting;
    struct exo_sys_letter letter;
    const exo_u64 number = 1;
    exo_u32 i;
    meet(&meeting, "sender", EXO_FALSE);
    for (i = 0; i < 2; i++) {
        letter.passed = 0;
        letter.rights = 0;
        letter.reserved = 0;
        letter.header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        letter.header.total_size = 0;
        letter.header.sender = i == 0 ? user_self.nucleus - 1 : ~0u;
        USER_OR_EXIT(exo_sys_channel_send_letter(user_door, meeting.channel, &letter, &number, sizeof(number)) == EXO_OK);
    }
}

void quota(void)
{
    struct exo_sys_quota now;
    exo_u64 made;
    exo_u64 group;
    void *at;
    USER_OR_EXIT(exo_sys_quota_get(user_door, 0, &now) == EXO_OK);
    USER_OR_EXIT(exo_sys_quota_set(user_door, 0, 0, EXO_QUOTA_BYTES, 8192) == EXO_OK);
    USER_OR_EXIT(exo_sys_quota_set(user_door, 0, 0, EXO_QUOTA_BYTES, 16384) == EXO_PERMISSION_DENIED);
    USER_OR_EXIT(exo_sys_shm_create(user_door, (const char *)EXO_NULL, 0, 12288, 0, &made) == EXO_QUOTA_EXCEEDED);
    USER_OR_EXIT(made == 0);
    (void)page_made(&at);
    (void)page_made(&at);
    USER_OR_EXIT(exo_sys_shm_create(user_door, (const char *)EXO_NULL, 0, 4096, 0, &made) == EXO_QUOTA_EXCEEDED);
    USER_OR_EXIT(exo_sys_quota_set(user_door, 0, 0, EXO_QUOTA_CHANNELS, 0) == EXO_OK);
    USER_OR_EXIT(exo_sys_channel_create(user_door, (const char *)EXO_NULL, 0, 0, 0, 0, &made) == EXO_QUOTA_EXCEEDED);
    USER_OR_EXIT(exo_sys_group_create(user_door, &group) == EXO_OK);
    USER_OR_EXIT(exo_sys_group_join(user_door, group) == EXO_NOT_SUPPORTED);
    USER_OR_EXIT(exo_sys_quota_get(user_door, 0, &now) == EXO_OK);
    USER_OR_EXIT(now.used[EXO_QUOTA_BYTES] == 8192 && now.used[EXO_QUOTA_CHANNELS] == 0);
    USER_OR_EXIT(exo_sys_quota_set(user_door, 0, 0, EXO_QUOTA_CAPABILITIES, now.used[EXO_QUOTA_CAPABILITIES]) == EXO_OK);
    USER_OR_EXIT(exo_sys_derive(user_door, group, EXO_RIGHT_SEND, &made) == EXO_QUOTA_EXCEEDED);
}

void peer_dies(void)
{
    struct meeting meeting;
    struct user_child child;
    struct exo_sys_letter letter;
    exo_u64 number;
    meet(&meeting, "peer dies", EXO_TRUE);
    spawn_other(SUBJECT_PEER_DIES, 0, &child);
    USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == sizeof(number));
    USER_OR_EXIT(user_letter(meeting.queue, meeting.channel, &letter, &number, sizeof(number)) == EXO_PEER_DIED);
    expect_fault(&child, 8);
    USER_OR_EXIT(!exo_port_process_alive(child.process));
}

void peer_dies_other(void)
{
    struct meeting meeting;
    const exo_u64 number = 1;
    volatile exo_uptr nowhere = 8;
    meet(&meeting, "peer dies", EXO_FALSE);
    USER_OR_EXIT(exo_sys_channel_send(user_door, meeting.channel, &number, sizeof(number)) == EXO_OK);
    *(volatile exo_u64 *)nowhere = 1;
}
