/* SPDX-License-Identifier: MIT */
/*
 * Broadcast between processes: 64 of them, one of them killed, stopped or gone, the sender killed, segments that nobody
 * but their makers can write.
 */
#include "kill_fixture.h"

#define MANY (SANITIZED ? 16u : EXO_SUBSCRIBERS_MAX)

/* What one subscriber's process is told, and what it tells. */
struct listener {
    exo_word64 received;
    exo_word64 missed;
    exo_word64 news_ns;
    exo_i32 result; /* how it ended */
    exo_u32 ready;
    exo_u32 holds; /* keep so many views and sleep */
    exo_u32 history;
    exo_bool doomed; /* the station may be dead before it is met, or want nothing of it */
    int socket;
    int others[8]; /* to be closed: the station's sides, and other subscribers' */
    int other_count;
    struct exo_broadcast_config config;
} EXO_ALIGNED(128);

static struct listener *listeners; /* shared */

static struct exo_broadcast_config config_of(exo_u32 policy, exo_u32 profile)
{
    struct exo_broadcast_config config = {0};
    config.policy = policy;
    config.profile = profile;
    config.slots = 64;
    config.lag_ns = 100 * MILLISECOND_NS;
    config.type = 77;
    config.start = NEAR_WRAP;
    return config;
}

static int prepare(void **state)
{
    if (listeners == NULL) {
        listeners = (struct listener *)shared_page(EXO_SUBSCRIBERS_MAX * sizeof(*listeners));
    }
    memset(listeners, 0, EXO_SUBSCRIBERS_MAX * sizeof(*listeners));
    return watchdog_start(state);
}

/* Every third message is longer than a slot. Its words tell its number. */
static exo_size length_of(exo_u64 number)
{
    return number % 3 == 2 ? 200 : 16;
}

static exo_status send_number(struct exo_station *station, exo_u64 number)
{
    exo_u64 words[25];
    exo_u32 i;
    for (i = 0; i < COUNT(words); i++) {
        words[i] = number * 1000 + i;
    }
    return exo_broadcast_send_blocking(&station->tx, words, length_of(number), EXO_FOREVER);
}

/* How long the sender was held at most: by the clock, and but for what the machine was late. */
struct hold {
    exo_u64 ns;
    exo_u64 passed_ns;
};

static void send_timed(struct exo_station *station, exo_u64 number, struct hold *most)
{
    exo_u64 began = exo_port_now_ns();
    exo_u64 took;
    assert_int_equal(send_number(station, number), EXO_OK);
    took = exo_port_now_ns() - began;
    most->ns = took > most->ns ? took : most->ns;
    if (took > most->passed_ns) {
        took = passed_between(began, began + took);
        most->passed_ns = took > most->passed_ns ? took : most->passed_ns;
    }
}

static void check_message(const exo_u64 *words, exo_i64 len, exo_u64 number)
{
    exo_size i;
    CHECK(len == (exo_i64)length_of(number));
    for (i = 0; i < (exo_size)len / 8; i++) {
        CHECK(words[i] == number * 1000 + i);
    }
}

static void listen_body(void *argument)
{
    struct listener *self = (struct listener *)argument;
    static struct exo_subscription subscription;
    struct exo_viewed view[4];
    exo_u64 words[25];
    exo_u64 first = 0;
    exo_i64 got;
    exo_status status;
    int i;
    for (i = 0; i < self->other_count; i++) {
        (void)close(self->others[i]);
    }
    status = exo_subscribe(&subscription, self->socket, &self->config, self->history, in_seconds(20));
    if (self->doomed && (status == EXO_PEER_DIED || status == EXO_TYPE_MISMATCH)) {
        return;
    }
    CHECK(status == EXO_OK);
    while (self->received < self->holds) {
        CHECK(exo_subscriber_view_blocking(&subscription.sub, &view[self->received], EXO_FOREVER) == EXO_OK);
        exo_store64(&self->received, self->received + 1, EXO_RELEASE);
    }
    exo_store32(&self->ready, 1, EXO_RELEASE);
    while (self->holds != 0) {
        (void)pause();
    }
    for (;;) {
        got = exo_subscriber_recv_blocking(&subscription.sub, words, sizeof(words), EXO_FOREVER);
        if (got == EXO_OVERFLOW && self->config.policy == EXO_LATEST) {
            continue;
        }
        if (got < 0) {
            break;
        }
        if (self->received == 0) {
            first = words[0] / 1000 - exo_subscriber_missed_all(&subscription.sub);
        }
        check_message(words, got, first + self->received + exo_subscriber_missed_all(&subscription.sub));
        exo_store64(&self->received, self->received + 1, EXO_RELEASE);
    }
    exo_store64(&self->news_ns, exo_port_now_ns(), EXO_RELEASE);
    exo_store64(&self->missed, exo_subscriber_missed_all(&subscription.sub), EXO_RELEASE);
    exo_store32((exo_u32 *)&self->result, (exo_u32)got, EXO_RELEASE);
    exo_unsubscribe(&subscription);
}

/* A child subscribes. */
static pid_t add_listener(struct exo_station *station, exo_u32 i, const struct exo_broadcast_config *config)
{
    int sockets[2];
    pid_t child;
    listeners[i].config = *config;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    listeners[i].socket = sockets[1];
    listeners[i].others[0] = sockets[0];
    listeners[i].other_count = 1;
    child = start_child(listen_body, &listeners[i]);
    (void)close(sockets[1]);
    assert_int_equal(exo_broadcast_admit(station, sockets[0], in_seconds(20)), EXO_OK);
    return child;
}

/* When this returns, it runs no more until SIGCONT. */
static void stop_child(pid_t child)
{
    int status = 0;
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
}

static void sixty_four_processes_get_every_message_of(exo_u32 policy, exo_u32 profile)
{
    static struct exo_station station;
    struct exo_broadcast_config config = config_of(policy, profile);
    struct held before = count_held();
    pid_t child[EXO_SUBSCRIBERS_MAX];
    exo_u64 missed = 0;
    exo_u64 sent;
    exo_u32 i;
    int sockets[2];
    config.lag_ns = 20 * SECOND_NS;
    config.slots = policy == EXO_LATEST ? 2 : config.slots;
    memset(listeners, 0, EXO_SUBSCRIBERS_MAX * sizeof(*listeners));
    assert_int_equal(exo_station_open(&station, &config), EXO_OK);
    for (i = 0; i < MANY; i++) {
        child[i] = add_listener(&station, i, &config);
    }
    assert_int_equal(exo_broadcast_subscribers(&station.tx), MANY);
    if (MANY == EXO_SUBSCRIBERS_MAX) {
        assert_int_equal(exo_pair(sockets), EXO_OK);
        assert_int_equal(exo_broadcast_admit(&station, sockets[0], in_seconds(1)), EXO_ALREADY_EXISTS);
        (void)close(sockets[1]);
    }
    if (policy == EXO_LATEST) { /* the others may keep up, if the scheduler likes; this one cannot */
        stop_child(child[0]);
    }
    for (sent = 0; sent < 2000; sent++) {
        assert_int_equal(send_number(&station, sent), EXO_OK);
    }
    if (policy == EXO_LATEST) {
        assert_int_equal(kill(child[0], SIGCONT), 0);
    }
    assert_int_equal(exo_broadcast_close(&station.tx), EXO_OK);
    for (i = 0; i < MANY; i++) {
        assert_int_equal(join_child(child[i]), 0);
        assert_int_equal(listeners[i].result, EXO_CLOSED);
        assert_int_equal(listeners[i].received + listeners[i].missed, sent);
        missed += listeners[i].missed;
    }
    /* What was in the slots when it went on it received, and what it was just taking when it was stopped. */
    assert_true(policy == EXO_LATEST ? listeners[0].missed >= sent - config.slots - 1 : missed == 0);
    exo_station_close(&station);
    exo_station_close(&station);
    assert_held(before);
}

static void sixty_four_processes_get_every_message(void **state)
{
    (void)state;
    sixty_four_processes_get_every_message_of(EXO_RELIABLE, EXO_CRASH_SAFE);
    sixty_four_processes_get_every_message_of(EXO_RELIABLE, EXO_HOSTILE);
}

static void sixty_four_processes_know_what_they_missed(void **state)
{
    (void)state;
    sixty_four_processes_get_every_message_of(EXO_LATEST, EXO_CRASH_SAFE);
}

/* One of three is killed in midstream, or holds blocks then: the others miss nothing, the sender hardly waits. */
static void a_killed_subscriber_is_let_go_at_once(void **state)
{
    static struct exo_station station;
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(12); round++) {
        struct exo_broadcast_config config = config_of(EXO_RELIABLE, round % 2 != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE);
        struct held before = count_held();
        pid_t child[3];
        exo_u64 sent;
        struct hold most = {0, 0};
        exo_u32 i;
        config.lag_ns = EXO_FOREVER;
        memset(listeners, 0, 3 * sizeof(*listeners));
        listeners[1].holds = round % 3 != 0 ? 3 : 0;
        assert_int_equal(exo_station_open(&station, &config), EXO_OK);
        for (i = 0; i < 3; i++) {
            child[i] = add_listener(&station, i, &config);
        }
        for (sent = 0; sent < 1000; sent++) {
            send_timed(&station, sent, &most);
            if (sent == 20) {
                while (listeners[1].holds != 0 && exo_load32(&listeners[1].ready, EXO_ACQUIRE) == 0) {
                    sleep_us(50);
                }
                assert_int_equal(kill(child[1], SIGKILL), 0);
            }
        }
        assert_true(most.passed_ns < (DEATH_KNOWN_MS + DEATH_SLACK_MS) * MILLISECOND_NS);
        assert_int_equal(exo_station_poll(&station), EXO_OK);
        assert_int_equal(station.tx.count, 2);
        assert_int_equal(exo_broadcast_close(&station.tx), EXO_OK);
        assert_int_equal(join_child(child[1]), -SIGKILL);
        for (i = 0; i < 3; i += 2) {
            assert_int_equal(join_child(child[i]), 0);
            assert_int_equal(listeners[i].received, sent);
        }
        exo_station_close(&station);
        assert_held(before);
    }
}

/* One of three is stopped: the sender is held for the limit, once; the stopped one learns what happened to it. */
static void a_stopped_subscriber_holds_the_sender_no_longer_than_the_limit(void **state)
{
    static struct exo_station station;
    struct exo_broadcast_config config = config_of(EXO_RELIABLE, EXO_CRASH_SAFE);
    pid_t child[3];
    exo_u64 sent;
    struct hold most = {0, 0};
    exo_u32 i;
    (void)state;
    config.lag_ns = 500 * MILLISECOND_NS; /* who runs takes less, on a machine that stands still for a moment too */
    assert_int_equal(exo_station_open(&station, &config), EXO_OK);
    for (i = 0; i < 3; i++) {
        child[i] = add_listener(&station, i, &config);
    }
    assert_int_equal(kill(child[2], SIGSTOP), 0);
    for (sent = 0; sent < 1000; sent++) {
        send_timed(&station, sent, &most);
    }
    assert_true(most.ns >= config.lag_ns);
    assert_true(most.passed_ns < config.lag_ns + DEATH_SLACK_MS * MILLISECOND_NS);
    assert_int_equal(exo_broadcast_subscribers(&station.tx), 2);
    assert_int_equal(kill(child[2], SIGCONT), 0);
    assert_int_equal(join_child(child[2]), 0);
    assert_int_equal(listeners[2].result, EXO_OVERFLOW);
    assert_true(listeners[2].received + listeners[2].missed <= sent && listeners[2].missed != 0);
    assert_int_equal(exo_broadcast_close(&station.tx), EXO_OK);
    for (i = 0; i < 2; i++) {
        assert_int_equal(join_child(child[i]), 0);
        assert_int_equal(listeners[i].received, sent);
    }
    exo_station_close(&station);
}

/* The station is a child here, too: its sockets are made before. */
struct dying {
    int sockets[4][2];
    exo_word64 sent;
    exo_word64 killed_ns;
    struct exo_broadcast_config config;
};

static void station_body(void *argument)
{
    struct dying *dying = (struct dying *)argument;
    static struct exo_station station;
    exo_u32 i;
    CHECK(exo_station_open(&station, &dying->config) == EXO_OK);
    for (i = 0; i < 4; i++) {
        CHECK(exo_broadcast_admit(&station, dying->sockets[i][0], in_seconds(20)) == EXO_OK);
    }
    for (;;) {
        CHECK(send_number(&station, dying->sent) == EXO_OK);
        exo_store64(&dying->sent, dying->sent + 1, EXO_RELEASE);
        if (dying->sent == 500) {
            for (;;) { /* until it is killed, with nothing more to come */
                (void)pause();
            }
        }
    }
}

static void a_killed_senders_messages_arrive_and_then_its_death(void **state)
{
    static struct death_times times;
    struct dying *dying = (struct dying *)shared_page(sizeof(*dying));
    exo_u64 seed = 5;
    exo_u32 round;
    (void)state;
    times.count = 0;
    for (round = 0; round < ROUNDS(24); round++) {
        pid_t child[4];
        pid_t sender;
        exo_u32 i;
        memset(dying, 0, sizeof(*dying));
        memset(listeners, 0, 4 * sizeof(*listeners));
        dying->config = config_of(round / 2 % 2, round % 2 != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE);
        dying->config.lag_ns = EXO_FOREVER; /* nobody is cut off by a sender that is dying */
        for (i = 0; i < 4; i++) {
            assert_int_equal(exo_pair(dying->sockets[i]), EXO_OK);
        }
        for (i = 0; i < 4; i++) {
            exo_u32 other;
            listeners[i].config = dying->config;
            listeners[i].socket = dying->sockets[i][1];
            listeners[i].doomed = EXO_TRUE;
            for (other = 0; other < 4; other++) {
                listeners[i].others[listeners[i].other_count++] = dying->sockets[other][0];
                if (other > i) {
                    listeners[i].others[listeners[i].other_count++] = dying->sockets[other][1];
                }
            }
            child[i] = start_child(listen_body, &listeners[i]);
            (void)close(dying->sockets[i][1]);
        }
        sender = start_child(station_body, dying);
        for (i = 0; i < 4; i++) {
            (void)close(dying->sockets[i][0]);
        }
        if (round % 3 == 0) {
            while (exo_load64(&dying->sent, EXO_ACQUIRE) < 500) {
                sleep_us(100);
            }
        }
        sleep_us(random_below(&seed, 3000));
        exo_store64(&dying->killed_ns, exo_port_now_ns(), EXO_RELEASE);
        assert_int_equal(kill(sender, SIGKILL), 0);
        assert_int_equal(join_child(sender), -SIGKILL);
        for (i = 0; i < 4; i++) {
            exo_u64 heard;
            int status = join_child(child[i]);
            if (listeners[i].ready == 0) {
                continue; /* killed before this one was admitted */
            }
            assert_int_equal(status, 0);
            assert_int_equal(listeners[i].result, EXO_PEER_DIED);
            heard = listeners[i].received + listeners[i].missed;
            assert_true(heard == 0 || heard == dying->sent || heard == dying->sent + 1);
            add_death(&times, dying->killed_ns, listeners[i].news_ns);
        }
    }
    assert_deaths_known_in_time(&times, "broadcast senders");
}

static void neither_side_can_write_the_others_segment(void **state)
{
    static struct exo_station station;
    struct exo_broadcast_config config = config_of(EXO_RELIABLE, EXO_HOSTILE);
    struct mapping mappings[512];
    exo_size count;
    exo_size i;
    exo_u32 theirs = 0;
    pid_t child;
    (void)state;
    assert_int_equal(exo_station_open(&station, &config), EXO_OK);
    child = add_listener(&station, 0, &config);
    count = read_mappings(mappings, COUNT(mappings));
    for (i = 0; i < count; i++) {
        if (strstr(mappings[i].name, "exo_ipc subscriber") != NULL) {
            assert_string_equal(mappings[i].rights, "r--s");
            assert_int_equal(mprotect((void *)mappings[i].begin, 4096, PROT_READ | PROT_WRITE), -1);
            theirs++;
        }
        if (strstr(mappings[i].name, "exo_ipc broadcast") != NULL) {
            assert_string_equal(mappings[i].rights, "rw-s");
            assert_ptr_equal((void *)mappings[i].begin, station.own.memory);
        }
    }
    assert_int_equal(theirs, 1);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, station.own.descriptor, 0) == MAP_FAILED);
    exo_station_close(&station);
    assert_int_equal(join_child(child), 0);
}

static exo_status meet_as(const struct exo_broadcast_config *ours, struct exo_broadcast_config theirs)
{
    static struct exo_station station;
    int sockets[2];
    exo_status status;
    pid_t child;
    memset(listeners, 0, sizeof(*listeners));
    listeners[0].config = theirs;
    listeners[0].doomed = EXO_TRUE;
    assert_int_equal(exo_station_open(&station, ours), EXO_OK);
    assert_int_equal(exo_pair(sockets), EXO_OK);
    listeners[0].socket = sockets[1];
    listeners[0].others[0] = sockets[0];
    listeners[0].other_count = 1;
    child = start_child(listen_body, &listeners[0]);
    (void)close(sockets[1]);
    status = exo_broadcast_admit(&station, sockets[0], in_seconds(20));
    exo_station_close(&station);
    (void)join_child(child);
    return status;
}

static void strangers_are_refused_on_both_sides(void **state)
{
    struct exo_broadcast_config config = config_of(EXO_RELIABLE, EXO_CRASH_SAFE);
    struct exo_broadcast_config other = config;
    static struct exo_station station;
    static struct exo_subscription subscription;
    struct held before = count_held();
    int sockets[2];
    (void)state;
    assert_int_equal(meet_as(&config, other), EXO_OK);
    other.type = 78;
    assert_int_equal(meet_as(&config, other), EXO_TYPE_MISMATCH);
    other = config;
    other.profile = EXO_HOSTILE;
    assert_int_equal(meet_as(&config, other), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_station_open(&station, &config), EXO_OK);
    assert_int_equal(exo_broadcast_admit(&station, -1, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_subscribe(&subscription, -1, &config, 0, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(exo_broadcast_admit(&station, sockets[0], in_ms(5)), EXO_TIMEOUT);
    assert_int_equal(exo_subscribe(&subscription, sockets[1], &config, 0, in_ms(5)), EXO_PEER_DIED);
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(exo_pass(sockets[1], station.own.descriptor, in_seconds(1)), EXO_OK); /* another protocol */
    assert_int_equal(exo_broadcast_admit(&station, sockets[0], in_seconds(1)), EXO_CORRUPT);
    (void)close(sockets[1]);
    exo_station_close(&station);
    assert_held(before);
}

static void processes_come_and_go(void **state)
{
    static struct exo_station station;
    struct exo_broadcast_config config = config_of(EXO_RELIABLE, EXO_CRASH_SAFE);
    struct held before;
    exo_u64 sent = 0;
    exo_u32 round;
    (void)state;
    config.subscribers = 2;
    assert_int_equal(exo_station_open(&station, &config), EXO_OK);
    before = count_held();
    for (round = 0; round < ROUNDS(30); round++) {
        pid_t child;
        exo_u64 end = sent + 20;
        memset(listeners, 0, sizeof(*listeners));
        listeners[0].history = round % 10;
        child = add_listener(&station, 0, &config);
        for (; sent < end; sent++) {
            assert_int_equal(send_number(&station, sent), EXO_OK);
        }
        while (exo_load64(&listeners[0].received, EXO_ACQUIRE) < 20 + exo_min64(round % 10, end - 20)) {
            sleep_us(50);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(join_child(child), -SIGKILL);
        assert_int_equal(exo_station_poll(&station), EXO_OK);
        assert_int_equal(station.tx.count, 0);
        assert_held(before);
    }
    exo_station_close(&station);
}

#undef CLAIM
#define CLAIM(function)                                                                              \
    {                                                                                                \
        #function, function, prepare, watchdog_stop, NULL                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(sixty_four_processes_get_every_message),
        CLAIM(sixty_four_processes_know_what_they_missed),
        CLAIM(a_killed_subscriber_is_let_go_at_once),
        CLAIM(a_stopped_subscriber_holds_the_sender_no_longer_than_the_limit),
        CLAIM(a_killed_senders_messages_arrive_and_then_its_death),
        CLAIM(neither_side_can_write_the_others_segment),
        CLAIM(strangers_are_refused_on_both_sides),
        CLAIM(processes_come_and_go),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
