/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels: a server that echoes in an epoll loop, a client with many calls in flight, and no thread beside.
 *
 *     $ async_echo
 *     given up: call 3
 *     10000 echoes, 64 in flight at a time
 *     the server slept in epoll, and ended well
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define CALLS 64
#define SERVED 8
#define TOTAL 10000u

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
    exit(1);
}

static struct exo_async server;
static struct exo_op receive[SERVED], answer[SERVED]; /* answer[i] goes to what receive[i] has brought */

/* Take all completions; false once the client has closed. */
static int serve(void)
{
    struct exo_op *op;
    check(exo_async_poll(&server), "poll");
    while ((op = exo_async_next(&server)) != NULL) {
        struct exo_message *request = exo_op_message(&receive[op->key]);
        if (op->status == EXO_CLOSED)
            return 0;
        check(op->status, "serve");
        if (op == &receive[op->key]) { /* echo it; the request stays until that is done */
            check(exo_async_submit_reply(&server, &answer[op->key], &request->header, exo_message_payload(request),
                                         exo_message_size(request), EXO_FOREVER), "reply");
        } else {
            check(exo_op_release(&server, &receive[op->key]), "release");
            check(exo_async_submit_recv(&server, &receive[op->key], EXO_FOREVER), "receive");
        }
    }
    return 1;
}

static int server_process(struct exo_channel_end *end)
{
    struct epoll_event event = {EPOLLIN, {NULL}};
    int set = epoll_create1(EPOLL_CLOEXEC), slept = 0;
    unsigned i;
    exo_async_init(&server, &end->channel);
    for (i = 0; i < SERVED; i++) {
        exo_op_init(&receive[i], i);
        exo_op_init(&answer[i], i);
        check(exo_async_submit_recv(&server, &receive[i], EXO_FOREVER), "receive");
    }
    epoll_ctl(set, EPOLL_CTL_ADD, (int)check(exo_channel_fd(end), "fd"), &event);
    while (serve()) {
        if (exo_channel_fd_arm(end, EXO_READABLE, 0) == EXO_OK) {
            slept += epoll_wait(set, &event, 1, -1) == 1; /* among whatever else a server waits for */
            exo_channel_fd_clear(end);
        }
    }
    exo_async_close(&server);
    return slept != 0;
}

static void client_process(struct exo_channel_end *end)
{
    static struct exo_async client;
    static struct exo_op calls[CALLS];
    unsigned i, echoes = 0, sent = CALLS;
    exo_async_init(&client, &end->channel);
    for (i = 0; i < CALLS; i++) {
        exo_op_init(&calls[i], i);
        check(exo_async_submit_call(&client, &calls[i], NULL, "again", 5, EXO_FOREVER), "call");
    }
    check(exo_async_cancel(&client, &calls[3]), "cancel");
    while (echoes < TOTAL) {
        struct exo_op *op;
        check(exo_async_wait(&client, EXO_FOREVER), "wait");
        op = exo_async_next(&client);
        if (op->status == EXO_CANCELLED) {
            printf("given up: call %u\n", (unsigned)op->key);
            sent--;
        } else {
            check(op->status, "echo");
            check(exo_op_release(&client, op), "release");
            echoes++;
        }
        if (sent < TOTAL) {
            check(exo_async_submit_call(&client, op, NULL, "again", 5, EXO_FOREVER), "call");
            sent++;
        }
    }
    printf("%u echoes, %d in flight at a time\n", echoes, CALLS);
    exo_async_close(&client);
}

int main(void)
{
    static struct exo_channel_end end;
    int sockets[2], status = 0, child;
    check(exo_pair(sockets), "pair");
    child = fork();
    close(sockets[child == 0 ? 0 : 1]);
    check(exo_channel_open(&end, sockets[child == 0 ? 1 : 0], NULL, exo_port_now_ns() + 10000000000u), "open");
    if (child == 0)
        return server_process(&end) ? 0 : 1;
    client_process(&end);
    usleep(50000); /* nobody calls: the server sleeps, if it was too busy to before, until the channel is closed */
    exo_channel_end_close(&end);
    waitpid(child, &status, 0);
    return printf("the server %s\n", status == 0 ? "slept in epoll, and ended well" : "failed") < 0 || status != 0;
}
