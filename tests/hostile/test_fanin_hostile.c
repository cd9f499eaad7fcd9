/* SPDX-License-Identifier: MIT */
/*
 * One receiver, eight sender processes, each over a channel of its own: seven are honest, and one does by turns whatever a
 * sender can do to its own segments: scribbles over all of both, with random words, with named ones and with nearly
 * right ones; sends garbage headers; floods; storms with wakes; takes back what it has published; is silent. When its lane
 * is corrupt it comes again with the next one.
 *
 * The seven lose nothing, double nothing and stay in order. What the hostile one costs them in delay is measured against
 * the same run without it, and against a run where the eighth process only burns the processor: the machine has few. Who
 * gets the processor is the system's affair, so the eighth process has the lowest priority in either case: it runs
 * whenever nobody else wants to.
 */
#include "../process/sources.h"

#undef NEAR_WRAP
#include "ways.h"

#define HONEST 7u
#define RESERVES 12u /* channels that the hostile one has ready */
#define RUN_MS (SANITIZED ? 60u : 150u)
#define MOST_AGAIN 60u /* rounds more, until the hostile one has done its worst */
#define PAUSE_US 150u        /* between two messages of an honest one */
#define LEAST 10u            /* more messages than that come of each honest one, or it starves */
#define MOST_AGES 60000u     /* delays that are kept, of one run */
#define GATE 8u              /* times as long, or something is broken; the figure is what counts */
#define STAGE_START 0xFFFFFFF0ull

/* What the eighth process does in a run. */
enum arm { ABSENT, BURNS, HOSTILE, ARMS };

enum style {
    RANDOM_WORDS,
    NAMED_WORDS,
    LIKELY_SLOTS,
    GARBAGE_HEADERS,
    FLOOD,
    BUSY_AND_SYNC,
    WAKE_STORM,
    TAKES_BACK,
    SILENT,
    STYLES
};

static const char *const style_names[STYLES] = {
    "random words", "named words", "likely slots", "garbage headers", "flood", "busy, and sync words",
    "storm of wakes", "takes back", "silent",
};

/* What the senders and the receiver tell each other. */
struct hostile_page {
    exo_u32 lane;  /* which of its channels is in the fan-in */
    exo_u32 ready; /* the hostile one */
    exo_u32 begin; /* all have opened */
};

struct run {
    enum arm arm;
    enum style style;
    exo_u64 seed;
    struct hostile_page *page;
    struct source honest[HONEST];
    struct source reserve[RESERVES];
    pid_t hostile;
    exo_u32 ends; /* of hostile lanes */
    exo_u64 again_ns; /* when the next one comes; 0: not */
    exo_u64 foreign;  /* messages of the hostile one that were received */
    exo_u32 ages;
    exo_u32 age_ns[MOST_AGES];
};

static const exo_u64 named[] = {0,          1,          2,          0xFFFFFFFFull, 0x80000000ull, 0x7FFFFFFFull, ~0ull,
                                1ull << 63, 1ull << 32, 0x10028ull, 0xFFFFFFFEull, EXO_WAIT_CLOSED, EXO_WAIT_FENCE};

static exo_u64 random_word(exo_u64 *seed)
{
    exo_u64 high = (exo_u64)random_below(seed, 0x7FFFFFFF) << 33;
    return high ^ (exo_u64)random_below(seed, 0x7FFFFFFF) << 8 ^ random_below(seed, 256);
}

static void put(exo_u8 *at, exo_u64 value)
{
    __atomic_store_n((exo_u64 *)(void *)at, value, __ATOMIC_RELAXED);
}

/* One of both segments that a sender may write: that it sends through, and that it receives by. */
static struct exo_segment *some_segment(struct exo_channel_end *end, exo_u64 *seed)
{
    return random_below(seed, 2) == 0 ? &end->link.own_tx : &end->link.own_rx;
}

/* A word of any part: headers, sync words, slots of all lanes, positions, the arena; near the beginning more often. */
static exo_u8 *some_word(struct exo_channel_end *end, exo_u64 *seed)
{
    struct exo_segment *segment = some_segment(end, seed);
    exo_u32 words = (exo_u32)(segment->bytes / 8);
    exo_u32 most = random_below(seed, 2) == 0 || words < 128 ? words : 128;
    return segment->memory + 8 * (exo_size)random_below(seed, most);
}

static void named_word(struct exo_channel_end *end, exo_u64 *seed)
{
    exo_u8 *at = some_word(end, seed);
    exo_u64 value = named[random_below(seed, COUNT(named))];
    exo_u64 was = exo_read64(at);
    switch (random_below(seed, 3)) {
    case 0:
        put(at, value);
        break;
    case 1:
        put(at, was + value);
        break;
    default:
        put(at, random_below(seed, 2) == 0 ? (was & 0xFFFFFFFFull) | value << 32 : (was >> 32) << 32 | (exo_u32)value);
        break;
    }
}

/* Something nearly right at, or near, the position that the receiver comes to next, in any lane. */
static void likely_slot(struct exo_channel_end *end, exo_u64 *seed, exo_bool bare)
{
    exo_u32 lane = random_below(seed, EXO_LANES_CHANNEL);
    struct exo_sender *tx = &end->channel.tx[lane];
    exo_u64 pos = exo_load64(&tx->rx->exact.value, EXO_RELAXED) + random_below(seed, 3);
    exo_u8 *line = (exo_u8 *)exo_tx_line_pvt(tx, pos);
    exo_u32 kind = random_below(seed, 4) == 0 ? random_below(seed, 256) : 3 + random_below(seed, 7);
    exo_u32 argument = random_below(seed, 4) == 0 ? (exo_u32)named[random_below(seed, COUNT(named))] : random_below(seed, 58);
    exo_u32 i;
    for (i = 0; i < EXO_MESSAGE_HEADER_WORDS; i++) {
        exo_u64 word = i == 0 ? (exo_u64)(32 + argument) << 32 | random_below(seed, 6) : random_below(seed, 3);
        put(line - EXO_MESSAGE_HEADER_SIZE + 8 * i, bare || random_below(seed, 3) != 0 ? word : random_word(seed));
    }
    put(line, (1 + (exo_u64)random_below(seed, 3)) << 32 | random_below(seed, 64));
    put(line + 8, random_below(seed, 3) == 0 ? named[random_below(seed, COUNT(named))] : random_below(seed, 16384));
    put(line + 16, random_below(seed, 3) == 0 ? named[random_below(seed, COUNT(named))] : random_below(seed, 600));
    put(line + 8 * EXO_LINE_WORDS, exo_control_pvt(pos, kind, argument & 0xFFFFFFu));
}

/* Whole messages of every sort, as fast as they are taken. Returns whether something was sent. */
static exo_bool sends_one(struct exo_channel *channel, exo_u64 *seed)
{
    static exo_u8 bytes[4096];
    static struct exo_call call;
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_size len = random_below(seed, 2) == 0 ? 40 : random_below(seed, sizeof(bytes));
    if (random_below(seed, 8) == 0) {
        exo_status cancelled = exo_call_cancel(channel, &call);
        return (cancelled == EXO_OK || cancelled == EXO_NOT_FOUND) &&
               exo_call_send(channel, &call, NULL, bytes, len, EXO_FOREVER) == EXO_OK;
    }
    header.priority = (exo_u8)(random_below(seed, 2) * random_below(seed, 256));
    return exo_channel_send(channel, &header, bytes, len) == EXO_OK;
}

/* A good message whose header is spoilt once it is published. */
static void garbage_header(struct exo_channel_end *end, exo_u64 *seed)
{
    exo_u32 lane = random_below(seed, 2);
    struct exo_sender *tx = &end->channel.tx[lane];
    exo_u8 *header = (exo_u8 *)exo_tx_line_pvt(tx, tx->pos) - EXO_MESSAGE_HEADER_SIZE;
    if (sends_one(&end->channel, seed) && random_below(seed, 4) == 0) {
        put(header + 8 * (exo_size)random_below(seed, EXO_MESSAGE_HEADER_WORDS), random_word(seed));
    }
}

static void sync_words(struct exo_channel_end *end, exo_u64 *seed, exo_bool wakes)
{
    struct exo_segment *segment = some_segment(end, seed);
    struct exo_ring_sync *sync = &((struct exo_tx_segment *)(void *)segment->memory)->sync; /* in both at the same place */
    exo_u64 value = random_word(seed);
    exo_store32(&sync->waiters, (exo_u32)(value >> 32) & ~EXO_WAIT_CLOSED, EXO_RELAXED);
    if (!wakes) {
        exo_store32(&sync->event, (exo_u32)value, EXO_RELAXED);
        return;
    }
    (void)exo_fetch_add32(&sync->event, 1u, EXO_RELEASE);
    exo_port_wake(&sync->event, 0xFFFFFFFFu, EXO_TRUE);
    if (segment->life != 0) {
        exo_u32 *life = (exo_u32 *)(void *)(segment->memory + segment->bytes - segment->life);
        exo_store32(life, (exo_u32)value, EXO_RELAXED);
        exo_port_wake(life, 0xFFFFFFFFu, EXO_TRUE);
    }
}

/* Now a message stands there, now it does not: for whoever looks twice. */
static void takes_back(struct exo_channel_end *end, exo_u64 *seed)
{
    struct exo_sender *tx = &end->channel.tx[random_below(seed, 2)];
    exo_u64 pos = exo_load64(&tx->rx->exact.value, EXO_RELAXED);
    exo_u8 *control = (exo_u8 *)(exo_tx_line_pvt(tx, pos) + EXO_LINE_WORDS);
    put(control, exo_control_pvt(pos, EXO_KIND_NONE, 0));
    put(control, exo_control_pvt(pos + 64, EXO_KIND_MESSAGE, 8));
}

static void be_hostile(struct exo_channel_end *end, enum style style, exo_u64 *seed)
{
    switch (style) {
    case RANDOM_WORDS:
        put(some_word(end, seed), random_word(seed));
        break;
    case NAMED_WORDS:
        named_word(end, seed);
        break;
    case LIKELY_SLOTS:
        likely_slot(end, seed, random_below(seed, 2) == 0);
        break;
    case GARBAGE_HEADERS:
        garbage_header(end, seed);
        break;
    case FLOOD:
        (void)sends_one(&end->channel, seed);
        break;
    case BUSY_AND_SYNC:
        (void)sends_one(&end->channel, seed);
        sync_words(end, seed, EXO_FALSE);
        break;
    case WAKE_STORM:
        sync_words(end, seed, EXO_TRUE);
        break;
    case TAKES_BACK:
        takes_back(end, seed);
        break;
    default:
        sleep_us(1000);
        break;
    }
}

/* A child forgets what is not its own. */
static void keep_only(struct run *run, const struct source *first, exo_u32 count)
{
    struct source *all[2] = {run->honest, run->reserve};
    exo_u32 of[2] = {HONEST, RESERVES};
    exo_u32 k;
    exo_u32 i;
    for (k = 0; k < 2; k++) {
        for (i = 0; i < of[k]; i++) {
            (void)close(all[k][i].sockets[0]);
            if (&all[k][i] < first || &all[k][i] >= first + count) {
                (void)close(all[k][i].sockets[1]);
            }
        }
    }
}

/* Until it is killed. It has mapped nothing of any other sender: its own segments and the receiver's, of each lane. */
static void is_hostile(void *argument)
{
    static struct exo_channel_end ends[RESERVES];
    struct run *run = (struct run *)argument;
    struct exo_channel_config config = source_config(EXO_HOSTILE, run->style % 2 == 0 ? 0 : STAGE_START);
    exo_u32 i;
    keep_only(run, run->reserve, RESERVES);
    CHECK(count_segments() == 0);
    errno = 0;
    CHECK(nice(19) != -1 || errno == 0);
    for (i = 0; i < RESERVES; i++) {
        source_opens(&run->reserve[i], &ends[i], &config);
    }
    CHECK(count_segments() == 4 * (int)RESERVES);
    exo_store32(&run->page->ready, 1, EXO_RELEASE);
    for (;;) {
        exo_u32 lane = exo_load32(&run->page->lane, EXO_RELAXED);
        if (run->arm == BURNS) {
            exo_cpu_relax();
        } else {
            be_hostile(&ends[lane < RESERVES ? lane : 0], run->style, &run->seed);
        }
    }
}

struct honest_orders {
    struct run *run;
    exo_u32 i;
};

static void is_honest(void *argument)
{
    static struct exo_channel_end end;
    const struct honest_orders *orders = (const struct honest_orders *)argument;
    struct source *source = &orders->run->honest[orders->i];
    struct exo_channel_config config = source_config(EXO_HOSTILE, orders->i % 2 == 0 ? 0 : STAGE_START);
    exo_u64 number = 0;
    keep_only(orders->run, source, 1);
    source_opens(source, &end, &config);
    while (exo_load32(&orders->run->page->begin, EXO_ACQUIRE) == 0) {
        sleep_us(PAUSE_US);
    }
    while (exo_load32(&source->note->stop, EXO_ACQUIRE) == 0) {
        CHECK(source_send(&end.channel, number, in_seconds(20)) == EXO_OK);
        number++;
        sleep_us(PAUSE_US);
    }
    exo_store64(&source->note->sent, number, EXO_RELEASE);
    exo_channel_end_close(&end);
}

static void make_source(struct source *source)
{
    source->got = 0;
    memset(source->note, 0, sizeof(*source->note));
    assert_int_equal(exo_pair(source->sockets), EXO_OK);
}

static void open_source(struct source *source)
{
    struct exo_channel_config config = source_config(EXO_HOSTILE, 0);
    assert_int_equal(close(source->sockets[1]), 0);
    assert_int_equal(exo_channel_open(&source->end, source->sockets[0], &config, in_seconds(20)), EXO_OK);
}

/* All children are born before any channel is open. */
static void begin_run(struct run *run, struct exo_fanin *fanin)
{
    exo_bool eight = run->arm != ABSENT;
    exo_u32 i;
    run->page->lane = 0;
    run->page->ready = 0;
    run->page->begin = 0;
    for (i = 0; i < HONEST; i++) {
        make_source(&run->honest[i]);
    }
    for (i = 0; i < RESERVES; i++) {
        make_source(&run->reserve[i]);
    }
    for (i = 0; i < HONEST; i++) {
        struct honest_orders orders = {run, i};
        run->honest[i].child = start_child(is_honest, &orders);
    }
    run->hostile = eight ? start_child(is_hostile, run) : 0;
    for (i = 0; i < HONEST; i++) {
        open_source(&run->honest[i]);
        assert_int_equal(exo_fanin_add(fanin, &run->honest[i].end.channel, i), EXO_OK);
    }
    for (i = 0; i < RESERVES; i++) {
        if (eight) {
            open_source(&run->reserve[i]);
        } else {
            (void)close(run->reserve[i].sockets[0]);
            (void)close(run->reserve[i].sockets[1]);
        }
    }
    if (eight) {
        assert_int_equal(exo_fanin_add(fanin, &run->reserve[0].end.channel, HONEST), EXO_OK);
        while (exo_load32(&run->page->ready, EXO_ACQUIRE) == 0) {
            sleep_us(50);
        }
    }
    exo_store32(&run->page->begin, 1, EXO_RELEASE);
}

/* The hostile lane has ended: a little later the next one takes its place, so that they last. */
static void next_reserve(struct run *run, struct exo_fanin *fanin)
{
    exo_u32 lane = run->page->lane + 1;
    if (run->again_ns != 0 && exo_port_now_ns() >= run->again_ns && lane < RESERVES) {
        run->again_ns = 0;
        assert_int_equal(exo_fanin_add(fanin, &run->reserve[lane].end.channel, HONEST), EXO_OK);
        exo_store32(&run->page->lane, lane, EXO_RELAXED);
    }
}

/* A message of the hostile one: whatever it says, it can be read, answered and given back. */
static void bear(struct run *run, struct exo_channel *channel, struct exo_message *message)
{
    way_read(exo_message_payload(message), exo_message_size(message));
    if (message->header.msg_type == EXO_MESSAGE_REQUEST) {
        exo_status status = exo_reply(channel, &message->header, "no", 2);
        assert_true(status == EXO_OK || status == EXO_FULL || status == EXO_CORRUPT || status == EXO_NOT_FOUND ||
                    status == EXO_CLOSED);
    }
    assert_int_equal(exo_channel_release(channel, message), EXO_OK);
    run->foreign++;
}

/* Whether something came of each of them, however little the machine let them do until now. */
static exo_bool all_were_heard(const struct run *run)
{
    exo_u32 i;
    for (i = 0; i < HONEST && run->honest[i].got > LEAST; i++) {
    }
    return i == HONEST;
}

/* Receive until all honest ones have closed. */
static void receive_all(struct run *run, struct exo_fanin *fanin)
{
    exo_u64 stop_at = in_ms(RUN_MS);
    exo_u64 give_up = in_seconds(10);
    exo_u32 open = HONEST;
    exo_u32 i;
    while (open != 0) {
        struct exo_message message;
        struct exo_fanin_from from;
        exo_u64 age = 0;
        exo_status status = exo_fanin_recv_blocking(fanin, &message, &from, in_seconds(10));
        next_reserve(run, fanin);
        if (stop_at != 0 && exo_port_now_ns() >= stop_at && (all_were_heard(run) || exo_port_now_ns() >= give_up)) {
            for (i = 0; i < HONEST; i++) {
                exo_store32(&run->honest[i].note->stop, 1, EXO_RELEASE);
            }
            stop_at = 0;
        }
        assert_true(status == EXO_OK || status == EXO_CLOSED || status == EXO_CORRUPT);
        if (from.key == HONEST) {
            if (status == EXO_OK) {
                bear(run, from.channel, &message);
            } else {
                run->ends++;
                run->again_ns = in_ms(RUN_MS / RESERVES / 2);
            }
            continue;
        }
        assert_true(from.key < HONEST && status != EXO_CORRUPT);
        if (status == EXO_CLOSED) {
            open--;
            continue;
        }
        assert_true(source_heard(&run->honest[from.key], &message, &age));
        if (run->ages < MOST_AGES) {
            run->age_ns[run->ages++] = age > 0xFFFFFFFFull ? 0xFFFFFFFFu : (exo_u32)age;
        }
    }
}

static void end_run(struct run *run)
{
    exo_u32 i;
    for (i = 0; i < HONEST; i++) {
        assert_int_equal(join_child(run->honest[i].child), 0);
        assert_int_equal(run->honest[i].got, exo_load64(&run->honest[i].note->sent, EXO_ACQUIRE));
        assert_true(run->honest[i].got > LEAST);
        exo_channel_end_close(&run->honest[i].end);
    }
    for (i = 0; i < RESERVES && run->hostile != 0; i++) {
        exo_channel_end_close(&run->reserve[i].end);
    }
    if (run->hostile != 0) {
        assert_int_equal(kill(run->hostile, SIGKILL), 0);
        assert_int_equal(join_child(run->hostile), -SIGKILL); /* it has not ended by itself */
    }
}

static int compare_words(const void *a, const void *b)
{
    exo_u32 left = *(const exo_u32 *)a;
    exo_u32 right = *(const exo_u32 *)b;
    return (left > right) - (left < right);
}

/* The delay that one in a hundred messages exceeds, in nanoseconds. */
static exo_u32 run_once(struct run *run, enum arm arm, enum style style)
{
    struct exo_fanin_lane places[HONEST + 1];
    struct exo_fanin fanin;
    run->arm = arm;
    run->style = style;
    run->seed = 77 + style;
    run->ages = 0;
    run->ends = 0;
    run->foreign = 0;
    run->again_ns = 0;
    assert_int_equal(exo_fanin_init(&fanin, places, HONEST + 1), EXO_OK);
    begin_run(run, &fanin);
    receive_all(run, &fanin);
    end_run(run);
    qsort(run->age_ns, run->ages, sizeof(run->age_ns[0]), compare_words);
    return run->age_ns[run->ages - 1 - run->ages / 100];
}

static int compare_ratios(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void one_hostile_sender_in_eight_harms_only_its_own_lane(void **state)
{
    static struct run run;
    struct held before = count_held();
    double ratios[ARMS][STYLES];
    exo_u64 foreign = 0;
    exo_u64 messages = 0;
    exo_u32 ends = 0;
    exo_u32 style;
    exo_u32 i;
    (void)state;
    run.page = (struct hostile_page *)shared_page(sizeof(*run.page));
    for (i = 0; i < HONEST; i++) {
        run.honest[i].note = (struct source_note *)shared_page(sizeof(struct source_note));
    }
    for (i = 0; i < RESERVES; i++) {
        run.reserve[i].note = (struct source_note *)shared_page(sizeof(struct source_note));
    }
    for (style = 0; style < STYLES; style++) {
        exo_u32 delay[ARMS];
        exo_u32 arm;
        for (arm = 0; arm < ARMS; arm++) {
            exo_u32 which = (arm + style) % ARMS; /* each comes first in turn */
            delay[which] = run_once(&run, (enum arm)which, (enum style)style);
            messages += run.ages;
            if (which == HOSTILE) {
                foreign += run.foreign;
                ends += run.ends;
            }
            assert_held(before);
        }
        ratios[ABSENT][style] = (double)delay[HOSTILE] / delay[ABSENT];
        ratios[BURNS][style] = (double)delay[HOSTILE] / delay[BURNS];
        print_message("             %-20s p99 %u us alone, %u beside a burner, %u beside it; %u lanes ended\n",
                      style_names[style], delay[ABSENT] / 1000, delay[BURNS] / 1000, delay[HOSTILE] / 1000, ends);
    }
    /* It is the least urgent process, and may have been kept from the processor all the while: then again. */
    for (i = 0; i < MOST_AGAIN && (ends < 3 || foreign <= 1000); i++) {
        (void)run_once(&run, HOSTILE, i % 2 == 0 ? FLOOD : GARBAGE_HEADERS);
        messages += run.ages;
        foreign += run.foreign;
        ends += run.ends;
        assert_held(before);
    }
    assert_true(ends >= 3); /* else it was hardly hostile */
    assert_true(foreign > 1000);
    for (i = 0; i < 2; i++) {
        qsort(ratios[i], STYLES, sizeof(double), compare_ratios);
    }
    (void)printf("figure: fan-in, one hostile sender of eight: %llu honest messages, none lost, doubled or out of order\n",
                 (unsigned long long)messages);
    (void)printf("figure: fan-in, p99 delay beside a hostile sender: %.2f of that without it, %.2f of that beside a "
                 "process that only burns the processor (medians of %u)\n",
                 ratios[ABSENT][STYLES / 2], ratios[BURNS][STYLES / 2], STYLES);
    /* Beside others that want the processors either figure may be theirs. */
    assert_true(SANITIZED || ratios[ABSENT][STYLES / 2] <= GATE || ratios[BURNS][STYLES / 2] <= GATE);
    for (i = 0; i < HONEST; i++) {
        (void)munmap(run.honest[i].note, sizeof(struct source_note));
    }
    for (i = 0; i < RESERVES; i++) {
        (void)munmap(run.reserve[i].note, sizeof(struct source_note));
    }
    (void)munmap(run.page, sizeof(*run.page));
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(one_hostile_sender_in_eight_harms_only_its_own_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
