/* SPDX-License-Identifier: MIT */
/*
 * The test image: runs the claims that "test=NAME" on the command line names, or ends in one of the ways that a kernel
 * should not.
 */
#include "claims.h"

struct suite {
    const char *name;
    const struct claim *claims;
};

static const struct suite suites[] = {
    {"conformance", claims_conformance}, {"frames", claims_frames}, {"map", claims_map},
    {"paging", claims_paging},           {"rights", claims_rights}, {"tlb", claims_tlb},
    {"tasks", claims_tasks},             {"process", claims_process}, {"rings", claims_rings},
    {"move", claims_move},               {"budget", claims_budget},
    {"nucleus", claims_nucleus},
    {"ends", claims_ends},               {"fuzz", claims_fuzz},
    {"no_memory", claims_no_memory},
};

const struct memory_map *test_ram;
static const char *line;

/* What follows "what=" on the command line; null if it is not there. */
static const char *value_of(const char *what)
{
    const char *at;
    for (at = line; *at != 0; at++) {
        exo_size n = 0;
        while (what[n] != 0 && at[n] == what[n]) {
            n++;
        }
        if (what[n] == 0 && at[n] == '=' && (at == line || at[-1] == ' ')) {
            return at + n + 1;
        }
    }
    return (const char *)EXO_NULL;
}

exo_u64 expected(const char *what)
{
    const char *at = value_of(what);
    exo_u64 number = 0;
    for (; at != EXO_NULL && *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (exo_u64)(*at - '0');
    }
    return number;
}

static exo_bool is_named(const char *at, const char *name)
{
    while (*name != 0 && *at == *name) {
        at++;
        name++;
    }
    return *name == 0 && (*at == 0 || *at == ' ');
}

static exo_u8 run(const struct claim *claim)
{
    exo_u32 failed = 0;
    exo_u32 done = 0;
    for (; claim->name != EXO_NULL; claim++) {
        const char *verdict;
        print("[ RUN      ] %s\n", claim->name);
        verdict = claim->check();
        if (verdict == EXO_NULL) {
            print("[       OK ] %s\n", claim->name);
        } else if (verdict[0] == CLAIM_SKIP[0] && verdict[1] == CLAIM_SKIP[1]) {
            print("[  SKIPPED ] %s\n", claim->name);
        } else {
            print("%s\n[  FAILED  ] %s\n", verdict, claim->name);
            failed++;
        }
        done++;
    }
    print("%u claims on %u processors, %u failed\n", NUMBER(done), NUMBER(cpu_count), NUMBER(failed));
    return failed == 0 && done != 0 ? EXIT_PASSED : EXIT_FAILED;
}

/* Deeper and deeper, until the stack is used up; each level is known to the next, or the compiler would make a loop of it. */
static __attribute__((noinline)) exo_u64 dig(exo_u64 depth, const volatile exo_u64 *above)
{
    volatile exo_u64 room[32];
    room[depth % 32] = above == EXO_NULL ? depth : above[depth % 32];
    return depth == 0 ? room[0] : dig(depth - 1, room) + room[depth % 32];
}

static void write_text(void)
{
    *(volatile char *)image_text = 0;
}

exo_u8 kernel_main(const char *command_line, const struct memory_map *ram)
{
    exo_size i;
    const char *name;
    line = command_line;
    test_ram = ram;
    name = value_of("test");
    if (name == EXO_NULL) {
        print("test=NAME is missing\n");
        return EXIT_FAILED;
    }
    if (is_named(name, "overflow")) {
        return (exo_u8)dig(1000000, EXO_NULL);
    }
    if (is_named(name, "write_text")) {
        write_text();
        return EXIT_FAILED;
    }
    for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (is_named(name, suites[i].name)) {
            return run(suites[i].claims);
        }
    }
    print("no such test\n");
    return EXIT_FAILED;
}
