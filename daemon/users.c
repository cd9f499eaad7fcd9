/* SPDX-License-Identifier: MIT */
/* Users: who is let in, and the account that all processes of one are charged to. */
#include "daemon.h"

#include <grp.h>
#include <stdlib.h>

/* His account, with the limits of the options; null without memory. */
struct user *user_find(struct daemon *daemon, exo_u32 uid)
{
    struct user **bucket = &daemon->users[uid % USER_BUCKETS];
    struct user *user;
    exo_u32 kind;
    for (user = *bucket; user != NULL; user = user->next) {
        if (user->uid == uid) {
            return user;
        }
    }
    user = (struct user *)calloc(1, sizeof(*user));
    if (user == NULL) {
        return NULL;
    }
    if (exo_account_init(&user->account, &daemon->nucleus.root) != EXO_OK) {
        free(user);
        return NULL;
    }
    for (kind = 0; kind < EXO_SYS_QUOTAS; kind++) {
        if (exo_quota_limit_set(&user->account, (enum exo_quota_kind)kind, daemon->options.limit[kind]) != EXO_OK) {
            free(user);
            return NULL;
        }
    }
    user->uid = uid;
    user->next = *bucket;
    *bucket = user;
    return user;
}

static exo_bool group_listed(const struct options *options, gid_t group)
{
    exo_u32 i;
    for (i = 0; i < options->groups; i++) {
        if (options->group[i] == group) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

/* Whether one of the groups of whoever connected is listed, those beside his first one included. */
static exo_bool groups_listed(const struct options *options, int socket, gid_t first)
{
    gid_t groups[256];
    socklen_t bytes = sizeof(groups);
    exo_size i;
    if (group_listed(options, first)) {
        return EXO_TRUE;
    }
#ifdef SO_PEERGROUPS
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) == 0) {
        for (i = 0; i < bytes / sizeof(groups[0]); i++) {
            if (group_listed(options, groups[i])) {
                return EXO_TRUE;
            }
        }
    }
#else
    (void)socket;
    (void)bytes;
    (void)i;
#endif
    return EXO_FALSE;
}

/* The daemon's own user and root always; others only of a system's daemon, and of the groups listed if there are any. */
exo_bool user_allowed(const struct daemon *daemon, int socket, const struct exo_credentials *who)
{
    if (who->uid == (exo_u32)geteuid() || who->uid == 0) {
        return EXO_TRUE;
    }
    return daemon->options.system &&
           (daemon->options.groups == 0 || groups_listed(&daemon->options, socket, (gid_t)who->gid));
}
