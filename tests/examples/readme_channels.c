/* SPDX-License-Identifier: MIT */
/*
 * What the README shows of channels, run between two processes.
 *
 *     $ readme_channels
 *     hello, parent
 *     child: hello, child
 *     2 + 40 = 42
 */
#include "readme_channel.h"
#include "readme_typed.h"

#include <stdlib.h>
#include <sys/wait.h>

static void check(exo_bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void open_sum(struct exo_channel_end *end, int socket)
{
    const struct exo_channel_config config = sum_config((struct exo_channel_config){0});
    check(exo_channel_open(end, socket, &config, EXO_FOREVER) == EXO_OK, "open");
}

/* What the child prints goes to the parent, so that both come in one order. */
static void be_the_child(const int sockets[2], int print_to)
{
    struct exo_channel_end end;
    check(dup2(print_to, STDOUT_FILENO) == STDOUT_FILENO, "dup2");
    printf("child: ");
    check(greet(sockets[0], "hello, parent") == EXO_OK, "child: greet");
    open_sum(&end, sockets[1]);
    check(answer(&end.channel) == EXO_OK, "child: answer");
    exo_channel_end_close(&end);
}

int main(void)
{
    struct exo_channel_end end;
    struct sum sum = {2, 40, 0};
    int greeting[2];
    int asking[2];
    int from_child[2];
    char text[100] = "";
    int fate = 0;
    pid_t child;
    check(exo_pair(greeting) == EXO_OK && exo_pair(asking) == EXO_OK && pipe(from_child) == 0, "pair");
    child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        (void)close(greeting[0]);
        (void)close(asking[0]);
        be_the_child((const int[2]){greeting[1], asking[1]}, from_child[1]);
        return 0;
    }
    (void)close(greeting[1]);
    (void)close(asking[1]);
    (void)close(from_child[1]);
    check(greet(greeting[0], "hello, child") == EXO_OK, "parent: greet");
    open_sum(&end, asking[0]);
    check(ask(&end.channel, &sum) == EXO_OK, "parent: ask");
    exo_channel_end_close(&end);
    check(waitpid(child, &fate, 0) == child && fate == 0, "child");
    check(read(from_child[0], text, sizeof(text) - 1) > 0, "read");
    printf("%s%d + %d = %d\n", text, (int)sum.a, (int)sum.b, (int)sum.result);
    return 0;
}
