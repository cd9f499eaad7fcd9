/* SPDX-License-Identifier: MIT */
/* Processes that are clients of one daemon, and do what they are told by a page. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "daemon_fixture.h"

#define BOTH (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE)

static struct running running;

/* What a child does once it is connected; it tells the parent by the page. */
struct child {
    struct exo_client client;
    exo_u32 *page; /* 0: what it has done; 1: what it shall do next */
    const char *path;
    void (*body)(struct child *child);
    pid_t pid;
};

static struct child children[4];

static void child_runs(void *argument)
{
    struct child *child = (struct child *)argument;
    CHECK(client_connects(&child->client, child->path) == EXO_OK);
    child->body(child);
}

static struct child *begins(exo_u32 which, void (*body)(struct child *))
{
    struct child *child = &children[which];
    child->page = (exo_u32 *)shared_page(4096);
    child->path = running.path;
    child->body = body;
    child->pid = start_child(child_runs, child);
    return child;
}

static void says(const struct child *child, exo_u32 value)
{
    exo_store32(&child->page[0], value, EXO_RELEASE);
}

#endif
