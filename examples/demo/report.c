/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifdef __OPTIMIZE__
#define OPTIMISED ""
#else
#define OPTIMISED ", without optimisation"
#endif

static void print_machine(void)
{
    struct utsname system;
    char line[256];
    char model[200] = "";
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && model[0] == 0 && fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "model name%*[ \t]: %199[^\n]", model);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    (void)uname(&system);
    printf("machine    %s, %ld CPUs, %s, %s %s\n", model[0] != 0 ? model : "unknown processor",
           sysconf(_SC_NPROCESSORS_ONLN), system.machine, system.sysname, system.release);
}

/* Bytes, as people say them. */
static const char *human(char text[16], size_t bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    unsigned i = 0;
    for (; value >= 1024 && i < 4; i++) {
        value /= 1024;
    }
    (void)snprintf(text, 16, value < 100 && value != (double)(int)value ? "%.1f %s" : "%.0f %s",
                   value, unit[i]);
    return text;
}

static void print_ring(const struct exo_ring_config *ring, const int cpus[2])
{
    char arena[16];
    printf("ring       %u slots of 64 B and %s of arena each way; spins %u turns, then sleeps\n",
           ring->slots, human(arena, ring->arena_size), ring->spin);
    printf("profile    %s: each process maps the other's memory read-only\n",
           ring->profile == EXO_HOSTILE ? "hostile" : "crash-safe");
    if (cpus[0] < 0) {
        printf("placement  by the scheduler\n\n");
    } else {
        printf(
            "placement  CPUs %d and %d; for the pipe by the scheduler, which serves it better\n\n",
            cpus[0], cpus[1]);
    }
}

void report_setting(const struct input *input, const exo_u8 digest[32],
                    const struct exo_ring_config *ring, const int cpus[2])
{
    char size[16];
    unsigned i;
    printf("exo_ipc %d.%d.%d: one process hands a file to another\n\n", EXO_VERSION_MAJOR,
           EXO_VERSION_MINOR, EXO_VERSION_PATCH);
    print_machine();
    printf("compiler   %s%s\n", COMPILER, OPTIMISED);
    printf("file       %s\n           %zu bytes (%s), SHA-256 ", input->name, input->bytes,
           human(size, input->bytes));
    for (i = 0; i < 32; i++) {
        printf("%02x", digest[i]);
    }
    printf("\n");
    print_ring(ring, cpus);
}

const char *report_name(unsigned path)
{
    static char text[64];
    char size[16];
    if (path >= PATHS) {
        return "setting up";
    }
    (void)snprintf(text, sizeof(text), "%s, %s", paths[path].name, human(size, paths[path].frame));
    return text;
}

/* A number with its unit, right-aligned, or a dash for 0. */
static void cell(int width, double value, const char *const unit[4], double step)
{
    char text[32] = "-";
    unsigned i = 0;
    for (; value >= step && i < 3; i++) {
        value /= step;
    }
    if (value > 0) {
        (void)snprintf(text, sizeof(text), "%.*f%s%s",
                       value < 9.995   ? 2
                       : value < 99.95 ? 1
                                       : 0,
                       value, unit[i][0] != 0 ? " " : "", unit[i]);
    }
    printf(" %*s", width, text);
}

static void print_path(const struct input *input, const struct result *result, unsigned i,
                       double pipe_ns)
{
    static const char *const time[4] = {"ns", "us", "ms", "s"};
    static const char *const large[4] = {" ", "k", "M", "G"};
    static const char *const plain[4] = {"", "", "", ""};
    double messages = (double)((input->bytes + paths[i].frame - 1) / paths[i].frame);
    int timed = input->bytes >= TIMED_BYTES_MIN && result->pass_ns > 0;
    char size[16];
    printf("%-18s %9s", paths[i].name, human(size, paths[i].frame));
    cell(12, timed ? messages / result->pass_ns * 1e9 : 0, large, 1000);
    cell(7, timed ? (double)input->bytes / result->pass_ns : 0, plain, 1e9);
    cell(8, timed ? pipe_ns / result->pass_ns : 0, plain, 1e9);
    cell(10, result->p50_ns, time, 1000);
    cell(9, result->p99_ns, time, 1000);
    printf("  %s\n", result->identical ? "identical" : "DIFFERENT");
}

void report_paths(const struct input *input, const struct result results[PATHS])
{
    unsigned i;
    printf("%58s %20s\n", "GB/s of", "round trip");
    printf("%-18s %9s %12s %7s %8s %10s %9s  %s\n", "path", "message", "messages/s", "GB/s",
           "pipe = 1", "p50", "p99", "content");
    for (i = 0; i < PATHS; i++) {
        print_path(input, &results[i], i, results[PIPE].pass_ns);
    }
    printf("\n"
           "Rates: median of %u passes over the file, paths in turn; the receiver reads every byte "
           "(adds\n"
           "up its words), in place with zero-copy, after a copy otherwise. Zero-copy: filling the "
           "loan from\n"
           "the file is part of it. Round trips: %u of each, full messages, filled and read on "
           "both sides.\n"
           "Content: SHA-256 by the receiver in a further pass, and the sums of all others.\n",
           results[0].passes, results[0].round_trips);
    if (input->bytes < TIMED_BYTES_MIN) {
        printf("No rates: the file is shorter than 1 MiB.\n");
    }
    printf("\n");
}

void report_sweep(const struct sweep_point points[SWEEP_SIZES])
{
    static const char *const time[4] = {"ns", "us", "ms", "s"};
    static const char *const plain[4] = {"", "", "", ""};
    unsigned at = sweep_crossover(points);
    unsigned i;
    printf("one payload         inline chain    zero-copy  inline / zero-copy\n");
    for (i = 0; i < SWEEP_SIZES; i++) {
        printf("%9zu bytes ", points[i].bytes);
        cell(15, points[i].inline_ns, time, 1000);
        cell(12, points[i].zero_copy_ns, time, 1000);
        cell(19, points[i].inline_ns / points[i].zero_copy_ns, plain, 1e9);
        printf("\n");
    }
    if (at == SWEEP_SIZES) {
        printf("\nZero-copy does not overtake inline on this run.\n\n");
    } else {
        printf("\nZero-copy overtakes inline at %zu bytes (%zu inline messages), filled and read "
               "in full.\n\n",
               points[at].bytes, points[at].bytes / EXO_INLINE_THRESHOLD);
    }
}
