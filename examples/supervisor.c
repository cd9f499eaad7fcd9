/* SPDX-License-Identifier: MIT */
/*
 * A supervisor whose worker is killed. Every answer that it gave arrives, then the channel says that it died; a new
 * worker gets what has no answer. It would do again what was done but not answered: here nobody dies in between.
 *
 *     $ supervisor
 *     worker 1 does 0 1 2 3: 4 of 10 jobs answered, then PeerDied (Killed)
 *     worker 2 does 4 5 6 7 8 9: 6 of 6 jobs answered, then Ok (ended)
 *     10 jobs, each done once, sum of their squares 285
 */
#include <exo_linux.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define JOBS 10
#define LIVES 3 /* a worker that dies again and again is given up */
struct job {
    struct exo_call call;
    exo_u32 square;
    int answers, sent; /* sent: to the present worker */
};

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

/* The worker squares numbers. The first one is killed when it gets the fifth. */
static exo_status work(int socket, int life)
{
    struct exo_channel_end end;
    struct exo_message message;
    exo_status status;
    check(exo_channel_open(&end, socket, NULL, EXO_FOREVER), "worker: open");
    while ((status = exo_channel_recv_blocking(&end.channel, &message, EXO_FOREVER)) == EXO_OK) {
        exo_u32 number;
        check(exo_message_size(&message) == sizeof(number) ? EXO_OK : EXO_INVALID_SIZE, "worker: job");
        memcpy(&number, exo_message_payload(&message), sizeof(number));
        if (life == 1 && number == 4) {
            (void)kill(getpid(), SIGKILL);
        }
        printf(" %u", number);
        number *= number;
        check(exo_reply(&end.channel, &message.header, &number, sizeof(number)), "worker: reply");
        check(exo_channel_release(&end.channel, &message), "worker: release");
    }
    exo_channel_end_close(&end);
    return status;
}

/* Give a worker all jobs that have no answer. EXO_OK when all have one, else why no more will come. */
static exo_status hand_out(struct exo_channel *channel, struct job *jobs)
{
    exo_status status = EXO_OK;
    int wanted = 0, answered = 0;
    for (exo_u32 i = 0; i < JOBS; i++) {
        wanted += jobs[i].answers == 0;
        if (jobs[i].answers == 0 && status == EXO_OK) {
            status = exo_call_send(channel, &jobs[i].call, NULL, &i, sizeof(i), EXO_FOREVER);
        }
        jobs[i].sent = jobs[i].answers == 0 && status == EXO_OK;
    }
    for (exo_u32 i = 0; i < JOBS; i++) {
        exo_status over = jobs[i].sent ? exo_call_wait(channel, &jobs[i].call) : EXO_NOT_FOUND;
        if (over == EXO_OK && exo_message_size(&jobs[i].call.answer) == sizeof(jobs[i].square)) {
            memcpy(&jobs[i].square, exo_message_payload(&jobs[i].call.answer), sizeof(jobs[i].square));
            check(exo_call_release(channel, &jobs[i].call), "supervisor: release");
            jobs[i].answers++;
            answered++;
        } else if (over != EXO_NOT_FOUND) {
            status = over;
        }
    }
    printf(": %d of %d jobs answered, then %s", answered, wanted, exo_status_text(status));
    return status;
}

static exo_status supervise(struct job *jobs, int life)
{
    struct exo_channel_end end;
    int sockets[2] = {-1, -1};
    int fate = 0;
    printf("worker %d does", life);
    check(exo_pair(sockets), "pair");
    pid_t worker = fork();
    check(worker < 0 ? EXO_SYSTEM_ERROR : EXO_OK, "fork");
    (void)close(sockets[worker != 0]); /* the other process's */
    if (worker == 0) {
        exit(work(sockets[1], life) != EXO_CLOSED);
    }
    exo_status status = exo_channel_open(&end, sockets[0], NULL, EXO_FOREVER);
    status = status == EXO_OK ? hand_out(&end.channel, jobs) : status;
    exo_channel_end_close(&end);
    check(waitpid(worker, &fate, 0) == worker ? EXO_OK : EXO_SYSTEM_ERROR, "wait");
    printf(" (%s)\n", WIFSIGNALED(fate) ? strsignal(WTERMSIG(fate)) : "ended");
    return status;
}

int main(void)
{
    static struct job jobs[JOBS];
    exo_status status = EXO_PEER_DIED;
    exo_u32 sum = 0, once = 0;
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* the processes print to one line, each in its turn */
    for (int life = 1; life <= LIVES && status == EXO_PEER_DIED; life++) {
        status = supervise(jobs, life);
    }
    check(status, "supervisor");
    for (int i = 0; i < JOBS; i++) {
        once += jobs[i].answers == 1;
        sum += jobs[i].square;
    }
    printf("%u jobs, each done once, sum of their squares %u\n", once, sum);
    return once != JOBS;
}
