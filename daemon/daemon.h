/* SPDX-License-Identifier: MIT */
/*
 * exo-ipcd: the nucleus of one machine, or of one user, behind a local socket.
 *
 *   listener --> client: socket, pidfd, process of the nucleus, account of its user
 *                  |
 *   epoll --> loop.c --> client.c: read a request, exo_syscall_dispatch(), answer        link.c: ends of sockets for two clients
 *
 * One thread. A turn of the loop reads one request of each client that has one and lets one new client in, so none waits for
 * another's second request; newcomers have a share of its time (door.c), and wait outside when it is spent. Nothing ever waits
 * for a client: an answer that its socket does not take ends it, and so does a request for a descriptor while it has not read
 * what it was answered before. So each holds a bounded amount of the kernel's
 * memory, one descriptor on its way, and nothing here but its record and what the nucleus charges to its user's account.
 *
 * What ends a client: its socket's hang-up, its process's death (pidfd), which a socket that others inherited does not hide,
 * a datagram that is no request, and its goodbye. exo_process_end() gives back all that it held.
 */
#ifndef EXO_IPCD_DAEMON_H
#define EXO_IPCD_DAEMON_H

#include <stdio.h>

#include "exo_client.h"
#include "exo_ipc/nucleus/nucleus.h"

/* What comes of a turn of epoll is told apart by the low bits of a pointer. */
#define TAG_REQUEST 0u /* a client's socket */
#define TAG_DEATH 1u   /* a client's pidfd */
#define TAG_DOOR 2u    /* the listener */
#define TAG_SIGNAL 3u

#define TURN_EVENTS 64
#define USER_BUCKETS 64u
#define LINKS_PER_CLIENT 16u

/* Newcomers: one part of so many of the time, or what they left of it for so long, and how long they wait outside at most. */
#define DOOR_SHARE 8u
#define DOOR_CROWD_NS 50000000ull
#define DOOR_SHUT_NS 100000000ull
#define GROUPS_MAX 32u

/* The kernel doubles it; the largest answer must fit. */
#define SEND_BUFFER_BYTES 34816

struct options {
    const char *socket;
    const char *program;
    exo_bool system; /* lets other users in */
    exo_bool sandbox;
    exo_u32 clients; /* of one user */
    exo_u32 groups;
    gid_t group[GROUPS_MAX]; /* who is let in; none: everybody, where `system` says so */
    exo_u64 limit[EXO_SYS_QUOTAS]; /* of one user */
};

/* A user: kept as long as the daemon runs, for his account may be charged long after his last process ended. */
struct user {
    struct user *next;
    exo_u32 uid;
    exo_u32 clients;
    struct exo_account account;
};

struct client {
    struct client *next; /* all clients; then the ended ones */
    struct client *previous;
    struct client *next_rung;
    struct client *next_guest;
    struct exo_process *process;
    struct user *user;
    struct exo_port_space space;
    struct exo_packet waiting; /* the wait that has not been answered */
    exo_u64 queue;             /* where it waits, by number */
    exo_u32 links;
    int socket; /* -1: it has ended */
    int pidfd;
    exo_bool parked; /* its wait has not been answered */
    exo_bool rung;   /* something arrived for it */
    exo_bool guest;  /* it waits at a queue that another process made */
};

/* An end of a socket, for the other side of a channel. */
struct link {
    struct link *next;
    struct client *asker;
    exo_u64 handle; /* of the asker, which must still be good when the other side comes */
    exo_u64 id;     /* of the channel */
    exo_u32 side;   /* the asker's */
    int socket;     /* the other side's end */
};

struct door {
    exo_u64 earned_ns; /* what newcomers took is earned by then */
    exo_u64 deaf_ns;   /* without a descriptor nobody is let in until then */
};

struct daemon {
    struct options options;
    struct exo_nucleus nucleus;
    struct exo_listener listener;
    struct door door;
    struct user *users[USER_BUCKETS];
    struct client *clients;
    struct client *ended; /* of this turn: events of theirs may still come */
    struct client *rung;
    struct client *guests;
    struct link *links;
    exo_u64 clients_count;
    exo_u64 waiting_count;
    exo_u64 links_count;
    exo_u64 refused;
    exo_u64 came_ns; /* that letting people in took this turn */
    int epoll;
    int signals;
    exo_bool guests_due; /* handles ended since the guests looked */
    exo_bool shut; /* newcomers wait outside */
    exo_bool done;
    exo_u8 in[EXO_PACKET_REQUEST_MAX + 1];
    exo_u8 out[EXO_PACKET_BODY_MAX];
};

/* client.c */
exo_status client_begin(struct daemon *daemon, int socket, const struct exo_credentials *who, struct user *user);
void client_end(struct daemon *daemon, struct client *client, exo_bool died);
exo_status client_inspect(struct client *client, exo_u64 handle, struct exo_sys_info *info);
void client_serve(struct daemon *daemon, struct client *client);
void client_bury(struct daemon *daemon);
void client_wake_rung(struct daemon *daemon);
void client_rang(void *context, struct exo_process *maker, exo_u64 queue);

/* link.c */
exo_status link_ask(struct daemon *daemon, struct client *client, exo_u64 handle, int *descriptor);
void link_forget(struct daemon *daemon, const struct client *client);

/* report.c */
exo_status report_fill(const struct daemon *daemon, const struct client *asker, exo_u8 *out);

/* users.c */
struct user *user_find(struct daemon *daemon, exo_u32 uid);
exo_bool user_allowed(const struct daemon *daemon, int socket, const struct exo_credentials *who);

/* door.c */
exo_bool door_open(const struct door *door, exo_u64 now_ns);
void door_pay(struct door *door, exo_u64 now_ns, exo_u64 took_ns);
void door_deafen(struct door *door, exo_u64 now_ns);
void door_listen(struct door *door);
int door_wait_ms(const struct door *door, exo_u64 now_ns);

/* loop.c */
exo_status loop_begin(struct daemon *daemon);
void loop_run(struct daemon *daemon);
void loop_end(struct daemon *daemon);
exo_status loop_watch(const struct daemon *daemon, int descriptor, void *what, exo_u32 tag);

/* activation.c */
exo_status activation_take(struct exo_listener *listener);
void activation_ready(void);

/* sandbox.c */
exo_status sandbox_enter(void);

#endif
