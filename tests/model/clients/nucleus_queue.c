/* SPDX-License-Identifier: MIT */
/*
 * A queue of the nucleus: nobody sleeps beside what was posted, whoever posts last.
 */
#include <string.h>

#include "../client.h"
#include "exo_ipc/nucleus/queue.h"

static struct {
    struct exo_queue queue;
    struct exo_notify_source sources[2];
    exo_u64 name[2];
    exo_u32 got;
} stage;

static void setup(void)
{
    exo_u32 i;
    memset(&stage, 0, sizeof(stage));
    client_check(exo_notify_init(&stage.queue.notify, stage.sources, 2) == EXO_OK);
    for (i = 0; i < 2; i++) {
        client_check(exo_notify_add(&stage.queue.notify, NULL, i, EXO_USER_EVENT, EXO_EDGE, &stage.name[i]) == EXO_OK);
    }
    client_names("queue", &stage.queue, sizeof(stage.queue));
}

/* Threads 1 and 2 post to a source each. */
static void post(void)
{
    client_check(exo_notify_post(&stage.queue.notify, stage.name[client_self() - 1], EXO_USER_EVENT) == EXO_OK);
    exo_queue_ring_pvt(&stage.queue);
}

/* As exo_sys_wait() does it, until both have come. */
static void wait_for_both(void)
{
    struct exo_sys_event events[2];
    while (stage.got != 3) {
        exo_u32 seen = exo_queue_announce_pvt(&stage.queue);
        exo_u32 count = exo_queue_take_pvt(&stage.queue, events, 2);
        if (count == 0) {
            exo_port_wait(&stage.queue.rang, seen, EXO_FOREVER, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
        }
        exo_queue_awake_pvt(&stage.queue);
        while (count != 0) {
            stage.got |= 1u << events[--count].key;
        }
    }
}

static void finish(void)
{
    client_check(stage.got == 3);
    client_check(exo_load32(&stage.queue.sleepers, EXO_RELAXED) == 0);
}

CLIENT(sleep) = {.name = "nucleus-queue-sleep", .setup = setup, .thread = {post, post, wait_for_both}, .finish = finish};
