/* SPDX-License-Identifier: MIT */
/*
 * A megabyte from one process to another without a copy: the sender writes it into a buffer of its arena, the
 * receiver reads it there, and gives it back.
 *
 *     $ zero_copy
 *     sender: lent 1048576 bytes, 1048576 outstanding
 *     receiver: 1048576 bytes, first 0, last 255, mapped read-only
 *     sender: released, 0 outstanding
 */
#include <exo_linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define FRAME ((size_t)1 << 20)

static const struct exo_ring_config config = {.arena_size = 4 * FRAME};

static void check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
}

static void receive(int socket)
{
    struct exo_end end;
    struct exo_viewed view = {0};
    check(exo_open(&end, socket, &config, EXO_FOREVER), "receiver: open");
    check(exo_view_blocking(&end.rx, &view, EXO_FOREVER), "receiver: view");
    const unsigned char *bytes = view.data;
    printf("receiver: %zu bytes, first %d, last %d, mapped read-only\n", view.len, bytes[0],
           bytes[view.len - 1]);
    fflush(stdout);
    check(exo_release(&end.rx, &view), "receiver: release");
    check(exo_send(&end.tx, "done", 4), "receiver: send");
    exo_close(&end);
}

static void send_frame(int socket)
{
    struct exo_end end;
    struct exo_loaned loan = {0};
    char answer[EXO_INLINE_THRESHOLD];
    check(exo_open(&end, socket, &config, EXO_FOREVER), "sender: open");
    check(exo_loan(&end.tx, FRAME, &loan), "sender: loan");
    for (size_t i = 0; i < FRAME; i++) {
        ((unsigned char *)loan.data)[i] = (unsigned char)i;
    }
    printf("sender: lent %zu bytes, %llu outstanding\n", loan.len,
           (unsigned long long)exo_loans_outstanding(&end.tx));
    fflush(stdout);
    check(exo_send_loan(&end.tx, &loan),
          "sender: send"); /* the buffer is the receiver's from here on */
    check(exo_recv_blocking(&end.rx, answer, sizeof(answer), EXO_FOREVER), "sender: receive");
    printf("sender: released, %llu outstanding\n",
           (unsigned long long)exo_loans_outstanding(&end.tx));
    exo_close(&end);
}

int main(void)
{
    int sockets[2] = {-1, -1};
    int fate = 0;
    check(exo_pair(sockets), "pair");
    pid_t pid = fork();
    if (pid == 0) {
        close(sockets[0]);
        receive(sockets[1]);
        return 0;
    }
    close(sockets[1]);
    if (pid < 0) {
        perror("fork");
        return 1;
    }
    send_frame(sockets[0]);
    return waitpid(pid, &fate, 0) != pid || fate != 0;
}
