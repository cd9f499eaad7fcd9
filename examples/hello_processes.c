/* SPDX-License-Identifier: MIT */
/*
 * Two processes, a ring in each direction. Each can write only its own memory, and learns when the other one leaves.
 *
 *     $ hello_processes
 *     child: hello, child
 *     parent: hello, parent
 *     parent: Closed
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SECONDS 1000000000ull

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
    return result;
}

static void talk(int socket, const char *who, const char *greeting, int listen_first)
{
    const exo_u64 deadline = exo_port_now_ns() + 10 * SECONDS;
    struct exo_end end;
    char text[EXO_INLINE_THRESHOLD];
    exo_i64 len;
    check(exo_open(&end, socket, NULL, deadline), "open");
    if (!listen_first) {
        check(exo_send_blocking(&end.tx, greeting, strlen(greeting), deadline), "send");
    }
    len = check(exo_recv_blocking(&end.rx, text, sizeof(text), deadline), "receive");
    printf("%s: %.*s\n", who, (int)len, text);
    fflush(stdout);
    if (listen_first) {
        check(exo_send_blocking(&end.tx, greeting, strlen(greeting), deadline), "send");
    } else {
        len = exo_recv_blocking(&end.rx, text, sizeof(text), deadline);
        printf("%s: %s\n", who, exo_status_text(len));
    }
    exo_close(&end);
}

int main(void)
{
    int sockets[2] = {-1, -1};
    int fate = 0;
    pid_t child;
    check(exo_pair(sockets), "pair");
    child = fork();
    check(child < 0 ? EXO_SYSTEM_ERROR : EXO_OK, "fork");
    close(sockets[child != 0]); /* the other process's */
    if (child == 0) {
        talk(sockets[1], "child", "hello, parent", 1);
        return 0;
    }
    talk(sockets[0], "parent", "hello, child", 0);
    return waitpid(child, &fate, 0) != child || fate != 0;
}
