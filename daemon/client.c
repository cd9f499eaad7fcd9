/* SPDX-License-Identifier: MIT */
/* Clients: how one begins, is served, waits and ends. */
#include "daemon.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/*
 * The process that connected, by a descriptor that stays its own whatever becomes of its number. From the kernel's own record
 * where it offers that; else by number, and then the socket must still be held by somebody, so that the number cannot have
 * passed on to a stranger before we looked. -1 with EXO_OK: it is not visible from here.
 */
static exo_status client_pidfd(int socket, exo_u32 pid, int *pidfd)
{
    socklen_t bytes = sizeof(*pidfd);
    struct pollfd fact = {socket, 0, 0};
    *pidfd = -1;
    if (pid == 0) {
        return EXO_OK;
    }
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, pidfd, &bytes) == 0) {
        return EXO_OK;
    }
    *pidfd = -1;
    if (errno == ESRCH || errno == EINVAL || errno == ENODATA) {
        return EXO_PEER_DIED;
    }
    if (errno == EMFILE || errno == ENFILE) {
        return EXO_QUOTA_EXCEEDED;
    }
    *pidfd = (int)exo_port_syscall_pvt(SYS_pidfd_open, (const void *)(exo_uptr)pid, 0, 0, NULL, NULL, 0);
    if (*pidfd < 0) {
        exo_status status = *pidfd == -ESRCH ? EXO_PEER_DIED : *pidfd == -ENOSYS ? EXO_OK : EXO_QUOTA_EXCEEDED;
        *pidfd = -1;
        return status;
    }
    if (poll(&fact, 1, 0) != 0) {
        exo_descriptor_close_pvt(pidfd);
        return EXO_PEER_DIED;
    }
    return EXO_OK;
}

static exo_status client_admit(struct daemon *daemon, struct client *client, const struct exo_credentials *who)
{
    const int room = SEND_BUFFER_BYTES;
    struct exo_process_config config;
    exo_status status;
    (void)setsockopt(client->socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    status = client_pidfd(client->socket, who->pid, &client->pidfd);
    if (status != EXO_OK) {
        return status;
    }
    memset(&config, 0, sizeof(config));
    config.user = who->uid;
    config.account = &client->user->account;
    config.space = &client->space;
    config.remote = EXO_TRUE;
    config.context = client;
    status = exo_process_begin(&daemon->nucleus, &config, &client->process);
    if (status != EXO_OK) {
        return status;
    }
    status = loop_watch(daemon, client->socket, client, TAG_REQUEST);
    if (status == EXO_OK && client->pidfd >= 0) {
        status = loop_watch(daemon, client->pidfd, client, TAG_DEATH);
    }
    if (status == EXO_OK) {
        status = exo_letter_send_pvt(client->socket, EXO_LETTER_WELCOME, 0, -1, EXO_NOW);
    }
    if (status != EXO_OK) {
        exo_process_end(client->process, EXO_FALSE);
    }
    return status;
}

/* Let somebody in. The socket is the client's on success. */
exo_status client_begin(struct daemon *daemon, int socket, const struct exo_credentials *who, struct user *user)
{
    struct client *client = (struct client *)calloc(1, sizeof(*client));
    exo_status status;
    if (client == NULL) {
        return EXO_NO_MEMORY;
    }
    client->socket = socket;
    client->pidfd = -1;
    client->space.descriptor = -1;
    client->user = user;
    status = client_admit(daemon, client, who);
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(&client->pidfd);
        free(client);
        return status;
    }
    client->next = daemon->clients;
    if (daemon->clients != NULL) {
        daemon->clients->previous = client;
    }
    daemon->clients = client;
    daemon->clients_count++;
    user->clients++;
    return EXO_OK;
}

/* Take a client off a list of those that are linked by one of their members. */
#define LIST_REMOVE(head, member, client)                                                                                  \
    do {                                                                                                                   \
        struct client **list_at = &(head);                                                                                 \
        while (*list_at != NULL && *list_at != (client)) {                                                                 \
            list_at = &(*list_at)->member;                                                                                 \
        }                                                                                                                  \
        if (*list_at != NULL) {                                                                                            \
            *list_at = (client)->member;                                                                                   \
        }                                                                                                                  \
    } while (0)

static void client_unpark(struct daemon *daemon, struct client *client)
{
    if (!client->parked) {
        return;
    }
    client->parked = EXO_FALSE;
    daemon->waiting_count--;
    if (client->guest) {
        client->guest = EXO_FALSE;
        LIST_REMOVE(daemon->guests, next_guest, client);
    }
}

/* The process ends; what it leaves charged may ring for it later, when there is nobody any more. */
static void client_process_end(struct client *client, exo_bool died)
{
    struct exo_process *process = client->process;
    if (process != NULL) {
        client->process = NULL;
        process->context = NULL;
        exo_process_end(process, died);
    }
}

/* It is gone, and all it held comes back. Its record stays until the turn is over. */
void client_end(struct daemon *daemon, struct client *client, exo_bool died)
{
    if (client->socket < 0) {
        return;
    }
    client_unpark(daemon, client);
    link_forget(daemon, client);
    client_process_end(client, died);
    daemon->guests_due = EXO_TRUE;
    if (client->rung) {
        client->rung = EXO_FALSE;
        LIST_REMOVE(daemon->rung, next_rung, client);
    }
    exo_descriptor_close_pvt(&client->socket);
    exo_descriptor_close_pvt(&client->pidfd);
    client->user->clients--;
    daemon->clients_count--;
    if (client->previous == NULL) {
        daemon->clients = client->next;
    } else {
        client->previous->next = client->next;
    }
    if (client->next != NULL) {
        client->next->previous = client->previous;
    }
    client->next = daemon->ended;
    daemon->ended = client;
}

/* The turn is over: no event of theirs comes any more. */
void client_bury(struct daemon *daemon)
{
    while (daemon->ended != NULL) {
        struct client *client = daemon->ended;
        daemon->ended = client->next;
        free(client);
    }
}

/* Send an answer. Whoever has no room for it has not read those before, and is ended. */
static void client_answer(struct daemon *daemon, struct client *client, exo_status status, exo_u64 result,
                          exo_size bytes, int descriptor)
{
    struct exo_packet_answer head = {EXO_PACKET_ANSWERS, status, result};
    struct iovec part[2] = {{&head, sizeof(head)}, {daemon->out, bytes}};
    exo_word64 control[CMSG_SPACE(sizeof(int)) / sizeof(exo_word64)];
    struct msghdr message = {NULL, 0, part, bytes != 0 ? 2 : 1, NULL, 0, 0};
    ssize_t sent;
    if (descriptor >= 0) {
        struct cmsghdr *along = (struct cmsghdr *)(void *)control;
        memset(control, 0, sizeof(control));
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        along->cmsg_level = SOL_SOCKET;
        along->cmsg_type = SCM_RIGHTS;
        along->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(along), &descriptor, sizeof(int));
    }
    while ((sent = sendmsg(client->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    if (sent < 0) {
        client_end(daemon, client, EXO_TRUE);
    }
}

/* What a handle of a client denotes. What goes to the client itself stays as it is. */
exo_status client_inspect(struct client *client, exo_u64 handle, struct exo_sys_info *info)
{
    struct exo_port_space saved = client->space;
    struct exo_syscall call;
    exo_status status;
    memset(&call, 0, sizeof(call));
    memset(info, 0, sizeof(*info));
    call.number = EXO_SYS_INSPECT;
    call.version = EXO_SYSCALL_VERSION;
    call.argument[0] = handle;
    call.argument[2] = sizeof(*info);
    client->space.out = (exo_u8 *)info;
    client->space.out_bytes = sizeof(*info);
    status = exo_syscall_dispatch(client->process, &call);
    client->space = saved;
    return status;
}

/* Which queue it waits at, and whether another process made that: only the maker is told when its handles end. */
static void client_park(struct daemon *daemon, struct client *client, const struct exo_packet *packet)
{
    struct exo_sys_info info;
    client->waiting = *packet;
    client->waiting.body = NULL;
    client->parked = EXO_TRUE;
    client->guest = client_inspect(client, packet->call.argument[0], &info) != EXO_OK ||
                    info.owner != exo_process_number(client->process);
    client->queue = info.id;
    daemon->waiting_count++;
    if (client->guest) {
        client->next_guest = daemon->guests;
        daemon->guests = client;
    }
}

/* Let the nucleus do it. Returns the status; *result and *descriptor are what goes along. */
static exo_status client_call(struct daemon *daemon, struct client *client, struct exo_packet *packet, int *descriptor)
{
    exo_status status;
    client->space.in = packet->body;
    client->space.in_bytes = packet->body_bytes;
    client->space.out = daemon->out;
    client->space.out_bytes = packet->room;
    client->space.descriptor = -1;
    status = exo_syscall_dispatch(client->process, &packet->call);
    *descriptor = client->space.descriptor;
    client->space.descriptor = -1;
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(descriptor);
    }
    if (packet->call.number == EXO_SYS_CLOSE || packet->call.number == EXO_SYS_REVOKE) {
        daemon->guests_due = EXO_TRUE; /* handles of queues may have ended */
    }
    return status;
}

/* Calls of this road. */
static exo_status client_road(struct daemon *daemon, struct client *client, struct exo_packet *packet, int *descriptor)
{
    exo_status status;
    if (packet->call.number == EXO_SYS_LINK) {
        return link_ask(daemon, client, packet->call.argument[0], descriptor);
    }
    if (packet->call.number == EXO_SYS_REPORT) {
        status = packet->room < sizeof(struct exo_daemon_report) ? EXO_BUFFER_TOO_SMALL
                                                                 : report_fill(daemon, client, daemon->out);
        packet->call.result = status == EXO_OK ? sizeof(struct exo_daemon_report) : 0;
        return status;
    }
    return EXO_NOT_SUPPORTED;
}

/* Whether a call may yield a descriptor, which is counted as the daemon's until the client has read it. */
static exo_bool client_unread(const struct client *client, exo_u32 number)
{
    int unread = 0;
    return (number == EXO_SYS_SHM_MAP || number == EXO_SYS_LINK) && ioctl(client->socket, SIOCOUTQ, &unread) == 0 &&
           unread != 0;
}

static void client_request(struct daemon *daemon, struct client *client, exo_size bytes, exo_bool brought)
{
    struct exo_packet packet;
    int descriptor = -1;
    exo_status status = exo_packet_parse(daemon->in, bytes, &packet);
    if (client->parked) { /* whatever it says ends its wait */
        client_unpark(daemon, client);
        client_answer(daemon, client, EXO_TIMEOUT, 0, 0, -1);
    }
    if (client->socket < 0 || status == EXO_CORRUPT) {
        client_end(daemon, client, EXO_TRUE);
        return;
    }
    packet.room = status == EXO_OK ? packet.room : 0;
    if (status == EXO_OK && brought) {
        status = EXO_INVALID_ARGUMENT;
    }
    if (status == EXO_OK && packet.call.number == EXO_SYS_CANCEL) {
        return;
    }
    if (status == EXO_OK && packet.call.number == EXO_SYS_BYE) {
        link_forget(daemon, client);
        client_process_end(client, EXO_FALSE); /* answered when everything is back */
        client_answer(daemon, client, EXO_OK, 0, 0, -1);
        client_end(daemon, client, EXO_FALSE);
        return;
    }
    if (status == EXO_OK && client_unread(client, packet.call.number)) {
        client_end(daemon, client, EXO_TRUE);
        return;
    }
    if (status == EXO_OK) {
        status = packet.call.number < EXO_SYS_PORT ? client_call(daemon, client, &packet, &descriptor)
                                                   : client_road(daemon, client, &packet, &descriptor);
    }
    if (status == EXO_WOULD_BLOCK && packet.call.number == EXO_SYS_WAIT && packet.call.argument[3] != EXO_NOW) {
        client_park(daemon, client, &packet);
        return;
    }
    client_answer(daemon, client, status, packet.call.result,
                  exo_packet_written(&packet, status, packet.call.result), descriptor);
    exo_descriptor_close_pvt(&descriptor);
}

/* Read one request and answer it. No control buffer is offered, so the kernel itself drops descriptors that come along. */
void client_serve(struct daemon *daemon, struct client *client)
{
    struct iovec part = {daemon->in, sizeof(daemon->in)};
    struct msghdr message = {NULL, 0, &part, 1, NULL, 0, 0};
    ssize_t got = recvmsg(client->socket, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        client_end(daemon, client, EXO_TRUE);
        return;
    }
    client_request(daemon, client, (exo_size)got, (message.msg_flags & MSG_CTRUNC) != 0);
}

static void client_note(struct daemon *daemon, struct client *client, exo_u64 queue)
{
    if (client->parked && client->queue == queue && !client->rung) {
        client->rung = EXO_TRUE;
        client->next_rung = daemon->rung;
        daemon->rung = client;
    }
}

/* Something arrived at a queue. Called by the nucleus with its locks held. */
void client_rang(void *context, struct exo_process *maker, exo_u64 queue)
{
    struct daemon *daemon = (struct daemon *)context;
    struct client *guest;
    if (maker->context != NULL) {
        client_note(daemon, (struct client *)maker->context, queue);
    }
    for (guest = daemon->guests; guest != NULL; guest = guest->next_guest) {
        client_note(daemon, guest, queue);
    }
}

/* Look again for somebody whose wait is not answered. */
static void client_look(struct daemon *daemon, struct client *client)
{
    struct exo_packet packet = client->waiting;
    int descriptor = -1;
    exo_status status = client_call(daemon, client, &packet, &descriptor);
    if (status == EXO_WOULD_BLOCK) {
        return;
    }
    client_unpark(daemon, client);
    client_answer(daemon, client, status, packet.call.result,
                  exo_packet_written(&packet, status, packet.call.result), -1);
}

/* After each request and each end: those for whom something may have changed. When handles ended, all guests look whether it
 * was theirs. */
void client_wake_rung(struct daemon *daemon)
{
    struct client *guest = daemon->guests_due ? daemon->guests : NULL;
    daemon->guests_due = EXO_FALSE;
    while (guest != NULL) {
        struct client *next = guest->next_guest;
        client_look(daemon, guest);
        guest = next;
    }
    while (daemon->rung != NULL) {
        struct client *client = daemon->rung;
        daemon->rung = client->next_rung;
        client->rung = EXO_FALSE;
        if (client->parked) {
            client_look(daemon, client);
        }
    }
}
