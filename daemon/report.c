/* SPDX-License-Identifier: MIT */
/* What there is in the daemon, for its own user and root. */
#include "daemon.h"

exo_status report_fill(const struct daemon *daemon, const struct client *asker, exo_u8 *out)
{
    const struct exo_nucleus *nucleus = &daemon->nucleus;
    struct exo_daemon_report report;
    exo_u32 kind;
    if (asker->user->uid != (exo_u32)geteuid() && asker->user->uid != 0) {
        return EXO_PERMISSION_DENIED;
    }
    memset(&report, 0, sizeof(report));
    for (kind = 0; kind < EXO_SYS_QUOTAS; kind++) {
        report.used[kind] = exo_quota_used(&nucleus->root, (enum exo_quota_kind)kind);
    }
    report.clients = daemon->clients_count;
    report.processes = nucleus->processes.used;
    report.regions = nucleus->regions.used;
    report.channels = nucleus->channels.used;
    report.queues = nucleus->queues.used;
    report.groups = nucleus->groups.used;
    report.waiting = daemon->waiting_count;
    report.links = daemon->links_count;
    report.refused = daemon->refused;
    memcpy(out, &report, sizeof(report));
    return EXO_OK;
}
