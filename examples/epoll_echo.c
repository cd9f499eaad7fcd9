/* SPDX-License-Identifier: MIT */
/*
 * A server with one thread and one epoll set: its listener, and as many ends as clients have come. Four processes
 * connect by name, say something, and get it back.
 *
 *     $ epoll_echo
 *     4 clients served, 4000 messages
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SECONDS 1000000000ull
#define CLIENTS 4
#define MESSAGES 1000

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
    return result;
}

static void client(const char *name)
{
    const exo_u64 deadline = exo_port_now_ns() + 20 * SECONDS;
    struct exo_end end;
    int socket = -1;
    exo_u32 i;
    check(exo_connect(&socket, name, EXO_ANYBODY, deadline), "connect");
    check(exo_open(&end, socket, NULL, deadline), "open");
    for (i = 0; i < MESSAGES; i++) {
        exo_u32 number = i;
        check(exo_send_blocking(&end.tx, &number, sizeof(number), deadline), "send");
        check(exo_recv_blocking(&end.rx, &number, sizeof(number), deadline), "receive");
        if (number != i) {
            exit(1);
        }
    }
    exo_close(&end);
}

static void watch(int set, int descriptor, struct exo_end *end)
{
    struct epoll_event event = {EPOLLIN, {end}};
    if (epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        check(EXO_SYSTEM_ERROR, "epoll");
    }
}

/* Echo all there is, and arm the end. Returns how many messages; *closed when the client has gone. */
static exo_u32 serve(struct exo_end *end, exo_bool *closed)
{
    exo_u32 messages = 0;
    exo_status status;
    exo_fd_clear(end);
    do {
        exo_u8 bytes[EXO_INLINE_THRESHOLD];
        exo_i64 len;
        while ((len = exo_recv(&end->rx, bytes, sizeof(bytes))) >= 0) {
            check(exo_send(&end->tx, bytes, (exo_size)len), "echo"); /* a client waits for each: there is room */
            messages++;
        }
        status = exo_fd_arm(end, EXO_READABLE, 0);
    } while (status == EXO_INTERRUPTED);
    *closed = status != EXO_OK;
    return messages;
}

int main(void)
{
    static struct exo_end ends[CLIENTS];
    struct exo_listener listener;
    char name[32];
    exo_u32 come = 0, gone = 0, messages = 0, i;
    int set = epoll_create1(EPOLL_CLOEXEC);
    snprintf(name, sizeof(name), "@epoll_echo_%d", (int)getpid());
    check(exo_listen(&listener, name, NULL), "listen");
    for (i = 0; i < CLIENTS; i++) {
        if (fork() == 0) {
            client(name);
            return 0;
        }
    }
    watch(set, exo_listener_fd(&listener), NULL);
    while (gone < CLIENTS) {
        struct epoll_event event;
        exo_bool closed = EXO_FALSE;
        if (epoll_wait(set, &event, 1, 20000) != 1) {
            check(EXO_TIMEOUT, "wait");
        }
        if (event.data.ptr == NULL) {
            struct exo_end *end = &ends[come];
            int socket = -1;
            if (exo_accept(&listener, &socket, NULL, EXO_NOW) == EXO_OK) {
                check(exo_open(end, socket, NULL, exo_port_now_ns() + SECONDS), "open");
                watch(set, (int)check(exo_fd(end), "fd"), end);
                messages += serve(end, &closed);
                come++;
            }
        } else {
            messages += serve((struct exo_end *)event.data.ptr, &closed);
        }
        if (closed) {
            exo_close(event.data.ptr == NULL ? &ends[come - 1] : (struct exo_end *)event.data.ptr);
            gone++;
        }
    }
    exo_listener_close(&listener);
    while (wait(NULL) > 0) {
    }
    printf("%u clients served, %u messages\n", gone, messages);
    return 0;
}
