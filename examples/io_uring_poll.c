/* SPDX-License-Identifier: MIT */
/*
 * An io_uring that waits for an end: one poll request for its descriptor beside whatever else the program submits, here a
 * timeout that never comes.
 *
 *     $ io_uring_poll
 *     3 messages, then Closed
 *
 * Ends with status 77 where the kernel allows no io_uring.
 */
#include <exo_linux.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SECONDS 1000000000ull
#define MESSAGES 3

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
    return result;
}

static void child(int socket)
{
    struct exo_end end;
    exo_u32 i;
    check(exo_open(&end, socket, NULL, exo_port_now_ns() + 10 * SECONDS), "open");
    for (i = 0; i < MESSAGES; i++) {
        struct timespec span = {0, 10000000};
        nanosleep(&span, NULL); /* so that the parent sleeps */
        check(exo_send(&end.tx, &i, sizeof(i)), "send");
    }
    exo_close(&end);
}

/* Sleep until the descriptor is readable. */
static void sleep_on(struct io_uring *uring, int descriptor)
{
    struct io_uring_sqe *request = io_uring_get_sqe(uring);
    struct io_uring_cqe *done = NULL;
    io_uring_prep_poll_add(request, descriptor, POLLIN);
    io_uring_sqe_set_data(request, uring);
    io_uring_submit(uring);
    if (io_uring_wait_cqe(uring, &done) != 0 || io_uring_cqe_get_data(done) != uring) {
        check(EXO_TIMEOUT, "wait");
    }
    io_uring_cqe_seen(uring, done);
}

int main(void)
{
    struct __kernel_timespec limit = {20, 0};
    struct io_uring uring;
    struct exo_end end;
    exo_status status;
    exo_u32 messages = 0;
    int sockets[2] = {-1, -1};
    int fd;
    if (io_uring_queue_init(8, &uring, 0) != 0) {
        return 77;
    }
    check(exo_pair(sockets), "pair");
    if (fork() == 0) {
        close(sockets[0]);
        child(sockets[1]);
        return 0;
    }
    close(sockets[1]);
    check(exo_open(&end, sockets[0], NULL, exo_port_now_ns() + 10 * SECONDS), "open");
    fd = (int)check(exo_fd(&end), "fd");
    io_uring_prep_timeout(io_uring_get_sqe(&uring), &limit, 0, 0);
    do {
        exo_u32 number;
        while (exo_recv(&end.rx, &number, sizeof(number)) >= 0) {
            messages++;
        }
        status = exo_fd_arm(&end, EXO_READABLE, 0);
        if (status == EXO_OK) {
            sleep_on(&uring, fd);
            exo_fd_clear(&end);
        }
    } while (status == EXO_OK || status == EXO_INTERRUPTED);
    printf("%u messages, then %s\n", messages, exo_status_text(status));
    io_uring_queue_exit(&uring);
    exo_close(&end);
    return wait(NULL) < 0;
}
