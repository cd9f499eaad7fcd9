// SPDX-License-Identifier: MIT
/*
 * sizes.cpp - memory and code, as bench/groups/footprint.cpp measures them.
 */
#include "plan.hpp"

namespace bench::suite {

Section footprint_section()
{
    Section section{"footprint", "bytes", "size", {}};
    for (const bench::Group &found : footprint_groups()) {
        Group group{found.name, 0, {}};
        for (const bench::Slice &slice : found.slices) {
            group.slices.push_back({slice.name, "ours", false, [run = slice.run] {
                                        Finding finding;
                                        finding.value = run().value;
                                        return finding;
                                    }});
        }
        section.groups.push_back(group);
    }
    return section;
}

} // namespace bench::suite
