// SPDX-License-Identifier: MIT
/*
 * parties.cpp - from the board of a slice to its finding.
 */
#include "parties.hpp"

namespace bench {

static void take_worst(Finding &finding, const PartyBoard &party)
{
    /* Who is unsound or unfit makes its peer hang: the cause counts. */
    const bool cause = party.fate == Fate::unsound || party.fate == Fate::unfit;
    if (party.fate != Fate::good && (finding.fate == Fate::good || cause)) {
        finding.fate = party.fate;
        finding.reason = party.reason;
    }
    finding.lost = std::max(finding.lost, party.lost);
}

/* Trips of all pairs per time, and all their durations together. */
static void conclude_trips(Board &board, const Job &job, Finding &finding)
{
    Histogram &all = board.trips[0];
    for (unsigned i = 1; i < job.pairs; i++)
        all.add(board.trips[i]);
    finding.trips = &all;
    finding.value = all.mean_of_99() * ns_per_tick();
    if (all.total == 0)
        finding.fate = Fate::hung;
}

Finding conclude(Board &board, const Job &job, Fate fate)
{
    Finding finding;
    finding.fate = fate;
    for (unsigned i = 0; i < 2 * job.pairs; i++)
        take_worst(finding, board.party[i]);
    if (finding.fate == Fate::hung && finding.reason.empty())
        finding.reason = "gave up waiting, or was stopped";
    if (finding.fate == Fate::crashed)
        finding.reason = "ended by a signal";
    if (finding.fate == Fate::unsound)
        finding.reason = "lost, tore or reordered a message";
    if (finding.fate != Fate::good)
        return finding;
    if (job.round_trips) {
        conclude_trips(board, job, finding);
        return finding;
    }
    std::uint64_t first = ~std::uint64_t{0}, last = 0, count = 0;
    for (unsigned i = 1; i < 2 * job.pairs; i += 2) {
        first = std::min(first, board.party[i].started);
        last = std::max(last, board.party[i].ended);
        count += board.party[i].count;
    }
    finding.value = ns_per_item(first, last, count);
    if (count == 0 || !(finding.value > 0))
        finding.fate = Fate::unsound;
    return finding;
}

} // namespace bench
