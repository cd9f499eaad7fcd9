/* SPDX-License-Identifier: MIT */
/* The loop: one turn reads one request of each client that has one, and lets one in. */
#include "daemon.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

/* What an event is about stands in the low bits of the pointer. */
exo_status loop_watch(const struct daemon *daemon, int descriptor, void *what, exo_u32 tag)
{
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    event.data.u64 = (exo_u64)(exo_uptr)what | tag;
    return epoll_ctl(daemon->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? EXO_OK : EXO_NO_MEMORY;
}

/* Listen to newcomers, or not. */
static void loop_hear(struct daemon *daemon, exo_bool shut)
{
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = shut ? 0 : EPOLLIN;
    event.data.u64 = TAG_DOOR;
    (void)epoll_ctl(daemon->epoll, EPOLL_CTL_MOD, exo_listener_fd(&daemon->listener), &event);
    daemon->shut = shut;
}

/* Whether somebody may come in; if so he is. */
static exo_status loop_judge(struct daemon *daemon, int socket)
{
    struct pollfd fact = {socket, 0, 0};
    struct exo_credentials who;
    struct user *user;
    exo_status status = poll(&fact, 1, 0) == 0 ? exo_socket_peer_pvt(socket, &who) : EXO_PEER_DIED; /* it left meanwhile */
    if (status != EXO_OK) {
        return status;
    }
    if (!user_allowed(daemon, socket, &who)) {
        return EXO_PERMISSION_DENIED;
    }
    user = user_find(daemon, who.uid);
    if (user == NULL) {
        return EXO_NO_MEMORY;
    }
    return user->clients >= daemon->options.clients ? EXO_QUOTA_EXCEEDED : client_begin(daemon, socket, &who, user);
}

static void loop_accept(struct daemon *daemon)
{
    int socket = accept4(exo_listener_fd(&daemon->listener), NULL, NULL, SOCK_CLOEXEC);
    exo_status status;
    if (socket < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            door_deafen(&daemon->door, exo_port_now_ns());
        }
        return;
    }
    status = loop_judge(daemon, socket);
    if (status != EXO_OK) {
        daemon->refused++;
        (void)exo_letter_send_pvt(socket, EXO_LETTER_WELCOME, (exo_u64) - (exo_i64)status, -1, EXO_NOW);
        (void)close(socket);
    }
}

static void loop_signal(struct daemon *daemon)
{
    struct signalfd_siginfo signal;
    if (read(daemon->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
        daemon->done = EXO_TRUE;
    }
}

static void loop_event(struct daemon *daemon, const struct epoll_event *event)
{
    struct client *client = (struct client *)(exo_uptr)(event->data.u64 & ~(exo_u64)TAG_SIGNAL);
    exo_u64 start;
    switch (event->data.u64 & TAG_SIGNAL) {
    case TAG_DOOR:
        start = exo_port_now_ns();
        loop_accept(daemon);
        daemon->came_ns += exo_port_now_ns() - start;
        break;
    case TAG_SIGNAL:
        loop_signal(daemon);
        break;
    case TAG_DEATH:
        client_end(daemon, client, EXO_TRUE);
        break;
    default:
        if (client->socket >= 0) {
            client_serve(daemon, client);
        }
        break;
    }
    client_wake_rung(daemon);
}

/* After a turn: what newcomers took is put down, and the door shut or opened again. */
static void loop_door(struct daemon *daemon)
{
    exo_bool shut = EXO_FALSE;
    if (daemon->came_ns != 0 || daemon->shut) {
        const exo_u64 now = exo_port_now_ns();
        door_pay(&daemon->door, now, daemon->came_ns);
        daemon->came_ns = 0;
        shut = !door_open(&daemon->door, now);
    }
    if (shut != daemon->shut) {
        loop_hear(daemon, shut);
    }
}

void loop_run(struct daemon *daemon)
{
    struct epoll_event events[TURN_EVENTS];
    while (!daemon->done) {
        int wait_ms = daemon->shut ? door_wait_ms(&daemon->door, exo_port_now_ns()) : -1;
        int count = epoll_wait(daemon->epoll, events, TURN_EVENTS, wait_ms);
        int i;
        for (i = 0; i < count; i++) {
            loop_event(daemon, &events[i]);
        }
        if (daemon->ended != NULL) {
            door_listen(&daemon->door);
            client_bury(daemon);
        }
        loop_door(daemon);
    }
}

/* As many descriptors as the system allows: each client takes two, each region one. */
static void loop_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Limits that nobody has chosen: no user may take more than a quarter of the descriptors for regions, and one for clients. */
static void loop_defaults(struct options *options)
{
    struct rlimit limit = {0, 0};
    exo_u64 quarter;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    quarter = limit.rlim_cur > 1u << 20 ? 1u << 18 : limit.rlim_cur / 4;
    if (options->clients == 0) {
        options->clients = (exo_u32)exo_min64(quarter / 2, 4096);
    }
    if (options->limit[EXO_QUOTA_REGIONS] == 0) {
        options->limit[EXO_QUOTA_REGIONS] = quarter;
    }
    if (options->limit[EXO_QUOTA_BYTES] == 0) {
        options->limit[EXO_QUOTA_BYTES] = (exo_u64)sysconf(_SC_PHYS_PAGES) * exo_page_bytes() / 2;
    }
}

static exo_status loop_listen(struct daemon *daemon)
{
    struct exo_listen_config config;
    exo_status status = activation_take(&daemon->listener);
    if (status != EXO_NOT_FOUND) {
        return status;
    }
    memset(&config, 0, sizeof(config));
    config.mode = daemon->options.system ? 0666 : 0600;
    config.backlog = 1024;
    return exo_listen(&daemon->listener, daemon->options.socket, &config);
}

static exo_status loop_signals(struct daemon *daemon)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    if (sigprocmask(SIG_BLOCK, &ends, NULL) != 0) {
        return EXO_SYSTEM_ERROR;
    }
    daemon->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    return daemon->signals < 0 ? EXO_SYSTEM_ERROR : loop_watch(daemon, daemon->signals, NULL, TAG_SIGNAL);
}

exo_status loop_begin(struct daemon *daemon)
{
    struct exo_nucleus_config config;
    exo_status status;
    daemon->listener.socket = -1;
    loop_raise_limit();
    loop_defaults(&daemon->options);
    memset(&config, 0, sizeof(config));
    config.serial = EXO_TRUE;
    config.rang = client_rang;
    config.context = daemon;
    if (getrandom(&config.seed, sizeof(config.seed), 0) != (ssize_t)sizeof(config.seed)) {
        return EXO_SYSTEM_ERROR;
    }
    daemon->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (daemon->epoll < 0) {
        return EXO_SYSTEM_ERROR;
    }
    status = exo_init(&daemon->nucleus, &config);
    if (status == EXO_OK) {
        status = loop_signals(daemon);
    }
    if (status == EXO_OK) {
        status = loop_listen(daemon);
    }
    return status == EXO_OK ? loop_watch(daemon, exo_listener_fd(&daemon->listener), NULL, TAG_DOOR) : status;
}

/* In order: nobody connects any more, all clients get EXO_CLOSED, everything comes back. */
void loop_end(struct daemon *daemon)
{
    exo_u32 bucket;
    exo_listener_close(&daemon->listener);
    while (daemon->clients != NULL) {
        client_end(daemon, daemon->clients, EXO_FALSE);
    }
    client_bury(daemon);
    exo_fini(&daemon->nucleus);
    for (bucket = 0; bucket < USER_BUCKETS; bucket++) {
        while (daemon->users[bucket] != NULL) {
            struct user *user = daemon->users[bucket];
            daemon->users[bucket] = user->next;
            free(user);
        }
    }
    exo_descriptor_close_pvt(&daemon->signals);
    exo_descriptor_close_pvt(&daemon->epoll);
}
