/* SPDX-License-Identifier: MIT */
/*
 * What clients of the daemon may send: datagrams of any bytes to its parser, and requests of any arguments, by three
 * processes of two users, to a nucleus that answers as the daemon has it answer. Buffers are exactly as large as they may be
 * used. When all have ended nothing may be left: no object, no charge, no record, no descriptor.
 */
#include <dirent.h>

#include "fuzz.h"

#include "exo_packet.h"
#include "exo_ipc/nucleus/nucleus.h"

#define PEOPLE 3u
#define HANDLES 24u

struct person {
    struct exo_process *process;
    struct exo_port_space space;
    exo_u64 handle[HANDLES]; /* that it got, or heard of */
    exo_u32 next;
    exo_bool waits;
};

struct session {
    struct exo_nucleus nucleus;
    struct exo_account user[2];
    struct person person[PEOPLE];
    struct fuzz_input input;
};

static void rings(void *context, struct exo_process *process, exo_u64 queue)
{
    struct session *session = (struct session *)context;
    exo_u32 i;
    (void)queue;
    for (i = 0; i < PEOPLE; i++) {
        if (session->person[i].process == process) {
            session->person[i].waits = EXO_FALSE;
        }
    }
}

static void begins(struct session *session, exo_u32 who)
{
    struct exo_process_config config;
    struct person *person = &session->person[who];
    exo_status status;
    memset(person, 0, sizeof(*person));
    memset(&config, 0, sizeof(config));
    person->space.descriptor = -1;
    config.user = who / 2;
    config.account = &session->user[who / 2];
    config.space = &person->space;
    config.remote = EXO_TRUE;
    status = exo_process_begin(&session->nucleus, &config, &person->process);
    STAGE_CHECK(status == EXO_OK);
}

static void remembers(struct person *person, exo_u64 handle)
{
    if (handle != 0) {
        person->handle[person->next++ % HANDLES] = handle;
    }
}

/* One datagram: to the parser, and if it is sound to the nucleus, with memory whose ends are watched. */
static void arrives(struct session *session, exo_u32 who, const void *data, exo_size bytes)
{
    struct person *person = &session->person[who];
    struct exo_packet packet;
    exo_u8 *exact = (exo_u8 *)malloc(bytes == 0 ? 1 : bytes);
    exo_u8 *out;
    exo_status status;
    STAGE_CHECK(exact != NULL);
    memcpy(exact, data, bytes);
    status = exo_packet_parse(exact, bytes, &packet);
    if (status == EXO_OK && packet.call.number < EXO_SYS_PORT) {
        out = (exo_u8 *)malloc(packet.room == 0 ? 1 : packet.room);
        STAGE_CHECK(out != NULL);
        person->space.in = packet.body;
        person->space.in_bytes = packet.body_bytes;
        person->space.out = out;
        person->space.out_bytes = packet.room;
        person->space.descriptor = -1;
        status = exo_syscall_dispatch(person->process, &packet.call);
        STAGE_CHECK(status <= EXO_OK && status >= EXO_SYSTEM_ERROR);
        STAGE_CHECK(status == EXO_OK || status == EXO_BUFFER_TOO_SMALL || packet.call.result == 0);
        STAGE_CHECK(exo_packet_written(&packet, status, packet.call.result) <= packet.room);
        STAGE_CHECK((person->space.descriptor >= 0) == (status == EXO_OK && packet.call.number == EXO_SYS_SHM_MAP));
        if (person->space.descriptor >= 0) {
            (void)close(person->space.descriptor);
        }
        if (status == EXO_OK && packet.call.number == EXO_SYS_CHANNEL_RECV) {
            struct exo_sys_letter letter;
            memcpy(&letter, out, sizeof(letter));
            remembers(person, letter.passed);
        } else if (status == EXO_OK && packet.call.number == EXO_SYS_GRANT) {
            remembers(&session->person[(who + 1) % PEOPLE], packet.call.result);
        } else if (status == EXO_OK && packet.room == 0) {
            remembers(person, packet.call.result);
        }
        free(out);
    }
    free(exact);
}

/* An argument: a handle of this one or another, a process, something small, or any word. */
static exo_u64 argument(struct session *session, exo_u32 who)
{
    struct fuzz_input *input = &session->input;
    exo_u32 how = fuzz_below(input, 16);
    if (how < 8) {
        return session->person[who].handle[fuzz_below(input, HANDLES)];
    }
    if (how < 10) {
        return exo_process_number(session->person[fuzz_below(input, PEOPLE)].process);
    }
    if (how == 10) {
        return session->person[fuzz_below(input, PEOPLE)].handle[fuzz_below(input, HANDLES)];
    }
    if (how == 11) {
        return (exo_u64)(1 + fuzz_below(input, 16)) * 4096;
    }
    return how == 12 ? fuzz_take(input, 8) : fuzz_take(input, 1);
}

/* A request that is sound as a packet, whatever its arguments mean. */
static void asks(struct session *session, exo_u32 who)
{
    static exo_u8 data[EXO_PACKET_REQUEST_MAX];
    struct fuzz_input *input = &session->input;
    struct exo_packet_request head;
    struct exo_syscall_form form;
    exo_size front;
    exo_size bytes = 0;
    exo_u32 i;
    memset(&head, 0, sizeof(head));
    head.magic = EXO_PACKET_ASKS;
    head.call.version = EXO_SYSCALL_VERSION;
    head.call.number = fuzz_below(input, EXO_SYSCALLS);
    form = exo_packet_form(head.call.number);
    front = form.letter == EXO_SYS_NO_BUFFER ? 0 : sizeof(struct exo_sys_letter);
    for (i = 0; i < form.arguments; i++) {
        head.call.argument[i] = argument(session, who);
    }
    if (form.in != EXO_SYS_NO_BUFFER || form.out != EXO_SYS_NO_BUFFER) {
        i = form.in != EXO_SYS_NO_BUFFER ? form.in : form.out;
        bytes = fuzz_below(input, 70);
        head.call.argument[i] = front;
        head.call.argument[i + 1] = bytes;
    }
    if (form.letter != EXO_SYS_NO_BUFFER) {
        head.call.argument[form.letter] = 0;
    }
    bytes = form.in == EXO_SYS_NO_BUFFER ? 0 : front + bytes;
    head.bytes = (exo_u32)bytes;
    memcpy(data, &head, sizeof(head));
    if (bytes != 0 && front != 0) {
        struct exo_sys_letter letter;
        memset(&letter, 0, sizeof(letter));
        letter.passed = argument(session, who);
        letter.rights = (exo_u32)fuzz_take(input, 1);
        letter.reserved = fuzz_below(input, 16) == 15;
        letter.header.msg_type = (exo_u8)fuzz_below(input, 6);
        letter.header.priority = (exo_u8)fuzz_take(input, 1);
        memcpy(data + sizeof(head), &letter, sizeof(letter));
    }
    for (i = (exo_u32)front; i < bytes; i++) { /* few names, so that they meet */
        data[sizeof(head) + i] = (exo_u8)("abc/"[fuzz_below(input, 64) < 60 ? 0 : fuzz_below(input, 4)]);
    }
    arrives(session, who, data, sizeof(head) + bytes);
}

/* Any bytes at all, or with a head that begins well. */
static void sends_bytes(struct session *session, exo_u32 who)
{
    struct fuzz_input *input = &session->input;
    exo_u8 data[256];
    struct exo_packet_request head;
    exo_u32 bytes = fuzz_below(input, sizeof(data));
    exo_bool nearly = fuzz_below(input, 2) == 0 && bytes >= sizeof(head);
    exo_u32 i;
    for (i = 0; i < bytes; i++) {
        data[i] = (exo_u8)fuzz_take(input, 1);
    }
    if (nearly) {
        memcpy(&head, data, sizeof(head));
        head.magic = EXO_PACKET_ASKS;
        head.bytes = bytes - (exo_u32)sizeof(head);
        head.call.number %= EXO_SYS_ROAD_END;
        head.call.version = EXO_SYSCALL_VERSION;
        memcpy(data, &head, sizeof(head));
    }
    arrives(session, who, data, bytes);
}

static void ends_all(struct session *session)
{
    struct exo_nucleus *nucleus = &session->nucleus;
    exo_u32 i;
    for (i = 0; i < PEOPLE; i++) {
        struct exo_process *process = session->person[i].process;
        session->person[i].process = NULL;
        exo_process_end(process, i % 2 == 0);
    }
    for (i = 0; i < EXO_SYS_QUOTAS; i++) {
        STAGE_CHECK(exo_quota_used(&nucleus->root, (enum exo_quota_kind)i) == 0);
    }
    STAGE_CHECK(nucleus->processes.used == 0 && nucleus->regions.used == 0 && nucleus->channels.used == 0);
    STAGE_CHECK(nucleus->queues.used == 0 && nucleus->groups.used == 0);
}

/* Descriptors that this process has open. */
static exo_u32 descriptors(void)
{
    exo_u32 count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return count;
}

static void limits(struct session *session)
{
    static const exo_u64 most[EXO_SYS_QUOTAS] = {1 << 20, 12, 12, 60, 40, 200};
    exo_u32 user;
    exo_u32 kind;
    for (user = 0; user < 2; user++) {
        exo_status status = exo_account_init(&session->user[user], &session->nucleus.root);
        for (kind = 0; kind < EXO_SYS_QUOTAS && status == EXO_OK; kind++) {
            status = exo_quota_limit_set(&session->user[user], (enum exo_quota_kind)kind, most[kind]);
        }
        STAGE_CHECK(status == EXO_OK);
    }
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct session session;
    struct exo_nucleus_config config;
    exo_u32 before = descriptors();
    exo_u32 step;
    memset(&config, 0, sizeof(config));
    memset(&session, 0, sizeof(session));
    config.serial = EXO_TRUE;
    config.rang = rings;
    config.context = &session;
    if (exo_init(&session.nucleus, &config) != EXO_OK) {
        return 0;
    }
    session.input.at = data;
    session.input.left = size;
    limits(&session);
    for (step = 0; step < PEOPLE; step++) {
        begins(&session, step);
    }
    for (step = 0; step < FUZZ_STEPS && session.input.left != 0; step++) {
        exo_u32 what = fuzz_below(&session.input, 64);
        exo_u32 who = fuzz_below(&session.input, PEOPLE);
        if (what == 0) {
            struct exo_process *process = session.person[who].process;
            session.person[who].process = NULL;
            exo_process_end(process, EXO_TRUE);
            begins(&session, who);
        } else if (what < 8) {
            sends_bytes(&session, who);
        } else {
            asks(&session, who);
        }
    }
    ends_all(&session);
    exo_fini(&session.nucleus);
    STAGE_CHECK(descriptors() == before);
    return 0;
}
