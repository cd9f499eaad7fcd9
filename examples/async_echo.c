/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a channel served by one loop and no thread: a client with many calls in flight, a server that echoes.
 *
 *     $ async_echo
 *     echoed: one
 *     echoed: two
 *     echoed: three
 *     given up: Cancelled
 *     100 echoes in flight at a time, 10000 in all
 */
#include <exo_ipc/exo_ipc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 100
#define SERVED 8
#define TOTAL 10000u

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

/* The server: receives that wait for requests, and answers under way. */
struct server {
    struct exo_async async;
    struct exo_op receive[SERVED];
    struct exo_op answer[SERVED]; /* to what receive[i] has brought */
};

static void serve(struct server *server)
{
    struct exo_op *op;
    (void)exo_async_poll(&server->async);
    while ((op = exo_async_next(&server->async)) != NULL) {
        struct exo_message *request = exo_op_message(&server->receive[op->key]);
        check(op->status, "serve");
        if (op == &server->receive[op->key]) { /* echo it; the request stays until that is done */
            check(exo_async_submit_reply(&server->async, &server->answer[op->key], &request->header,
                                         exo_message_payload(request), exo_message_size(request), EXO_FOREVER),
                  "reply");
        } else {
            check(exo_op_release(&server->async, &server->receive[op->key]), "release");
            check(exo_async_submit_recv(&server->async, &server->receive[op->key], EXO_FOREVER), "receive");
        }
    }
}

/* Takes one completion of the client's. */
static struct exo_op *next(struct exo_async *client, struct server *server)
{
    struct exo_op *op;
    while ((op = exo_async_next(client)) == NULL) {
        serve(server);
        (void)exo_async_poll(client);
    }
    return op;
}

int main(void)
{
    static struct exo_channel_pair pair;
    static struct exo_channel ends[2];
    static struct server server;
    static struct exo_async client;
    static struct exo_op calls[CALLS];
    static const char *const words[] = {"one", "two", "three", "four"};
    struct exo_op *op;
    unsigned i, echoed;
    check(exo_channel_pair_create(&pair, NULL), "create");
    check(exo_channel_pair_open(&pair, 0, &ends[0]), "open");
    check(exo_channel_pair_open(&pair, 1, &ends[1]), "open");
    exo_async_init(&client, &ends[0]);
    exo_async_init(&server.async, &ends[1]);
    for (i = 0; i < SERVED; i++) {
        exo_op_init(&server.receive[i], i);
        exo_op_init(&server.answer[i], i);
        check(exo_async_submit_recv(&server.async, &server.receive[i], EXO_FOREVER), "receive");
    }
    for (i = 0; i < 4; i++) {
        exo_op_init(&calls[i], i);
        check(exo_async_submit_call(&client, &calls[i], NULL, words[i], strlen(words[i]), EXO_FOREVER), "call");
    }
    check(exo_async_cancel(&client, &calls[3]), "cancel");
    for (i = 0; i < 4; i++) {
        op = next(&client, &server);
        if (op->status == EXO_OK) {
            printf("echoed: %.*s\n", (int)exo_message_size(exo_op_message(op)),
                   (const char *)exo_message_payload(exo_op_message(op)));
            check(exo_op_release(&client, op), "release");
        } else {
            printf("given up: %s\n", exo_status_text(op->status));
        }
    }
    for (i = 0; i < CALLS; i++) {
        exo_op_init(&calls[i], i);
        check(exo_async_submit_call(&client, &calls[i], NULL, "again", 5, EXO_FOREVER), "call");
    }
    for (echoed = 1; echoed <= TOTAL; echoed++) {
        op = next(&client, &server);
        check(op->status, "echo");
        check(exo_op_release(&client, op), "release");
        if (echoed + CALLS <= TOTAL) {
            check(exo_async_submit_call(&client, op, NULL, "again", 5, EXO_FOREVER), "call");
        }
    }
    printf("%d echoes in flight at a time, %u in all\n", CALLS, TOTAL);
    exo_async_close(&client);
    exo_async_close(&server.async);
    exo_channel_close(&ends[0]);
    exo_channel_close(&ends[1]);
    exo_channel_pair_destroy(&pair);
    return 0;
}
