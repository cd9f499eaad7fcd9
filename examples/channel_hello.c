/* SPDX-License-Identifier: MIT */
/*
 * A channel between two processes: whole messages, both ways. Each side says when it has said all, and still listens.
 *
 *     $ channel_hello
 *     child: hello, child
 *     child: Closed
 *     parent: hello, parent
 *     parent: and goodbye
 *     parent: Closed
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SECONDS 1000000000ull

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

static void say(struct exo_channel *channel, const char *text)
{
    check(exo_channel_send_blocking(channel, NULL, text, strlen(text), exo_port_now_ns() + 10 * SECONDS), "send");
}

/* Print what comes, until the other side has said all. */
static void listen_to_the_end(struct exo_channel *channel, const char *who)
{
    const exo_u64 deadline = exo_port_now_ns() + 10 * SECONDS;
    struct exo_message message;
    exo_status status = exo_channel_recv_blocking(channel, &message, deadline);
    while (status == EXO_OK) {
        printf("%s: %.*s\n", who, (int)exo_message_size(&message), (const char *)exo_message_payload(&message));
        check(exo_channel_release(channel, &message), "release");
        status = exo_channel_recv_blocking(channel, &message, deadline);
    }
    if (status != EXO_CLOSED) {
        check(status, "receive"); /* PeerDied, Timeout: what came is not all that was meant */
    }
    printf("%s: %s\n", who, exo_status_text(status));
}

static void be_the_child(int socket)
{
    struct exo_channel_end end;
    check(exo_channel_open(&end, socket, NULL, exo_port_now_ns() + 10 * SECONDS), "child: open");
    listen_to_the_end(&end.channel, "child");
    say(&end.channel, "hello, parent");
    say(&end.channel, "and goodbye");
    exo_channel_end_close(&end); /* the parent still receives both */
}

static void be_the_parent(int socket)
{
    struct exo_channel_end end;
    check(exo_channel_open(&end, socket, NULL, exo_port_now_ns() + 10 * SECONDS), "parent: open");
    say(&end.channel, "hello, child");
    check(exo_channel_finish(&end.channel), "parent: finish");
    listen_to_the_end(&end.channel, "parent");
    exo_channel_end_close(&end);
}

int main(void)
{
    int sockets[2] = {-1, -1};
    int fate = 0;
    pid_t child;
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* two processes print to one place: line by line */
    check(exo_pair(sockets), "pair");
    child = fork();
    if (child < 0) {
        perror("fork");
        return 1;
    }
    (void)close(sockets[child != 0]); /* the other process's */
    if (child == 0) {
        be_the_child(sockets[1]);
        return 0;
    }
    be_the_parent(sockets[0]);
    return waitpid(child, &fate, 0) != child || fate != 0;
}
