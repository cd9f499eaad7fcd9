/* SPDX-License-Identifier: MIT */
/*
 * Ends of sockets for two clients who hold the two sides of a channel: the first who asks gets one end of a new pair, the
 * other end waits for the other side. What runs over it is theirs.
 */
#include "daemon.h"

#include <stdlib.h>

/* Which channel and side a handle denotes, if it may both send and receive. */
static exo_status link_inspect(struct client *client, exo_u64 handle, exo_u64 *id, exo_u32 *side)
{
    struct exo_sys_info info;
    exo_status status = client_inspect(client, handle, &info);
    if (status != EXO_OK) {
        return status;
    }
    if (info.kind != EXO_OBJECT_CHANNEL) {
        return EXO_TYPE_MISMATCH;
    }
    *id = info.id;
    *side = info.side;
    return (info.rights & (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE)) == (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE)
               ? EXO_OK
               : EXO_PERMISSION_DENIED;
}

static void link_drop(struct daemon *daemon, struct link **at)
{
    struct link *link = *at;
    *at = link->next;
    link->asker->links--;
    daemon->links_count--;
    exo_descriptor_close_pvt(&link->socket);
    free(link);
}

/* A client has ended: nobody shall be joined with it. */
void link_forget(struct daemon *daemon, const struct client *client)
{
    struct link **at = &daemon->links;
    while (client->links != 0 && *at != NULL) {
        if ((*at)->asker == client) {
            link_drop(daemon, at);
        } else {
            at = &(*at)->next;
        }
    }
}

/* Whoever asked first may have lost the channel since, or given up. Such ends stay until somebody asks, or the asker ends:
 * there are LINKS_PER_CLIENT at most. */
static exo_bool link_good(const struct link *link)
{
    struct pollfd fact = {link->socket, 0, 0};
    exo_u64 id = 0;
    exo_u32 side = 0;
    return poll(&fact, 1, 0) == 0 && link_inspect(link->asker, link->handle, &id, &side) == EXO_OK && id == link->id && side == link->side;
}

static exo_status link_begin(struct daemon *daemon, struct client *client, exo_u64 handle, exo_u64 id, exo_u32 side,
                             int *descriptor)
{
    struct link *link;
    int ends[2];
    exo_status status;
    if (client->links >= LINKS_PER_CLIENT) {
        return EXO_QUOTA_EXCEEDED;
    }
    link = (struct link *)calloc(1, sizeof(*link));
    if (link == NULL) {
        return EXO_NO_MEMORY;
    }
    status = exo_pair(ends);
    if (status != EXO_OK) {
        free(link);
        return status;
    }
    *descriptor = ends[0];
    link->socket = ends[1];
    link->asker = client;
    link->handle = handle;
    link->id = id;
    link->side = side;
    link->next = daemon->links;
    daemon->links = link;
    daemon->links_count++;
    client->links++;
    return EXO_OK;
}

/* One end of a socket for a client; the other one is for whoever holds the channel's other side. */
exo_status link_ask(struct daemon *daemon, struct client *client, exo_u64 handle, int *descriptor)
{
    struct link **at = &daemon->links;
    exo_u64 id = 0;
    exo_u32 side = 0;
    exo_status status = link_inspect(client, handle, &id, &side);
    if (status != EXO_OK) {
        return status;
    }
    while (*at != NULL) {
        struct link *link = *at;
        if (link->id != id) {
            at = &link->next;
        } else if ((link->side == side && link->asker == client) || !link_good(link)) {
            link_drop(daemon, at);
        } else if (link->side == side) {
            return EXO_ALREADY_EXISTS;
        } else {
            *descriptor = link->socket;
            link->socket = -1;
            link_drop(daemon, at);
            return EXO_OK;
        }
    }
    return link_begin(daemon, client, handle, id, side, descriptor);
}
