// SPDX-License-Identifier: MIT
/*
 * footprint.cpp - sizes rather than times: the code of an inlined send and receive, an idle ring's
 * memory.
 *
 * code_size.c compiles each call alone into a section of its own; here the sections are measured.
 * "send" and "recv" take a length known at run time only; the -56 ones a constant, which folds most
 * of it away.
 */
#include "../contestants/all.hpp"

namespace bench {

#if EXO_BENCH_HAS_EXO
/* The linker's marks around a section of code_size.c. */
#define EXO_BENCH_SECTION(name)                                            \
    extern "C" {                                                           \
    extern const char __start_exo_code_##name[], __stop_exo_code_##name[]; \
    }
EXO_BENCH_SECTION(send)
EXO_BENCH_SECTION(recv)
EXO_BENCH_SECTION(send_56)
EXO_BENCH_SECTION(recv_56)

static void add_bytes(Group &group, const char *name, std::size_t bytes)
{
    group.slices.push_back({name, Role::ours, [bytes] {
                                Outcome out;
                                out.value = static_cast<double>(bytes);
                                return out;
                            }});
}

static void add_code(Group &group, const char *name, const char *start, const char *stop)
{
    add_bytes(group, name, static_cast<std::size_t>(stop - start));
}

static void add_sizes(Group &group)
{
    add_code(group, "send", __start_exo_code_send, __stop_exo_code_send);
    add_code(group, "recv", __start_exo_code_recv, __stop_exo_code_recv);
    add_code(group, "send-56", __start_exo_code_send_56, __stop_exo_code_send_56);
    add_code(group, "recv-56", __start_exo_code_recv_56, __stop_exo_code_recv_56);
    add_bytes(group, "idle-memory", exo_idle_memory());
}
#endif

std::vector<Group> footprint_groups()
{
    Group group{"footprint", 0, false, true, "bytes", 1, {}};
#if EXO_BENCH_HAS_EXO
    add_sizes(group);
#endif
    return {group};
}

} // namespace bench
