/* SPDX-License-Identifier: MIT */
/*
 * Real processes are killed at random instants until enough have been, in every mode and at everything they do.
 *
 *   chaos --until KILLS SECONDS [SEED [SCENE]]    within the time, or it fails
 *   chaos --up-to KILLS SECONDS [SEED [SCENE]]    the end of the time is the end
 *
 * The seed decides what each kill is like, but not how the
 * kernel lets processes run. Survivors check that all that was published comes, once, whole and in order; that they
 * learn of each death in time; that the work goes on, and that nothing is left behind.
 */
#include "chaos.h"

struct chaos chaos;

static const struct {
    const char *name;
    void (*run)(exo_u32 kills);
    exo_u32 lot; /* kills in a row */
} scenes[] = {
    {"a sender in midstream", pair_sender, 64},
    {"a receiver in midstream", pair_receiver, 64},
    {"while opening", pair_open, 32},
    {"asleep", pair_asleep, 32},
    {"while closing", pair_close, 32},
    {"both of a pair", pair_both, 32},
    {"producers of a crowd", crowd_senders, 192},
    {"the receiver of a crowd", crowd_receiver, 48},
    {"a viewer of a crowd", crowd_views, 48},
    {"anybody in a crowd", crowd_all, 64},
    {"a channel's client", channel_client, 48},
    {"a channel's server", channel_server, 48},
    {"subscribers", cast_subscribers, 64},
    {"a broadcast's sender", cast_sender, 64},
};

/* Kills survived, by scene. */
static exo_u32 survived[COUNT(scenes)];

void chaos_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "FAILED: %s:%d: expected %s\n  seed %llu scene %u (%s) kill %u process %d\n", file,
                  line, what, (unsigned long long)chaos.seed, chaos.scene, scenes[chaos.scene].name, chaos.index, (int)getpid());
    _exit(1);
}

/* May interrupt anything but the standard output, which it leaves alone. */
static void on_alarm(int signal_number)
{
    char text[160];
    int n = snprintf(text, sizeof(text), "FAILED: hang: seed %llu scene %u (%s) kill %u\n",
                     (unsigned long long)chaos.seed, chaos.scene, scenes[chaos.scene].name, chaos.index);
    (void)signal_number;
    _exit(n > 0 && write(STDERR_FILENO, text, (size_t)n) == n ? 1 : 2);
}

static void report_times(const char *what, const struct times *times)
{
    if (times->count != 0) {
        (void)printf("  %s: %u, after %u us in the median, %u us at most\n", what, times->count, times_median(times),
                     times->most);
    }
}

static void report(void)
{
    exo_u32 i;
    for (i = 0; i < COUNT(scenes); i++) {
        if (survived[i] != 0) {
            (void)printf("  %-24s %6u\n", scenes[i].name, survived[i]);
        }
    }
    report_times("deaths known in pairs", &chaos.news[0]);
    report_times("deaths known in crowds", &chaos.news[1]);
    report_times("and after long sleeps", &chaos.woken);
    (void)printf("  messages checked: %llu\n", (unsigned long long)chaos.messages);
    if (chaos.again != 0) {
        (void)printf("  attached after a refusal: %u\n", chaos.again);
    }
    (void)printf("figure: kills survived %u (seed %llu): senders %u, receivers %u, while asleep %u, "
                 "holding a claim %u, holding loans %u, holding views %u, during open %u, while closing %u\n",
                 chaos.kills, (unsigned long long)chaos.seed, chaos.senders, chaos.receivers, chaos.asleep,
                 chaos.at[PHASE_CLAIM], chaos.at[PHASE_LOAN], chaos.at[PHASE_VIEW],
                 chaos.at[PHASE_BORN] + chaos.at[PHASE_OPEN], chaos.at[PHASE_CLOSE]);
    if (chaos.delay.count != 0) {
        (void)printf("figure: a dead claim delayed the others by %u us in the median, %u us at most (%u claims)\n",
                     times_median(&chaos.delay), chaos.delay.most, chaos.delay.count);
    }
}

/* At least a few of each scene, however few there are in all. */
static exo_u32 lot_of(exo_u32 scene, exo_u32 kills)
{
    exo_u32 share = kills / (exo_u32)COUNT(scenes);
    return share == 0 ? 1 : share < scenes[scene].lot ? share : scenes[scene].lot;
}

static void run_lot(exo_u32 scene, exo_u32 lot)
{
    static exo_u32 index[COUNT(scenes)];
    exo_u32 before = chaos.kills;
    chaos.scene = scene;
    chaos.index = index[scene];
    scenes[scene].run(lot);
    index[scene] = chaos.index;
    survived[scene] += chaos.kills - before;
}

int main(int argc, char **argv)
{
    exo_bool must = argc > 1 && strcmp(argv[1], "--until") == 0;
    exo_u32 kills = argc > 2 ? (exo_u32)strtoul(argv[2], NULL, 0) : 0;
    exo_u64 seconds = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    exo_u32 scene = argc > 5 ? (exo_u32)strtoul(argv[5], NULL, 0) : 0;
    exo_u64 until;
    chaos.seed = argc > 4 ? strtoull(argv[4], NULL, 0) : exo_port_now_ns() % 1000000007u;
    if (kills == 0 || seconds == 0 || scene >= COUNT(scenes) || (!must && strcmp(argv[1], "--up-to") != 0)) {
        (void)fprintf(stderr, "usage: chaos --until|--up-to KILLS SECONDS [SEED [SCENE]]\n");
        return 2;
    }
    until = in_seconds(must && SANITIZED ? 4 * seconds : seconds);
    lateness_begin();
    (void)signal(SIGALRM, on_alarm);
    (void)printf("seed %llu\n", (unsigned long long)chaos.seed);
    (void)fflush(stdout);
    while (chaos.kills < kills && exo_port_now_ns() < until) {
        run_lot(scene, lot_of(scene, kills));
        scene = argc > 5 ? scene : (scene + 1) % (exo_u32)COUNT(scenes);
    }
    (void)alarm(0);
    report();
    if (chaos.woken.count > 2 && times_median(&chaos.woken) > DEATH_USUAL_MS * 1000) {
        (void)fprintf(stderr, "FAILED: long sleepers were not woken, but looked up (seed %llu)\n",
                      (unsigned long long)chaos.seed);
        return 1;
    }
    if (must && chaos.kills < kills) {
        (void)fprintf(stderr, "FAILED: out of time: %u kills of %u (seed %llu)\n", chaos.kills, kills,
                      (unsigned long long)chaos.seed);
        return 1;
    }
    return 0;
}
