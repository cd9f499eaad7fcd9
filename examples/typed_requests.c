/* SPDX-License-Identifier: MIT */
/*
 * Requests of one type of C: several at once, answers in an order of the server's, an error for an answer, and a
 * deadline that passes. The server gathers three divisions and begins with the last.
 *
 *     $ typed_requests
 *     84 / 2 = 42, answered as number 2
 *     7 / 0: InvalidArgument
 *     5 / 5 = 1, answered as number 1
 *     1 / 1: Timeout
 *     99 / 3 = 33, answered as number 5
 *     50 / 5 = 10, answered as number 3
 *     1 answer came too late and was dropped
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define GATHERED 3
struct division {
    exo_i32 dividend, divisor, quotient, number; /* the last one is the answer's */
};
EXO_CHANNEL_TYPE(division, struct division)

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

static exo_status answer(struct exo_channel *channel, const struct exo_message_header *request, struct division asked)
{
    static exo_i32 answers;
    if (asked.divisor == 0) {
        return exo_reply_error(channel, request, EXO_INVALID_ARGUMENT);
    }
    asked.quotient = asked.dividend / asked.divisor;
    asked.number = ++answers;
    return division_reply(channel, request, &asked);
}

/* An answer needs only the header of its request, so the message goes back at once. */
static exo_status serve(int socket, const struct exo_channel_config *config)
{
    struct exo_channel_end end;
    struct exo_message_header requests[GATHERED];
    struct division asked[GATHERED];
    const struct division *place;
    struct exo_message message;
    exo_status status;
    check(exo_channel_open(&end, socket, config, EXO_FOREVER), "server: open");
    for (int n = 1; (status = division_view_blocking(&end.channel, &message, &place, EXO_FOREVER)) == EXO_OK; n++) {
        requests[n % GATHERED] = message.header;
        asked[n % GATHERED] = *place;
        check(division_release(&end.channel, &message), "server: release");
        for (int i = 0; n % GATHERED == 0 && i < GATHERED; i++) { /* the last one came to place 0 */
            check(answer(&end.channel, &requests[i], asked[i]), "server: answer");
        }
    }
    exo_channel_end_close(&end);
    return status;
}

static void ask(struct exo_channel *channel, struct exo_call *call, int dividend, int divisor, unsigned milliseconds)
{
    struct division asked = {dividend, divisor, 0, 0};
    exo_u64 deadline_ns = exo_port_now_ns() + milliseconds * 1000000ull;
    check(exo_call_send(channel, call, NULL, &asked, sizeof(asked), deadline_ns), "client: ask");
}

/* What comes of a call: a value, an error that the server sent, or neither, and then the status says why. */
static void show(struct exo_channel *channel, struct exo_call *call, const char *what)
{
    exo_status status = exo_call_wait(channel, call);
    exo_status error = status == EXO_OK ? exo_message_error(&call->answer) : status;
    if (error != EXO_OK) {
        printf("%s: %s\n", what, exo_status_text(error));
    } else if (exo_message_size(&call->answer) == sizeof(struct division)) {
        const struct division *divided = exo_message_payload(&call->answer);
        printf("%s = %d, answered as number %d\n", what, divided->quotient, divided->number);
    }
    if (status == EXO_OK) {
        check(exo_call_release(channel, call), "client: release");
    }
}

int main(void)
{
    const struct exo_channel_config config = division_config((struct exo_channel_config){0});
    struct exo_channel_end end;
    struct exo_call calls[GATHERED];
    int sockets[2] = {-1, -1};
    int fate = 0;
    check(exo_pair(sockets), "pair");
    pid_t server = fork();
    check(server < 0 ? EXO_SYSTEM_ERROR : EXO_OK, "fork");
    (void)close(sockets[server != 0]); /* the other process's */
    if (server == 0) {
        return serve(sockets[1], &config) != EXO_CLOSED;
    }
    check(exo_channel_open(&end, sockets[0], &config, EXO_FOREVER), "client: open");
    ask(&end.channel, &calls[0], 84, 2, 10000);
    ask(&end.channel, &calls[1], 7, 0, 10000);
    ask(&end.channel, &calls[2], 5, 5, 10000);
    show(&end.channel, &calls[0], "84 / 2");
    show(&end.channel, &calls[1], "7 / 0");
    show(&end.channel, &calls[2], "5 / 5");
    ask(&end.channel, &calls[0], 1, 1, 100); /* the server waits for two more */
    show(&end.channel, &calls[0], "1 / 1");
    ask(&end.channel, &calls[1], 99, 3, 10000);
    ask(&end.channel, &calls[2], 50, 5, 10000);
    show(&end.channel, &calls[1], "99 / 3");
    show(&end.channel, &calls[2], "50 / 5");
    printf("%d answer came too late and was dropped\n", (int)end.channel.late);
    exo_channel_end_close(&end);
    return waitpid(server, &fate, 0) != server || fate != 0;
}
