/* SPDX-License-Identifier: MIT */
/*
 * One to many: what is received is whole, in order and accounted for, while subscribers sleep, are overrun, come, leave, are
 * cut off or die; no block is written while somebody reads it.
 */
#include <string.h>

#include "../client.h"

#define BLOCK 64u
#define LISTENERS 3u

/* A message of two words, so that a torn one is seen. */
struct pair {
    exo_u64 number;
    exo_u64 complement;
};

static struct {
    exo_u8 memory[16384] __attribute__((aligned(128)));
    struct exo_broadcast broadcast;
    struct exo_publisher tx;
    struct exo_subscriber sub[LISTENERS];
    exo_u64 received[LISTENERS]; /* by this handle, in a row */
    exo_u64 first[LISTENERS];    /* number received first */
    exo_u64 last[LISTENERS];     /* received last, + 1 */
    exo_u64 plain[4];
    exo_u32 sent;
    exo_u32 joined;
} cast;

static struct exo_broadcast_config config_of(exo_u32 policy, exo_u32 places)
{
    struct exo_broadcast_config config = {0};
    config.slots = 2;
    config.subscribers = places;
    config.policy = policy;
    config.arena_size = EXO_ARENA_NONE;
    config.spin = 1;
    config.lag_ns = EXO_FOREVER;
    config.start = 0xFFFFFFFFull;
    return config;
}

/* So many subscribers are admitted; subscriber i belongs to thread i + 2. */
static void open_cast(const struct exo_broadcast_config *config, exo_u32 subscribers)
{
    exo_u32 i;
    memset(&cast, 0, sizeof(cast));
    client_acts_as(1);
    client_check(exo_broadcast_init(&cast.broadcast, config, cast.memory, sizeof(cast.memory), &cast.tx) == EXO_OK);
    for (i = 0; i < subscribers; i++) {
        client_acts_as(2 + i);
        client_check(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[i], 0) == EXO_OK);
    }
    client_acts_as(1);
    client_check(exo_broadcast_subscribers(&cast.tx) == subscribers);
    client_names("tx", cast.broadcast.tx, cast.broadcast.geometry.slots_off);
    client_names("slots", cast.broadcast.tx + cast.broadcast.geometry.slots_off, 128);
    client_names("lobby", cast.broadcast.lobby, 4);
    for (i = 0; i < config->subscribers; i++) {
        client_names(i == 0 ? "rx0" : i == 1 ? "rx1" : "rx2",
                     cast.broadcast.places + i * cast.broadcast.geometry.rx_bytes, cast.broadcast.geometry.rx_bytes);
    }
}

static struct pair pair_of(exo_u64 number)
{
    struct pair pair;
    pair.number = number;
    pair.complement = ~number;
    return pair;
}

static exo_status send_next(void)
{
    struct pair pair = pair_of(cast.sent);
    exo_status status = exo_broadcast_send(&cast.tx, &pair, sizeof(pair));
    cast.sent += status == EXO_OK;
    return status;
}

static void send_next_blocking(void)
{
    struct pair pair = pair_of(cast.sent);
    client_check(exo_broadcast_send_blocking(&cast.tx, &pair, sizeof(pair), EXO_FOREVER) == EXO_OK);
    cast.sent++;
}

/* A message came to subscriber i: it is the next one, but for those that were missed. */
static void took(exo_u32 i, exo_u64 number)
{
    if (cast.received[i] == 0) {
        cast.first[i] = number - exo_subscriber_missed_all(&cast.sub[i]);
    }
    client_check(number == cast.first[i] + cast.received[i] + exo_subscriber_missed_all(&cast.sub[i]));
    cast.received[i]++;
    cast.last[i] = number + 1;
}

static exo_i64 take(exo_u32 i, exo_bool waits)
{
    struct pair pair = {0, 0};
    exo_i64 got = waits ? exo_subscriber_recv_blocking(&cast.sub[i], &pair, sizeof(pair), EXO_FOREVER)
                        : exo_subscriber_recv(&cast.sub[i], &pair, sizeof(pair));
    if (got >= 0) {
        client_check(got == sizeof(pair) && pair.complement == ~pair.number);
        took(i, pair.number);
    }
    return got;
}

static exo_u32 me(void)
{
    return client_self() - 2;
}

/* --- reliable, with sleeping; and the end */

static void setup_plain(void)
{
    struct exo_broadcast_config config = config_of(client_now->param, client_now->param2);
    open_cast(&config, client_now->param2);
}

static void send_three_and_close(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        send_next_blocking();
    }
    client_check(exo_broadcast_close(&cast.tx) == EXO_OK);
}

static void take_until_closed(void)
{
    exo_i64 got;
    do {
        got = take(me(), EXO_TRUE);
        client_check(got >= 0 || got == EXO_CLOSED || (got == EXO_OVERFLOW && client_now->param == EXO_LATEST));
    } while (got != EXO_CLOSED);
}

static void finish_all(void)
{
    exo_u32 i;
    for (i = 0; i < client_now->param2; i++) {
        client_check(cast.received[i] + exo_subscriber_missed_all(&cast.sub[i]) == cast.sent);
        client_check(cast.received[i] == 0 || cast.first[i] == 0);
    }
}

static void finish_nothing(void)
{
}

/* --- latest: overtaken at any instant */

static void send_some_and_close(void)
{
    exo_u32 i;
    for (i = 0; i < 5; i++) {
        client_check(send_next() == EXO_OK);
    }
    client_check(exo_broadcast_close(&cast.tx) == EXO_OK);
}

static void poll_until_closed(void)
{
    exo_i64 got;
    while ((got = take(me(), EXO_FALSE)) != EXO_CLOSED) {
        client_check(got >= 0 || got == EXO_OVERFLOW || got == EXO_EMPTY);
        if (got == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

/* Several laps: who was overrun finds no slot that is older than what the tail told it. */
static void send_laps(void)
{
    exo_u32 i;
    for (i = 0; i < 7; i++) {
        client_check(send_next() == EXO_OK);
    }
}

static void take_four(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        exo_i64 got = take(me(), EXO_FALSE);
        client_check(got >= 0 || got == EXO_EMPTY || got == EXO_OVERFLOW);
    }
}

/* --- what was done in front of a reception is over when that gave the sender room */

static void send_and_write(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        while (send_next() == EXO_FULL) {
            exo_cpu_relax();
        }
        if (i >= 2) {
            client_write(&cast.plain[i - 2], i);
        }
    }
}

static void read_and_take(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        (void)client_read(&cast.plain[i]);
        while (take(me(), EXO_FALSE) == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

/* --- blocks: reliable ones come back by release, latest ones when nobody has them pinned */

static void setup_blocks(void)
{
    struct exo_broadcast_config config = config_of(client_now->param, client_now->param2);
    config.arena_size = 2 * BLOCK;
    config.block_size = BLOCK;
    open_cast(&config, client_now->param2);
    client_shares(cast.tx.arena->memory, 2 * BLOCK);
}

static exo_status lend(void)
{
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_status status = exo_broadcast_loan(&cast.tx, 8, &loan);
    if (status != EXO_OK) {
        return status;
    }
    client_write((exo_u64 *)loan.data, cast.sent);
    status = exo_broadcast_send_loan(&cast.tx, &loan);
    cast.sent += status == EXO_OK;
    if (status != EXO_OK) {
        client_check(exo_broadcast_loan_cancel(&cast.tx, &loan) == EXO_OK);
    }
    return status;
}

static void lend_some(void)
{
    exo_u32 tries;
    for (tries = 0; tries < 6 && cast.sent < 4; tries++) {
        if (lend() == EXO_FULL) {
            exo_cpu_relax();
        }
    }
}

static exo_i64 look(exo_u32 i, struct exo_viewed *view)
{
    exo_i64 got = exo_subscriber_view(&cast.sub[i], view);
    if (got == EXO_OK) {
        client_check(view->len == 8);
        took(i, client_read((const exo_u64 *)view->data));
    }
    return got;
}

static void view_some(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct exo_viewed view;
        exo_i64 got = look(me(), &view);
        if (got == EXO_OK) {
            client_check(exo_subscriber_release(&cast.sub[me()], &view) == EXO_OK);
        }
        client_check(got == EXO_OK || got == EXO_EMPTY || (got == EXO_OVERFLOW && client_now->param == EXO_LATEST));
        if (got == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

/* The copying call on the same messages. */
static void copy_some(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        exo_u64 number = 0;
        exo_i64 got = exo_subscriber_recv(&cast.sub[me()], &number, sizeof(number));
        if (got == 8) {
            took(me(), number);
        } else if (got == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

/* It leaves with a view open: the block is the sender's again. */
static void view_and_leave(void)
{
    struct exo_viewed view;
    if (look(me(), &view) == EXO_EMPTY) {
        exo_cpu_relax();
        (void)look(me(), &view);
    }
    client_check(exo_subscriber_leave(&cast.sub[me()]) == EXO_OK);
}

static void finish_blocks(void)
{
    exo_u32 i;
    for (i = 0; i < client_now->param2; i++) {
        if (cast.sub[i].refused == EXO_OK) {
            struct exo_viewed view;
            exo_i64 got;
            while ((got = look(i, &view)) == EXO_OK || got == EXO_OVERFLOW) {
                client_check(got != EXO_OK || exo_subscriber_release(&cast.sub[i], &view) == EXO_OK);
            }
            client_check(cast.received[i] + exo_subscriber_missed_all(&cast.sub[i]) == cast.sent);
        }
    }
    client_check(exo_broadcast_poll(&cast.tx) == EXO_OK);
    while (exo_blocks_retire_pvt(&cast.tx)) {
    }
    if (client_now->param == EXO_RELIABLE) {
        exo_blocks_collect_pvt(&cast.tx);
    } else {
        exo_blocks_scan_pvt(&cast.tx);
    }
    while (exo_blocks_retire_pvt(&cast.tx)) {
    }
    client_check(cast.tx.arena->lent == 0);
}

/* --- joining against sending */

static void setup_empty(void)
{
    struct exo_broadcast_config config = config_of(client_now->param, client_now->param2);
    open_cast(&config, 0);
    client_check(send_next() == EXO_OK);
    client_check(send_next() == EXO_OK);
}

/* What is sent after a join that is known of is received. */
static void send_when_joined(void)
{
    exo_u32 joined = exo_load32(&cast.joined, EXO_ACQUIRE);
    exo_u32 at = cast.sent;
    client_check(send_next() == EXO_OK);
    cast.plain[0] = joined != 0 ? at : 100;
    (void)send_next();
}

static void join_and_take(void)
{
    client_check(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[me()], 1) == EXO_OK);
    exo_store32(&cast.joined, 1, EXO_RELEASE);
    if (take(me(), EXO_FALSE) == EXO_EMPTY) {
        exo_cpu_relax();
        (void)take(me(), EXO_FALSE);
    }
}

static void finish_joined(void)
{
    exo_u32 i;
    for (i = 0; i < client_now->param2; i++) {
        exo_i64 got;
        client_check(exo_load32(cast.broadcast.lobby, EXO_RELAXED) != cast.tx.lobby_seen ||
                     cast.tx.count == client_now->param2);
        client_check(exo_broadcast_poll(&cast.tx) == EXO_OK);
        while ((got = take(i, EXO_FALSE)) >= 0 || got == EXO_OVERFLOW) {
        }
        client_check(cast.received[i] != 0 && cast.last[i] == cast.sent); /* one of history at least */
        client_check(cast.first[i] <= cast.plain[0]);
    }
}

/* The sender only looks who is there: history is exact. */
static void poll_twice(void)
{
    client_check(exo_broadcast_poll(&cast.tx) == EXO_OK);
    client_check(exo_broadcast_poll(&cast.tx) == EXO_OK);
}

static void finish_history(void)
{
    exo_u32 i;
    cast.plain[0] = 100;
    finish_joined();
    for (i = 0; i < client_now->param2; i++) {
        client_check(cast.first[i] == 1);
    }
}

/* --- one place, handed on: by who left, or was cut off and left */

static void setup_place(void)
{
    struct exo_broadcast_config config = config_of(client_now->param, 1);
    open_cast(&config, 1);
}

static void poll_and_send(void)
{
    exo_u32 i;
    (void)client_read(&cast.plain[1]);
    for (i = 0; i < 3; i++) {
        if (client_now->param2 != 0 && i == 0) {
            exo_cast_link_drop_pvt(&cast.tx, 0, EXO_SEAT_LAGGED);
        }
        (void)send_next();
    }
}

static void leave_place(void)
{
    (void)client_read(&cast.plain[0]);
    (void)take(0, EXO_FALSE);
    client_check(exo_subscriber_leave(&cast.sub[0]) == EXO_OK);
}

static void take_place(void)
{
    exo_u32 tries;
    for (tries = 0; tries < 3; tries++) {
        if (exo_broadcast_subscribe(&cast.broadcast, &cast.sub[1], 0) == EXO_OK) {
            client_write(&cast.plain[0], 1);
            client_write(&cast.plain[1], 1);
            cast.joined = 1;
            (void)take(1, EXO_FALSE);
            return;
        }
        exo_cpu_relax();
    }
}

static void finish_place(void)
{
    if (cast.joined != 0) {
        client_check(exo_broadcast_subscribers(&cast.tx) == 1);
        while (take(1, EXO_FALSE) >= 0) {
        }
        client_check(send_next() == EXO_OK);
        client_check(take(1, EXO_FALSE) == sizeof(struct pair) && cast.last[1] == cast.sent);
    }
}

/* --- cut off while it reads: nothing torn is received */

static void send_over(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        if (send_next() == EXO_FULL) {
            exo_cast_link_drop_pvt(&cast.tx, 0, EXO_SEAT_LAGGED);
            client_check(send_next() == EXO_OK);
        }
    }
}

static void take_until_cut(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        exo_i64 got = take(me(), EXO_FALSE);
        client_check(got >= 0 || got == EXO_EMPTY || got == EXO_OVERFLOW);
        if (got == EXO_OVERFLOW) {
            return;
        }
    }
}

/* --- deaths */

static void setup_mortal(void)
{
    struct exo_broadcast_config config = config_of(EXO_RELIABLE, client_now->param2);
    exo_u32 i;
    config.profile = EXO_CRASH_SAFE;
    open_cast(&config, client_now->param2);
    for (i = 0; i < client_now->param2; i++) {
        cast.tx.links[i].peer = client_process(cast.tx.links[i].seat + 2);
        cast.sub[i].peer = client_process(1);
    }
}

static void send_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        send_next_blocking();
    }
}

static void take_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        client_check(take(me(), EXO_TRUE) >= 0);
    }
}

static void finish_sent(void)
{
    client_check(cast.sent == 3);
    client_check(client_died(3) || cast.received[1] == 3);
}

static void take_until_dead(void)
{
    exo_i64 got;
    do {
        got = take(me(), EXO_TRUE);
        client_check(got >= 0 || got == EXO_PEER_DIED || (got == EXO_CLOSED && client_now->param == 1));
    } while (got >= 0);
}

static void finish_died(void)
{
    exo_u32 i;
    for (i = 0; i < client_now->param2; i++) {
        client_check(cast.received[i] == cast.sent || cast.received[i] == cast.sent + 1);
    }
}

CLIENT(reliable) = {.name = "broadcast-reliable", .setup = setup_plain,
                    .thread = {send_three_and_close, take_until_closed, take_until_closed}, .finish = finish_all,
                    .param = EXO_RELIABLE, .param2 = 2};
CLIENT(reliable_fenced) = {.name = "broadcast-reliable-fenced", .setup = setup_plain,
                           .thread = {send_three_and_close, take_until_closed, take_until_closed},
                           .finish = finish_all, .param = EXO_RELIABLE, .param2 = 2, .symmetric = EXO_TRUE};
CLIENT(latest_sleep) = {.name = "broadcast-latest-asleep", .setup = setup_plain,
                        .thread = {send_three_and_close, take_until_closed, take_until_closed}, .finish = finish_all,
                        .param = EXO_LATEST, .param2 = 2, .overwrites = EXO_TRUE};
CLIENT(latest) = {.name = "broadcast-latest", .setup = setup_plain, .thread = {send_some_and_close, poll_until_closed},
                  .finish = finish_all, .param = EXO_LATEST, .param2 = 1, .overwrites = EXO_TRUE};
CLIENT(laps) = {.name = "broadcast-laps", .setup = setup_plain, .thread = {send_laps, take_four},
                .finish = finish_nothing, .param = EXO_LATEST, .param2 = 1};
CLIENT(room) = {.name = "broadcast-room", .setup = setup_plain, .thread = {send_and_write, read_and_take},
                .finish = finish_nothing, .param = EXO_RELIABLE, .param2 = 1};
CLIENT(blocks) = {.name = "broadcast-blocks", .setup = setup_blocks, .thread = {lend_some, view_some, view_some},
                  .finish = finish_blocks, .param = EXO_RELIABLE, .param2 = 2};
CLIENT(blocks_leave) = {.name = "broadcast-blocks-leave", .setup = setup_blocks,
                        .thread = {lend_some, view_and_leave, copy_some}, .finish = finish_blocks,
                        .param = EXO_RELIABLE, .param2 = 2};
CLIENT(pins) = {.name = "broadcast-pins", .setup = setup_blocks, .thread = {lend_some, view_some},
                .finish = finish_blocks, .param = EXO_LATEST, .param2 = 1, .overwrites = EXO_TRUE};
CLIENT(pins_copy) = {.name = "broadcast-pins-copied", .setup = setup_blocks, .thread = {lend_some, copy_some},
                     .finish = finish_blocks, .param = EXO_LATEST, .param2 = 1, .overwrites = EXO_TRUE};
CLIENT(join) = {.name = "broadcast-join", .setup = setup_empty, .thread = {send_when_joined, join_and_take},
                .finish = finish_joined, .param = EXO_RELIABLE, .param2 = 1};
CLIENT(join_latest) = {.name = "broadcast-join-latest", .setup = setup_empty,
                       .thread = {send_when_joined, join_and_take}, .finish = finish_joined, .param = EXO_LATEST,
                       .param2 = 1};
CLIENT(history) = {.name = "broadcast-history", .setup = setup_empty,
                   .thread = {poll_twice, join_and_take, join_and_take}, .finish = finish_history,
                   .param = EXO_RELIABLE, .param2 = 2};
CLIENT(place) = {.name = "broadcast-place", .setup = setup_place, .thread = {poll_and_send, leave_place, take_place},
                 .finish = finish_place, .param = EXO_RELIABLE};
CLIENT(place_cut) = {.name = "broadcast-place-cut", .setup = setup_place,
                     .thread = {poll_and_send, leave_place, take_place}, .finish = finish_place,
                     .param = EXO_RELIABLE, .param2 = 1};
CLIENT(cut) = {.name = "broadcast-cut", .setup = setup_plain, .thread = {send_over, take_until_cut},
               .finish = finish_nothing, .param = EXO_RELIABLE, .param2 = 1, .overwrites = EXO_TRUE};
CLIENT(mortal_sub) = {.name = "broadcast-subscriber-dies", .setup = setup_mortal,
                      .thread = {send_three, take_three, take_three}, .finish = finish_sent, .param2 = 2, .kills = 1,
                      .killable = 2};
CLIENT(mortal_tx) = {.name = "broadcast-sender-dies", .setup = setup_mortal,
                     .thread = {send_three_and_close, take_until_dead}, .finish = finish_died, .param = 1, .param2 = 1,
                     .kills = 1, .killable = 1};
