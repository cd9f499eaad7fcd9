/* SPDX-License-Identifier: MIT */
/*
 * Senders and receivers in one mode, over every path, way of waiting and ring size, for a given time.
 *
 *   stress MODE [SECONDS [SEED [SCENE]]]      one scene alone gets all the time
 *   stress --until MESSAGES SECONDS [SEED]    all modes, until so many are checked; within the time, or it fails
 *   stress --up-to MESSAGES SECONDS [SEED]    the same, and the end of the time is the end
 *
 * Verifies per-sender order, no loss, no doubling and no tearing of each message, that views stand still until their
 * release, and that all loans come back. Prints how many messages were checked, and the seed.
 */
#include <signal.h>
#include <stdarg.h>

#include "stress.h"

struct scene scene;

static const struct {
    const char *name;
    exo_u32 mode;
    exo_u32 profile;
} modes[] = {
    {"spsc", EXO_SPSC, EXO_THREADS},           {"spsc-shared", EXO_SPSC, EXO_CRASH_SAFE},
    {"mpsc", EXO_MPSC, EXO_THREADS},           {"mpsc-owned", EXO_MPSC, EXO_CRASH_SAFE},
    {"spmc", EXO_SPMC, EXO_THREADS},           {"mpmc", EXO_MPMC, EXO_THREADS},
};
static const char *const path_names[] = {"inline", "batch", "loan", "place", "mixed", "bulk"};
static const char *const style_names[] = {"try", "block", "deadline"};
static const exo_u32 sizes[] = {2, 4, 64, 1024};
static const exo_u32 lengths[] = {8, 24, 8, 56};
#define SIZES 4
#define MODES (sizeof(modes) / sizeof(modes[0]))
#define SCENES ((exo_u32)PATHS * (exo_u32)STYLES * SIZES)

/* Straight to the descriptor: this may run in a signal handler. */
static void say(const char *format, ...)
{
    char text[256];
    va_list list;
    int n;
    va_start(list, format);
    n = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    if (n > 0 && write(STDERR_FILENO, text, n < 256 ? (size_t)n : 255) < 0) {
        _exit(2);
    }
}

static void print_scene(void)
{
    struct exo_tx_segment *tx = scene.ring.sender.tx;
    struct exo_rx_segment *rx = scene.ring.sender.rx;
    exo_u32 i;
    say("  %s %s %s slots %u seed %llu mode %u\n", scene.mode_name, path_names[scene.path],
        style_names[scene.style], scene.slots, (unsigned long long)scene.seed, scene.mode);
    say("  tail %llu late %llu exact %llu\n",
        (unsigned long long)exo_load64(&tx->tail.value, EXO_RELAXED),
        (unsigned long long)exo_load64(&rx->late.value, EXO_RELAXED),
        (unsigned long long)exo_load64(&rx->exact.value, EXO_RELAXED));
    say("  senders waiters %x event %u open %u, receivers waiters %x event %u\n",
        exo_load32(&tx->sync.waiters, EXO_RELAXED), exo_load32(&tx->sync.event, EXO_RELAXED),
        exo_load32(&tx->sync.open, EXO_RELAXED), exo_load32(&rx->sync.waiters, EXO_RELAXED),
        exo_load32(&rx->sync.event, EXO_RELAXED));
    for (i = 0; i < scene.senders; i++) {
        say("  sender %u: next %u, pos %llu limit %llu refused %d\n", i, scene.sending[i].sequence,
            (unsigned long long)scene.sending[i].tx.pos, (unsigned long long)scene.sending[i].tx.limit,
            (int)scene.sending[i].tx.refused);
    }
    for (i = 0; i < scene.receivers; i++) {
        struct receiving *self = &scene.receiving[i];
        say("  receiver %u: from %u %u %u, next %u %u %u, pos %llu refused %d\n", i, self->from[0],
            self->from[1], self->from[2], self->next[0], self->next[1], self->next[2],
            (unsigned long long)self->rx.pos, (int)self->rx.refused);
    }
}

void fail(const char *what, exo_i64 value)
{
    say("FAILED: %s (%lld, %s)\n", what, (long long)value, exo_status_text(value));
    print_scene();
    _exit(1);
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    fail("hang: nothing ended in time", 0);
}

static void check(exo_bool condition, const char *what)
{
    if (!condition) {
        fail(what, 0);
    }
}

/* In the crash-safe profile each sender stands for a process, and has books of its own. */
static void open_sender(struct sending *self)
{
    struct exo_ring_memory memory = scene.ring.sender;
    if (scene.profile != EXO_THREADS) {
        self->books = aligned_alloc(EXO_CACHE_LINE, memory.books_bytes);
        check(self->books != NULL, "memory");
        memset(self->books, 0, memory.books_bytes);
        memory.books = self->books;
    }
    check(exo_sender_attach(&self->tx, &memory, 0, NULL) == EXO_OK, "sender_attach");
}

static void open_scene(exo_u64 *random)
{
    struct exo_ring_config config = {0};
    exo_u32 i;
    config.mode = scene.mode;
    config.profile = scene.profile;
    config.slots = scene.slots;
    config.spin = random_below(random, 2) == 0 ? 1 : 0;
    config.start = random_below(random, 2) == 0 ? 0 : 0xFFFFFFFFull - random_below(random, 2000);
    config.arena_size = ARENA_BYTES;
    config.block_size = ARENA_BLOCK;
    check(exo_ring_create(&scene.ring, &config, NULL, NULL) == EXO_OK, "ring_create");
    for (i = 0; i < scene.senders; i++) {
        scene.sending[i].id = i;
        scene.sending[i].random = scene.seed * 16 + i + 1;
        open_sender(&scene.sending[i]);
    }
    for (i = 0; i < scene.receivers; i++) {
        scene.receiving[i].id = i;
        scene.receiving[i].random = scene.seed * 16 + i + 9;
        check(exo_ring_receiver(&scene.ring, &scene.receiving[i].rx) == EXO_OK, "ring_receiver");
    }
    for (i = 0; i < scene.senders && !one_consumer(); i++) {
        scene.seen[i] = calloc(SEQUENCE_MAX / 32, sizeof(exo_u32));
        check(scene.seen[i] != NULL, "memory");
    }
}

static void run_threads(void)
{
    exo_u32 i;
    for (i = 0; i < scene.receivers; i++) {
        struct receiving *self = &scene.receiving[i];
        check(pthread_create(&self->thread, NULL, receive_thread, self) == 0, "pthread_create");
    }
    for (i = 0; i < scene.senders; i++) {
        struct sending *self = &scene.sending[i];
        check(pthread_create(&self->thread, NULL, send_thread, self) == 0, "pthread_create");
    }
    for (i = 0; i < scene.senders; i++) {
        check(pthread_join(scene.sending[i].thread, NULL) == 0, "pthread_join");
    }
    for (i = 0; i < scene.receivers; i++) {
        check(pthread_join(scene.receiving[i].thread, NULL) == 0, "pthread_join");
    }
}

/* All that was sent has been received, and all that was lent is back. Returns the number of messages. */
static exo_u64 close_scene(void)
{
    exo_u64 messages = 0;
    exo_u32 i;
    for (i = 0; i < scene.senders; i++) {
        struct sending *self = &scene.sending[i];
        exo_u32 received = 0;
        exo_u32 j;
        for (j = 0; j < scene.receivers; j++) {
            received += scene.receiving[j].from[i];
        }
        if (received != self->sequence) {
            fail("messages were lost; received", received);
        }
        check(exo_loans_outstanding(&self->tx) == 0, "loans did not come back");
        messages += received;
        free(self->books);
        free(scene.seen[i]);
    }
    exo_ring_destroy(&scene.ring);
    return messages;
}

static exo_u64 run_scene(exo_u32 number, exo_u32 which, exo_u64 seed, exo_u64 nanoseconds)
{
    exo_u64 random = seed * 0x9E3779B97F4A7C15ull + number + 1;
    memset(&scene, 0, sizeof(scene));
    scene.mode_name = modes[which].name;
    scene.mode = modes[which].mode;
    scene.profile = modes[which].profile;
    scene.slots = sizes[number % SIZES];
    scene.style = (enum style)(number / SIZES % STYLES);
    scene.path = (enum path)(number / SIZES / STYLES % PATHS);
    scene.bulk_length = lengths[(seed + number) % 4];
    scene.seed = seed + number;
    (void)random_below(&random, 2);
    scene.senders = (scene.mode & EXO_MODE_MP) != 0 ? 2 + random_below(&random, 2) : 1;
    scene.receivers = (scene.mode & EXO_MODE_MC) != 0 ? 2 + random_below(&random, 2) : 1;
    if (scene.style == STYLE_TRY && random_below(&random, 2) == 0) {
        scene.mode |= EXO_POLLED;
    }
    open_scene(&random);
    scene.until_ns = exo_port_now_ns() + nanoseconds;
    (void)alarm((unsigned)(40 + nanoseconds / 100000000u)); /* a hang becomes a failure */
    run_threads();
    (void)alarm(0);
    return close_scene();
}

static exo_u64 run_verbosely(exo_u32 number, exo_u32 which, exo_u64 seed, exo_u64 nanoseconds)
{
    exo_u64 checked = run_scene(number, which, seed, nanoseconds);
    if (getenv("STRESS_VERBOSE") != NULL) {
        (void)printf("  %-11s %-7s %-9s %5u %9llu\n", scene.mode_name, path_names[scene.path],
                     style_names[scene.style], scene.slots, (unsigned long long)checked);
    }
    return checked;
}

/* One mode for a given time. */
static int run_mode(exo_u32 which, double seconds, exo_u64 seed, exo_u32 first, exo_u32 scenes)
{
    exo_u64 messages = 0;
    exo_u32 i;
    (void)printf("%s: seed %llu\n", modes[which].name, (unsigned long long)seed);
    (void)fflush(stdout);
    for (i = first; i < first + scenes; i++) {
        messages += run_verbosely(i, which, seed, (exo_u64)(seconds * 1e9 / scenes));
    }
    (void)printf("%s: %llu messages checked\n", modes[which].name, (unsigned long long)messages);
    return 0;
}

/* Most scenes are slow for what they are about: sleeping, small rings. The numbers come from the others. */
static exo_u64 slice_of(exo_u32 number)
{
    return number / SIZES / STYLES == PATH_BULK && number % SIZES == 3 ? 300000000u : 15000000u;
}

/* All scenes of all modes, again and again, until so many messages are checked. */
static int run_all(exo_u64 messages, double seconds, exo_u64 seed, exo_bool must)
{
    exo_u64 until = exo_port_now_ns() + (exo_u64)(seconds * 1e9);
    exo_u64 checked = 0;
    exo_u64 turn;
    (void)printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    for (turn = 0; exo_port_now_ns() < until && (checked < messages || turn % (MODES * SCENES) != 0); turn++) {
        exo_u32 number = (exo_u32)(turn / MODES % SCENES);
        checked += run_verbosely(number, (exo_u32)(turn % MODES), seed + turn / MODES / SCENES * 1000,
                                 slice_of(number));
    }
    (void)printf("figure: messages checked %llu (seed %llu)\n", (unsigned long long)checked,
                 (unsigned long long)seed);
    if (must && checked < messages) {
        (void)fprintf(stderr, "FAILED: not %llu messages within %g seconds\n", (unsigned long long)messages,
                      seconds);
        return 1;
    }
    return 0;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: stress MODE [SECONDS [SEED [SCENE]]]\n"
                          "       stress --until|--up-to MESSAGES SECONDS [SEED]\n");
    return 2;
}

int main(int argc, char **argv)
{
    exo_bool counts = argc > 1 && (strcmp(argv[1], "--until") == 0 || strcmp(argv[1], "--up-to") == 0);
    double seconds = argc > 2 + counts ? atof(argv[2 + counts]) : 6;
    exo_u64 seed = argc > 3 + counts ? strtoull(argv[3 + counts], NULL, 0) : exo_port_now_ns() % 1000000007u;
    exo_u32 which;
    (void)signal(SIGALRM, on_alarm);
    if (argc < 2 + 2 * counts || seconds <= 0) {
        return usage();
    }
    if (counts) {
        return run_all(strtoull(argv[2], NULL, 0), seconds, seed, strcmp(argv[1], "--until") == 0);
    }
    for (which = 0; which < MODES; which++) {
        if (strcmp(argv[1], modes[which].name) == 0) {
            return run_mode(which, seconds, seed, argc > 4 ? (exo_u32)atoi(argv[4]) : 0, argc > 4 ? 1 : SCENES);
        }
    }
    return usage();
}
