// SPDX-License-Identifier: MIT
/*
 * trusted.cpp - the trusted side's operations (trusted.c) as slices.
 */
#include "../plan.hpp"
#include "../trusted.h"

namespace bench {

#if EXO_BENCH_HAS_EXO
static void add(Group &group, const char *name, Role role, std::function<double()> measure)
{
    group.slices.push_back({name, role, [measure] {
                                Outcome out;
                                out.value = measure();
                                out.sound = out.value > 0;
                                return out;
                            }});
}

static Group pool_group(const char *name, int by_name)
{
    Group group{name, 0, false, false, "ns", 1, {}};
    add(group, "regions-1000", Role::ours, [by_name] { return exo_bench_lookup(1000, by_name, 200000); });
    add(group, "regions-1000000", Role::ours, [by_name] { return exo_bench_lookup(1000000, by_name, 200000); });
    return group;
}

static Group anywhere_group()
{
    Group group{"pool-anywhere", 0, false, false, "ns", 1, {}};
    add(group, "regions-1000000", Role::ours, [] { return exo_bench_lookup_anywhere(1000000, 200000); });
    add(group, "lines-1000000", Role::anchor, [] { return exo_bench_lines_anywhere(1000000, 200000); });
    return group;
}

static Group capability_group()
{
    Group group{"capability", 0, false, false, "ns", 1, {}};
    add(group, "check", Role::ours, [] { return exo_bench_capability(0, 1000000); });
    add(group, "use", Role::ours, [] { return exo_bench_capability(1, 1000000); });
    add(group, "locked-pair", Role::anchor, [] { return exo_bench_locked_pair(1000000); });
    return group;
}

static Group revoke_group()
{
    Group group{"revoke", 0, false, false, "ns", 1, {}};
    add(group, "derived-100", Role::ours, [] { return exo_bench_revoke(100, 0); });
    add(group, "derived-100-of-100000", Role::ours, [] { return exo_bench_revoke(100, 100000); });
    add(group, "derived-100000", Role::ours, [] { return exo_bench_revoke(100000, 0); });
    return group;
}

static Group map_group(const char *name, unsigned long bytes)
{
    Group group{name, 0, false, false, "ns", 1, {}};
    group.passes = 4;
    add(group, "exo-map", Role::ours, [bytes] { return exo_bench_map(1, bytes, 2000); });
    add(group, "mmap", Role::anchor, [bytes] { return exo_bench_map(0, bytes, 2000); });
    return group;
}
#endif

std::vector<Group> trusted_groups()
{
#if EXO_BENCH_HAS_EXO
    Group weight{"weight", 0, false, true, "bytes", 1, {}};
    add(weight, "region", Role::ours, [] { return exo_bench_region_bytes(100000); });
    add(weight, "process", Role::ours, [] { return exo_bench_process_bytes(1000); });
    return {pool_group("pool", 0), pool_group("pool-names", 1), anywhere_group(), capability_group(), revoke_group(),
            map_group("map-4k", 4096), map_group("map-2m", 2097152), weight};
#else
    return {};
#endif
}

} // namespace bench
