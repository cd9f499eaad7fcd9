/* SPDX-License-Identifier: MIT */
/*
 * A server and four clients, each a process with a channel of its own. The clients cannot touch each other's messages;
 * the server takes the requests of all of them from one fan-in, and answers each by where it came from.
 *
 *     $ server
 *     client 0: sum of 1000 squares, 332833500
 *     client 1: sum of 2000 squares, 2664667000
 *     client 2: sum of 3000 squares, 8995500500
 *     client 3: PeerDied
 *     server: 6001 requests
 */
#include <exo_linux.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define CLIENTS 4u

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
    return result;
}

/* Has each number squared by the server, sends the sum as a last message; the fourth client does not get far. */
static void be_client(int socket, exo_u64 number)
{
    static struct exo_channel_end end;
    exo_u64 sum = 0;
    check(exo_channel_open(&end, socket, NULL, EXO_FOREVER), "client: open");
    for (exo_u64 i = 0; i < 1000 * (number + 1); i++) {
        exo_u64 square = 0;
        check(exo_request(&end.channel, &i, sizeof(i), &square, sizeof(square), EXO_FOREVER),
              "client: request");
        sum += square;
        if (number == 3) {
            raise(SIGKILL);
        }
    }
    check(exo_channel_send_blocking(&end.channel, NULL, &sum, sizeof(sum), EXO_FOREVER),
          "client: send");
    exo_channel_end_close(&end);
}

/* Answers until all clients are gone. */
static exo_u64 serve(struct exo_fanin *fanin, char results[CLIENTS][64])
{
    exo_u64 requests = 0;
    while (exo_fanin_count(fanin) != 0) {
        struct exo_message message;
        struct exo_fanin_from from;
        exo_u64 number = 0;
        exo_status status = exo_fanin_recv_blocking(fanin, &message, &from, EXO_FOREVER);
        if (status == EXO_CLOSED) {
            continue;
        }
        if (status != EXO_OK) { /* one client's end is no reason to stop */
            snprintf(results[from.key], 64, "%s", exo_status_text(status));
            continue;
        }
        if (exo_message_size(&message) == sizeof(number)) {
            memcpy(&number, exo_message_payload(&message), sizeof(number));
        }
        if (message.header.msg_type == EXO_MESSAGE_REQUEST) {
            number *= number;
            status = exo_reply(from.channel, &message.header, &number, sizeof(number));
            requests +=
                status == EXO_OK; /* else the client is gone, or takes no answers: its own affair */
        } else {
            snprintf(results[from.key], 64, "sum of %llu squares, %llu",
                     (unsigned long long)(1000 * (from.key + 1)), (unsigned long long)number);
        }
        check(exo_channel_release(from.channel, &message), "server: release");
    }
    return requests;
}

int main(void)
{
    static struct exo_channel_end ends[CLIENTS];
    static char results[CLIENTS][64];
    struct exo_fanin_lane places[CLIENTS];
    struct exo_fanin fanin;
    exo_u64 requests;
    check(exo_fanin_init(&fanin, places, CLIENTS), "fan-in");
    for (exo_u64 i = 0; i < CLIENTS; i++) {
        int sockets[2] = {-1, -1};
        check(exo_pair(sockets), "pair");
        pid_t child = fork();
        check(child < 0 ? EXO_SYSTEM_ERROR : EXO_OK, "fork");
        close(sockets[child != 0]); /* the other process's */
        if (child == 0) {
            be_client(sockets[1], i);
            return 0;
        }
        check(exo_channel_open(&ends[i], sockets[0], NULL, EXO_FOREVER), "server: open");
        check(exo_fanin_add(&fanin, &ends[i].channel, i),
              "server: add"); /* any time, also while others flow */
    }
    requests = serve(&fanin, results);
    for (exo_u32 i = 0; i < CLIENTS; i++) {
        printf("client %u: %s\n", i, results[i]);
        exo_channel_end_close(&ends[i]);
    }
    printf("server: %llu requests\n", (unsigned long long)requests);
    while (wait(NULL) > 0) {
    }
    return 0;
}
