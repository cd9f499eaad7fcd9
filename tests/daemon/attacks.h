/* SPDX-License-Identifier: MIT */
/* What strangers do to a daemon's socket, each until a given time. They CHECK what it owes even them. */
#ifndef ATTACKS_H
#define ATTACKS_H

#include "one_daemon.h"

/* Try to send; whether it went. */
static exo_bool sends(int socket, const void *data, exo_size bytes)
{
    return send(socket, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static struct exo_packet_request asks(exo_u32 number)
{
    struct exo_packet_request request;
    memset(&request, 0, sizeof(request));
    request.magic = EXO_PACKET_ASKS;
    request.call.number = number;
    request.call.version = EXO_SYSCALL_VERSION;
    return request;
}

static int enters(void)
{
    int socket = raw_connects(running.path);
    struct timeval bound = {10, 0};
    CHECK(socket >= 0 && setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)) == 0);
    return socket;
}

static void says_nothing(exo_u64 until)
{
    int sockets[200];
    exo_u32 i;
    for (i = 0; i < COUNT(sockets); i++) {
        sockets[i] = enters();
    }
    while (exo_port_now_ns() < until) {
        sleep_us(1000);
    }
}

static void sends_half_requests(exo_u64 until)
{
    const struct exo_packet_request request = asks(EXO_SYS_VERSION);
    exo_u32 bytes;
    for (bytes = 1; exo_port_now_ns() < until; bytes = bytes % (sizeof(request) - 1) + 1) {
        int socket = enters();
        char answer[64];
        CHECK(sends(socket, &request, bytes));
        CHECK(recv(socket, answer, sizeof(answer), 0) <= 0); /* the daemon has hung up */
        (void)close(socket);
    }
}

static void sends_what_is_too_long(exo_u64 until)
{
    static exo_u8 data[150000];
    struct exo_packet_request request = asks(EXO_SYS_SHM_CREATE);
    exo_u64 seed = 9;
    while (exo_port_now_ns() < until) {
        int socket = enters();
        exo_size bytes = sizeof(request) + random_below(&seed, sizeof(data) - (exo_u32)sizeof(request));
        request.bytes = (exo_u32)(bytes - sizeof(request));
        request.call.argument[1] = request.bytes;
        memcpy(data, &request, sizeof(request));
        (void)sends(socket, data, bytes);
        (void)close(socket);
    }
}

static void sends_random_bytes(exo_u64 until)
{
    exo_u8 data[300];
    exo_u64 seed = exo_port_now_ns();
    while (exo_port_now_ns() < until) {
        struct exo_packet_request request = asks(random_below(&seed, EXO_SYS_ROAD_END + 4));
        int socket = enters();
        exo_bool open = EXO_TRUE;
        exo_u32 turn;
        for (turn = 0; turn < 20 && open; turn++) {
            exo_u32 bytes = random_below(&seed, sizeof(data)) + 1;
            exo_u32 i;
            for (i = 0; i < bytes; i++) {
                data[i] = (exo_u8)random_below(&seed, 256);
            }
            if (random_below(&seed, 8) != 0) { /* nearly a request */
                request.call.number = random_below(&seed, EXO_SYS_ROAD_END + 1);
                request.call.argument[random_below(&seed, 6)] = random_below(&seed, 300);
                request.bytes = bytes > sizeof(request) ? bytes - (exo_u32)sizeof(request) : 0;
                memcpy(data, &request, bytes < sizeof(request) ? bytes : sizeof(request));
            }
            open = sends(socket, data, bytes);
            while (recv(socket, data, sizeof(data), MSG_DONTWAIT) > 0) {
            }
        }
        (void)close(socket);
    }
}

static void never_reads(exo_u64 until)
{
    const struct exo_packet_request request = asks(EXO_SYS_SELF);
    while (exo_port_now_ns() < until) {
        int socket = enters();
        exo_u32 sent = 0;
        while (sends(socket, &request, sizeof(request))) {
            CHECK(++sent < 100000); /* it is ended before long */
        }
        (void)close(socket);
    }
}

static void never_takes_its_descriptors(exo_u64 until)
{
    struct exo_packet_request create = asks(EXO_SYS_SHM_CREATE);
    struct exo_packet_request map = asks(EXO_SYS_SHM_MAP);
    struct exo_packet_answer answer;
    create.call.argument[2] = 4096;
    map.call.argument[2] = EXO_MAP_READ;
    while (exo_port_now_ns() < until) {
        int socket = enters();
        exo_u32 sent = 0;
        exo_u32 answers = 0;
        exo_u32 i;
        CHECK(sends(socket, &create, sizeof(create)));
        CHECK(recv(socket, &answer, sizeof(answer), 0) == sizeof(answer) && answer.status == EXO_OK);
        map.call.argument[0] = answer.result;
        while (sends(socket, &map, sizeof(map))) {
            CHECK(++sent < 100000);
        }
        for (i = 0; i < 4; i++) { /* the first says perhaps that what was sent was not read */
            answers += recv(socket, &answer, sizeof(answer), 0) == sizeof(answer);
        }
        CHECK(answers == 1); /* one was on its way, and no more */
        (void)close(socket);
    }
}

/* As many as one datagram may carry, of every kind: none of them is ever opened by the daemon. */
static void brings_descriptors(exo_u64 until)
{
    enum { MANY = 250 };
    const struct exo_packet_request request = asks(EXO_SYS_VERSION);
    struct exo_packet_answer answer;
    exo_word64 control[CMSG_SPACE(MANY * sizeof(int)) / sizeof(exo_word64)];
    int kinds[4];
    int socket = enters();
    CHECK(pipe(kinds) == 0);
    kinds[2] = socket;
    kinds[3] = open("/dev/null", O_RDONLY);
    while (exo_port_now_ns() < until) {
        struct iovec part = {(void *)(exo_uptr)&request, sizeof(request)};
        struct msghdr message = {NULL, 0, &part, 1, control, sizeof(control), 0};
        struct cmsghdr *header = (struct cmsghdr *)(void *)control;
        exo_u32 i;
        memset(control, 0, sizeof(control));
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(MANY * sizeof(int));
        for (i = 0; i < MANY; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &kinds[i % 4], sizeof(int));
        }
        CHECK(sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(request));
        CHECK(recv(socket, &answer, sizeof(answer), 0) == sizeof(answer));
        CHECK(answer.status == EXO_INVALID_ARGUMENT);
    }
}

static void connects_10000_times(exo_u64 until)
{
    exo_u32 i;
    (void)until;
    for (i = 0; i < (SANITIZED ? 1000 : 10000); i++) {
        (void)close(enters());
    }
}

static void comes_and_goes(exo_u64 until)
{
    while (exo_port_now_ns() < until) {
        (void)close(enters());
    }
}

/* Not even the welcome: so the daemon has all of the work. */
static void waits_for_no_answer(exo_u64 until)
{
    struct sockaddr_un address;
    socklen_t bytes = 0;
    CHECK(exo_address_make_pvt(&address, &bytes, running.path) == EXO_OK);
    while (exo_port_now_ns() < until) {
        int socket_of_ours = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        CHECK(socket_of_ours >= 0 && connect(socket_of_ours, (struct sockaddr *)&address, bytes) == 0);
        (void)close(socket_of_ours);
    }
}

static void asks_without_end(exo_u64 until)
{
    static struct exo_client client;
    exo_u64 number = 0;
    CHECK(client_connects(&client, running.path) == EXO_OK);
    while (exo_port_now_ns() < until) {
        CHECK(exo_sys_version(&client.door, &number) == EXO_OK);
    }
}

static void waits_and_cancels(exo_u64 until)
{
    struct exo_packet_request create = asks(EXO_SYS_QUEUE_CREATE);
    struct exo_packet_request wait = asks(EXO_SYS_WAIT);
    const struct exo_packet_request cancel = asks(EXO_SYS_CANCEL);
    struct exo_packet_answer answer;
    int socket = enters();
    create.call.argument[0] = 1;
    CHECK(sends(socket, &create, sizeof(create)) && recv(socket, &answer, sizeof(answer), 0) == sizeof(answer));
    wait.call.argument[0] = answer.result;
    wait.call.argument[2] = 24;
    wait.call.argument[3] = EXO_FOREVER;
    while (exo_port_now_ns() < until) {
        CHECK(sends(socket, &wait, sizeof(wait)));
        CHECK(sends(socket, &cancel, sizeof(cancel)) && sends(socket, &cancel, sizeof(cancel)));
        CHECK(recv(socket, &answer, sizeof(answer), 0) == sizeof(answer) && answer.status == EXO_TIMEOUT);
        CHECK(sends(socket, &wait, sizeof(wait)) && sends(socket, &wait, sizeof(wait)) && sends(socket, &cancel, sizeof(cancel)));
        CHECK(recv(socket, &answer, sizeof(answer), 0) == sizeof(answer) && answer.status == EXO_TIMEOUT);
        CHECK(recv(socket, &answer, sizeof(answer), 0) == sizeof(answer) && answer.status == EXO_TIMEOUT);
    }
}

struct attack {
    const char *name;
    void (*body)(exo_u64 until);
};

static const struct attack attacks[] = {
    {"says nothing", says_nothing},
    {"half requests", sends_half_requests},
    {"too long", sends_what_is_too_long},
    {"random bytes", sends_random_bytes},
    {"never reads", never_reads},
    {"never takes its descriptors", never_takes_its_descriptors},
    {"brings descriptors", brings_descriptors},
    {"10000 connections", connects_10000_times},
    {"comes and goes", comes_and_goes},
    {"waits for no answer", waits_for_no_answer},
    {"asks without end", asks_without_end},
    {"waits and cancels", waits_and_cancels},
};

#endif
