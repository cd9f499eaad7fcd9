/* SPDX-License-Identifier: MIT */
/*
 * Fan-in: whose turn it is, who comes and goes, what is told of a lane's end, and the same for bare rings. Claims about
 * channels are made in one address space and over sealed segments, half of them across 2^32.
 */
#include "channel_fixture.h"

#include <host_peer.h>
#include <pthread.h>

#define LANES 8u
#define MILLISECOND 1000000ull
#define IN_A_ROW EXO_FANIN_IN_A_ROW

/* Eight channels, and how far each has got. */
struct crowd {
    struct two_ends two[LANES];
    struct exo_fanin fanin;
    struct exo_fanin_lane places[LANES];
    exo_u32 sent[LANES];
    exo_u32 got[LANES];
};

static void gather(struct crowd *crowd, const struct way *way, exo_u32 members)
{
    struct exo_channel_config config = {0};
    exo_u32 i;
    memset(crowd, 0, sizeof(*crowd));
    assert_int_equal(exo_fanin_init(&crowd->fanin, crowd->places, LANES), EXO_OK);
    for (i = 0; i < LANES; i++) {
        open_two(&crowd->two[i], way, config);
        if (i < members) {
            assert_int_equal(exo_fanin_add(&crowd->fanin, crowd->two[i].b, 100 + i), EXO_OK);
        }
    }
    assert_int_equal(exo_fanin_count(&crowd->fanin), members);
}

static void scatter(struct crowd *crowd)
{
    exo_u32 i;
    for (i = 0; i < LANES; i++) {
        close_two(&crowd->two[i]);
    }
}

/* The next message of a lane; every third is larger than a slot. */
static void say(struct crowd *crowd, exo_u32 i, exo_u32 count)
{
    for (; count != 0; count--) {
        exo_size len = crowd->sent[i] % 3 == 0 ? 500 : 20;
        assert_int_equal(send_filled(crowd->two[i].a, 0, len, crowd->sent[i]), EXO_OK);
        crowd->sent[i]++;
    }
}

/* A received message is its lane's next. Returns the lane. */
static exo_u32 heard(struct crowd *crowd, struct exo_message *message, const struct exo_fanin_from *from)
{
    exo_u32 i = (exo_u32)(from->key - 100);
    assert_true(i < LANES);
    assert_ptr_equal(from->channel, crowd->two[i].b);
    assert_int_equal(message->header.sender, crowd->two[i].name_of_a);
    assert_filled(message, crowd->got[i] % 3 == 0 ? 500 : 20, crowd->got[i]);
    crowd->got[i]++;
    assert_int_equal(exo_channel_release(from->channel, message), EXO_OK);
    return i;
}

/* The lane of the next message, or the negative status. */
static int hear(struct crowd *crowd)
{
    struct exo_message message;
    struct exo_fanin_from from;
    exo_status status = exo_fanin_recv(&crowd->fanin, &message, &from);
    return status == EXO_OK ? (int)heard(crowd, &message, &from) : (int)status;
}

static exo_u32 random_below(exo_u64 *seed, exo_u32 limit)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (exo_u32)((*seed >> 33) % limit);
}

static void each_message_comes_once_in_order_and_says_where_from(void **state)
{
    exo_u64 seed = 1;
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_u32 turn;
        exo_u32 i;
        gather(&crowd, &ways[w], LANES);
        for (turn = 0; turn < 400; turn++) {
            for (i = 0; i < LANES; i++) {
                say(&crowd, i, random_below(&seed, 3));
            }
            for (i = random_below(&seed, 2 * LANES); i != 0 && hear(&crowd) >= 0; i--) {
            }
            for (i = 0; turn % 8 == 7 && hear(&crowd) >= 0; i++) {
            }
        }
        while (hear(&crowd) != EXO_EMPTY) {
        }
        assert_memory_equal(crowd.sent, crowd.got, sizeof(crowd.sent));
        scatter(&crowd);
    }
}

static void a_flood_of_one_takes_no_more_than_its_turns(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_u32 between[LANES] = {0};
        exo_u32 turn;
        gather(&crowd, &ways[w], LANES);
        for (turn = 0; turn < 2000; turn++) {
            int lane;
            exo_u32 i;
            for (i = 0; i < LANES; i++) { /* all flood but the last, which has always one */
                while (crowd.sent[i] - crowd.got[i] < (i == LANES - 1 ? 1 : IN_A_ROW + 4)) {
                    say(&crowd, i, 1);
                }
            }
            lane = hear(&crowd);
            assert_true(lane >= 0);
            for (i = 0; i < LANES; i++) {
                between[i] = (int)i == lane ? 0 : between[i] + 1;
                assert_true(between[i] <= (LANES - 1) * IN_A_ROW);
            }
        }
        assert_in_range(crowd.got[0], 2000 / LANES - IN_A_ROW, 2000 / LANES + 4 * IN_A_ROW);
        scatter(&crowd);
    }
}

static void turns_end_when_a_lane_is_empty_or_has_had_its_share(void **state)
{
    static const struct {
        int lane;
        exo_u32 messages;
    } turns[] = {{1, 3}, {2, 1}, {3, 16}, {0, 16}, {3, 4}, {0, 24}}; /* the last one when nobody else waits */
    struct crowd crowd;
    exo_u32 i;
    exo_u32 k;
    (void)state;
    gather(&crowd, &ways[1], 4);
    assert_int_equal(hear(&crowd), EXO_EMPTY);
    say(&crowd, 0, 40);
    say(&crowd, 1, 3);
    say(&crowd, 2, 1);
    say(&crowd, 3, 20);
    for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        for (k = 0; k < turns[i].messages; k++) {
            assert_int_equal(hear(&crowd), turns[i].lane);
        }
    }
    assert_int_equal(hear(&crowd), EXO_EMPTY);
    scatter(&crowd);
}

static void what_is_urgent_comes_first_within_its_lane(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static const int order[] = {21, 20, 2, 1, 0}; /* lane 0 begins, for the turn starts behind the last */
        struct crowd crowd;
        struct exo_message message;
        struct exo_fanin_from from;
        exo_u32 i;
        gather(&crowd, &ways[w], 2);
        assert_int_equal(send_byte(crowd.two[0].a, 0, 0), EXO_OK);
        assert_int_equal(send_byte(crowd.two[0].a, 3, 1), EXO_OK);
        assert_int_equal(send_byte(crowd.two[0].a, 9, 2), EXO_OK);
        assert_int_equal(send_byte(crowd.two[1].a, 0, 20), EXO_OK);
        assert_int_equal(send_byte(crowd.two[1].a, 1, 21), EXO_OK);
        for (i = 0; i < 5; i++) {
            assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), EXO_OK);
            assert_int_equal(*(const exo_u8 *)exo_message_payload(&message), order[i]);
            assert_int_equal(exo_channel_release(from.channel, &message), EXO_OK);
        }
        assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), EXO_EMPTY);
        /* Both lanes rest now: an urgent one is seen as well. */
        assert_int_equal(send_byte(crowd.two[1].a, 1, 22), EXO_OK);
        assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), EXO_OK);
        assert_int_equal(from.key, 101);
        scatter(&crowd);
    }
}

/* Also in a lane that rests while another one floods, and all that wait there in one turn. */
static void a_resting_lane_is_heard_in_its_turn_when_something_urgent_comes(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_u32 i;
        exo_u32 k;
        gather(&crowd, &ways[w], LANES);
        assert_int_equal(hear(&crowd), EXO_EMPTY);
        say(&crowd, 0, IN_A_ROW + 2);
        assert_int_equal(hear(&crowd), 0);
        for (i = 1; i < LANES; i++) {
            for (k = 0; k < 3; k++) {
                assert_int_equal(send_byte(crowd.two[i].a, 1, (int)k), EXO_OK);
            }
        }
        for (i = 1; i < IN_A_ROW; i++) {
            assert_int_equal(hear(&crowd), 0);
        }
        for (i = 3; i < 3 * LANES; i++) {
            struct exo_message message;
            struct exo_fanin_from from;
            assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), EXO_OK);
            assert_int_equal(from.key, 100 + i / 3);
            assert_int_equal(*(const exo_u8 *)exo_message_payload(&message), i % 3);
        }
        assert_int_equal(hear(&crowd), 0);
        assert_int_equal(hear(&crowd), 0);
        assert_int_equal(hear(&crowd), EXO_EMPTY);
        scatter(&crowd);
    }
}

static void lanes_come_and_go_while_others_flow(void **state)
{
    exo_u64 seed = 5;
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_bool in[LANES] = {EXO_FALSE};
        exo_u32 changes = 0;
        exo_u32 turn;
        exo_u32 i;
        gather(&crowd, &ways[w], 0);
        for (turn = 0; turn < 3000; turn++) {
            int lane;
            i = random_below(&seed, LANES);
            if (random_below(&seed, 8) == 0) {
                assert_int_equal(in[i] ? exo_fanin_remove(&crowd.fanin, crowd.two[i].b)
                                       : exo_fanin_add(&crowd.fanin, crowd.two[i].b, 100 + i),
                                 EXO_OK);
                in[i] = !in[i];
                changes++;
            }
            i = random_below(&seed, LANES);
            if (crowd.sent[i] - crowd.got[i] < 30) {
                say(&crowd, i, 1);
            }
            lane = hear(&crowd);
            assert_true(lane < 0 || in[lane]);
            for (i = 0; lane < 0 && i < LANES; i++) { /* nothing: nobody who is in has anything */
                assert_true(!in[i] || crowd.sent[i] == crowd.got[i]);
            }
        }
        assert_true(changes > 200);
        for (i = 0; i < LANES; i++) {
            if (!in[i]) {
                assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[i].b, 100 + i), EXO_OK);
            }
        }
        while (hear(&crowd) != EXO_EMPTY) {
        }
        assert_memory_equal(crowd.sent, crowd.got, sizeof(crowd.sent));
        scatter(&crowd);
    }
}

/* Whatever lane goes, those that waited for their turns keep them. */
static void the_others_keep_their_order_when_a_lane_goes(void **state)
{
    exo_u32 gone;
    exo_u32 taken;
    (void)state;
    for (gone = 0; gone < LANES; gone++) {
        for (taken = 0; taken <= LANES; taken++) {
            struct crowd crowd;
            exo_u32 expected = 1; /* the lane behind the first */
            exo_u32 i;
            gather(&crowd, &ways[0], LANES);
            for (i = 0; i < LANES; i++) {
                say(&crowd, i, 2);
            }
            for (i = 0; i < 2 * taken; i++) {
                assert_int_equal(hear(&crowd), (expected + i / 2) % LANES);
            }
            expected = (expected + taken) % LANES;
            assert_int_equal(exo_fanin_remove(&crowd.fanin, crowd.two[gone].b), EXO_OK);
            for (i = 0; i < LANES; i++, expected = (expected + 1) % LANES) {
                if (crowd.got[expected] == 0 && expected != gone) {
                    assert_int_equal(hear(&crowd), expected);
                    assert_int_equal(hear(&crowd), expected);
                }
            }
            assert_int_equal(hear(&crowd), EXO_EMPTY);
            scatter(&crowd);
        }
    }
}

/* How a lane may end. */
enum ending { CLOSES, FINISHES, DIES, BREAKS, ENDINGS };

static const exo_status endings[ENDINGS] = {EXO_CLOSED, EXO_CLOSED, EXO_PEER_DIED, EXO_CORRUPT};

static void end_lane(struct two_ends *two, enum ending ending)
{
    exo_word64 *line;
    switch (ending) {
    case CLOSES:
        exo_channel_close(two->a);
        break;
    case FINISHES:
        assert_int_equal(exo_channel_finish(two->a), EXO_OK);
        break;
    case DIES:
        end_finds_peer_dead(&two->process_end[1]);
        break;
    default:
        line = exo_tx_line_pvt(&two->a->tx[EXO_LANE_MAIN], two->a->tx[EXO_LANE_MAIN].pos);
        exo_line_commit_pvt(line, exo_control_pvt(two->a->tx[EXO_LANE_MAIN].pos, 200, 0));
        break;
    }
}

static void the_end_of_a_lane_is_told_once_behind_its_last_message(void **state)
{
    exo_u32 w;
    exo_u32 kind;
    (void)state;
    for (w = 0; w < WAYS * ENDINGS; w++) {
        const struct way *way = &ways[w / ENDINGS];
        struct exo_message message;
        struct exo_fanin_from from;
        struct crowd crowd;
        exo_u32 i;
        kind = w % ENDINGS;
        if (kind == DIES && !way->segments) {
            continue;
        }
        gather(&crowd, way, LANES);
        for (i = 0; i < LANES; i++) {
            say(&crowd, i, i);
        }
        end_lane(&crowd.two[3], (enum ending)kind);
        for (i = 0; i < 28; i++) {
            exo_status status = exo_fanin_recv(&crowd.fanin, &message, &from);
            if (status != EXO_OK) {
                break;
            }
            (void)heard(&crowd, &message, &from);
        }
        if (i == 28) {
            assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), endings[kind]);
        }
        assert_int_equal(from.key, 103);
        assert_ptr_equal(from.channel, crowd.two[3].b);
        assert_int_equal(crowd.got[3], 3);
        assert_int_equal(exo_fanin_count(&crowd.fanin), LANES - 1);
        for (; i < 28; i++) {
            assert_true(hear(&crowd) >= 0);
        }
        assert_int_equal(hear(&crowd), EXO_EMPTY);
        for (i = 0; i < LANES; i++) {
            if (i != 3) {
                say(&crowd, i, 1);
                assert_int_equal(hear(&crowd), i);
            }
        }
        assert_int_equal(hear(&crowd), EXO_EMPTY);
        assert_int_equal(exo_fanin_remove(&crowd.fanin, crowd.two[3].b), EXO_NOT_FOUND);
        if (kind == FINISHES) { /* which may wait for answers still */
            assert_int_equal(send_byte(crowd.two[3].b, 0, 7), EXO_OK);
            assert_int_equal(receive_byte(crowd.two[3].a), 7);
        }
        scatter(&crowd);
    }
}

/* A lane that ends while another always has something: within so many messages of that. */
static void the_end_of_a_lane_is_found_while_others_flow(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_u32 messages = 0;
        exo_u32 ends = 0;
        exo_u32 i;
        gather(&crowd, &ways[w], LANES);
        while (hear(&crowd) != EXO_EMPTY) {
        }
        for (i = 1; i < LANES; i++) {
            exo_channel_close(crowd.two[i].a);
        }
        while (ends < LANES - 1) {
            int lane;
            while (crowd.sent[0] - crowd.got[0] < 40) {
                say(&crowd, 0, 1);
            }
            lane = hear(&crowd);
            assert_true(lane == 0 || lane == EXO_CLOSED);
            messages += lane == 0;
            ends += lane != 0;
            assert_true(messages <= (LANES + 1) * IN_A_ROW);
        }
        assert_int_equal(exo_fanin_count(&crowd.fanin), 1);
        scatter(&crowd);
    }
}

static void all_lanes_may_end_and_others_come(void **state)
{
    struct crowd crowd;
    exo_u32 i;
    (void)state;
    gather(&crowd, &ways[2], 2);
    for (i = 0; i < 2; i++) {
        exo_channel_close(crowd.two[i].a);
    }
    assert_int_equal(hear(&crowd), EXO_CLOSED);
    assert_int_equal(hear(&crowd), EXO_CLOSED);
    assert_int_equal(hear(&crowd), EXO_EMPTY);
    assert_int_equal(exo_fanin_count(&crowd.fanin), 0);
    assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[5].b, 105), EXO_OK);
    say(&crowd, 5, 2);
    assert_int_equal(hear(&crowd), 5);
    assert_int_equal(hear(&crowd), 5);
    assert_int_equal(hear(&crowd), EXO_EMPTY);
    scatter(&crowd);
}

static void bad_lanes_are_refused(void **state)
{
    struct exo_ring_config config = {0};
    struct exo_fanin_lane place[1];
    struct exo_receiver rx;
    struct exo_fanin fanin;
    struct exo_fanin_from from;
    struct exo_message message;
    struct exo_ring ring;
    struct crowd crowd;
    (void)state;
    assert_int_equal(exo_fanin_init(&fanin, NULL, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_fanin_init(&fanin, place, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_fanin_init(&fanin, place, 1), EXO_OK);
    assert_int_equal(exo_fanin_recv(&fanin, &message, &from), EXO_EMPTY);
    assert_int_equal(exo_fanin_recv_blocking(&fanin, &message, &from, EXO_FOREVER), EXO_NOT_FOUND);
    gather(&crowd, &ways[0], LANES);
    assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[0].b, 1), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[0].a, 1), EXO_FULL);
    assert_int_equal(exo_fanin_remove(&crowd.fanin, crowd.two[0].a), EXO_NOT_FOUND);
    assert_int_equal(exo_fanin_remove(&crowd.fanin, crowd.two[7].b), EXO_OK);
    assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[0].b, 1), EXO_ALREADY_EXISTS);
    exo_channel_close(crowd.two[7].b);
    assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[7].b, 1), EXO_CLOSED);
    assert_int_equal(exo_ring_create(&ring, &config, NULL, NULL), EXO_OK);
    assert_int_equal(exo_ring_receiver(&ring, &rx), EXO_OK);
    assert_int_equal(exo_fanin_add_receiver(&crowd.fanin, &rx, 1), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_fanin_remove_receiver(&crowd.fanin, &rx), EXO_NOT_FOUND);
    assert_int_equal(exo_fanin_add_receiver(&fanin, &rx, 1), EXO_OK);
    assert_int_equal(exo_fanin_add_receiver(&fanin, &rx, 1), EXO_ALREADY_EXISTS);
    from.rx = &rx;
    assert_int_equal(exo_fanin_recv(&fanin, &message, &from), EXO_TYPE_MISMATCH);
    assert_null(from.rx);
    from.rx = &rx;
    assert_int_equal(exo_fanin_recv_inline(&crowd.fanin, NULL, 0, &from), EXO_TYPE_MISMATCH);
    assert_null(from.rx);
    assert_int_equal(exo_fanin_remove_receiver(&fanin, &rx), EXO_OK);
    assert_int_equal(exo_fanin_add(&fanin, crowd.two[0].b, 1), EXO_OK); /* which is in two now: the caller's affair */
    assert_int_equal(exo_receiver_close(&rx), EXO_OK);
    exo_ring_destroy(&ring);
    config.mode = EXO_MPSC;
    assert_int_equal(exo_ring_create(&ring, &config, NULL, NULL), EXO_OK);
    assert_int_equal(exo_ring_receiver(&ring, &rx), EXO_OK);
    assert_int_equal(exo_fanin_init(&fanin, place, 1), EXO_OK);
    assert_int_equal(exo_fanin_add_receiver(&fanin, &rx, 1), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_receiver_close(&rx), EXO_OK);
    exo_ring_destroy(&ring);
    scatter(&crowd);
}

static void requests_of_all_are_answered_to_who_made_them(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_call calls[LANES][3];
        struct exo_fanin_from from;
        struct exo_message message;
        struct crowd crowd;
        exo_u32 i;
        gather(&crowd, &ways[w], LANES);
        for (i = 0; i < 3 * LANES; i++) {
            exo_u8 byte = (exo_u8)i;
            assert_int_equal(
                exo_call_send(crowd.two[i / 3].a, &calls[i / 3][i % 3], NO_HEADER, &byte, 1, EXO_FOREVER), EXO_OK);
        }
        while (exo_fanin_recv(&crowd.fanin, &message, &from) == EXO_OK) {
            exo_u8 byte = (exo_u8)(*(const exo_u8 *)exo_message_payload(&message) + 100);
            assert_int_equal(exo_reply(from.channel, &message.header, &byte, 1), EXO_OK);
            assert_int_equal(exo_channel_release(from.channel, &message), EXO_OK);
        }
        for (i = 0; i < 3 * LANES; i++) {
            struct exo_call *call = &calls[i / 3][i % 3];
            assert_int_equal(exo_call_poll(crowd.two[i / 3].a, call), EXO_OK);
            assert_int_equal(*(const exo_u8 *)exo_message_payload(&call->answer), i + 100);
            assert_int_equal(exo_call_release(crowd.two[i / 3].a, call), EXO_OK);
        }
        scatter(&crowd);
    }
}

static void a_burst_is_of_one_lane_and_no_longer_than_its_turn(void **state)
{
    static struct exo_message messages[2 * IN_A_ROW];
    static const exo_i64 lots[] = {3, 16, 5, 16, 8}; /* lane 1, then 0 and 2 in turn */
    static const exo_u64 keys[] = {101, 102, 100, 102, 102};
    struct exo_fanin_from from;
    struct crowd crowd;
    exo_u32 i;
    exo_i64 k;
    (void)state;
    gather(&crowd, &ways[3], 3);
    assert_int_equal(exo_fanin_recv_burst(&crowd.fanin, messages, 0, &from), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_fanin_recv_burst(&crowd.fanin, messages, 4, &from), EXO_EMPTY);
    say(&crowd, 0, 5);
    say(&crowd, 1, 3);
    say(&crowd, 2, 40);
    for (i = 0; i < 5; i++) {
        exo_i64 got = exo_fanin_recv_burst(&crowd.fanin, messages, 2 * IN_A_ROW, &from);
        assert_int_equal(got, lots[i]);
        assert_int_equal(from.key, keys[i]);
        for (k = 0; k < got; k++) {
            (void)heard(&crowd, &messages[k], &from);
        }
    }
    assert_int_equal(exo_fanin_recv_burst(&crowd.fanin, messages, 4, &from), EXO_EMPTY);
    say(&crowd, 0, 5);
    assert_int_equal(exo_fanin_recv_burst(&crowd.fanin, messages, 2, &from), 2);
    scatter(&crowd);
}

/* A lane that rests is watched by words of the ring: whoever receives from it directly does not blind the fan-in. */
static void receiving_beside_the_fanin_loses_nothing(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        exo_u32 urgent;
        struct crowd crowd;
        struct exo_message message;
        struct exo_fanin_from from;
        gather(&crowd, &ways[w], 2);
        for (urgent = 0; urgent < 2; urgent++) {
            exo_u32 turn;
            while (hear(&crowd) != EXO_EMPTY) {
            }
            assert_true(exo_fanin_rests_pvt(&crowd.places[1]));
            assert_int_equal(send_byte(crowd.two[1].a, (exo_u8)urgent, 9), EXO_OK);
            assert_int_equal(receive_byte(crowd.two[1].b), 9);
            assert_int_equal(send_byte(crowd.two[1].a, (exo_u8)urgent, 10), EXO_OK);
            say(&crowd, 0, IN_A_ROW + 1);
            for (turn = 0; turn <= IN_A_ROW; turn++) { /* the other one always has something */
                assert_int_equal(exo_fanin_recv(&crowd.fanin, &message, &from), EXO_OK);
                if (from.key == 101) {
                    break;
                }
                (void)heard(&crowd, &message, &from);
            }
            assert_int_equal(from.key, 101);
            assert_int_equal(*(const exo_u8 *)exo_message_payload(&message), 10);
        }
        scatter(&crowd);
    }
}

/* Bare rings. */
struct rings {
    struct exo_ring ring[LANES];
    struct exo_sender tx[LANES];
    struct exo_receiver rx[LANES];
    struct exo_fanin fanin;
    struct exo_fanin_lane places[LANES];
};

static void gather_rings(struct rings *rings, exo_u32 mode, exo_u64 start)
{
    struct exo_ring_config config = {0};
    exo_u32 i;
    memset(rings, 0, sizeof(*rings));
    config.slots = 64;
    config.mode = mode;
    config.start = start;
    assert_int_equal(exo_fanin_init(&rings->fanin, rings->places, LANES), EXO_OK);
    for (i = 0; i < LANES; i++) {
        assert_int_equal(exo_ring_create(&rings->ring[i], &config, NULL, NULL), EXO_OK);
        assert_int_equal(exo_ring_sender(&rings->ring[i], &rings->tx[i]), EXO_OK);
        assert_int_equal(exo_ring_receiver(&rings->ring[i], &rings->rx[i]), EXO_OK);
        assert_int_equal(exo_fanin_add_receiver(&rings->fanin, &rings->rx[i], i), EXO_OK);
    }
}

static void scatter_rings(struct rings *rings)
{
    exo_u32 i;
    for (i = 0; i < LANES; i++) {
        (void)exo_sender_close(&rings->tx[i]);
        (void)exo_receiver_close(&rings->rx[i]);
        exo_ring_destroy(&rings->ring[i]);
    }
}

static const exo_u64 starts[] = {0, 0xFFFFFFE0ull};

/* The length of a message: all whole lines, or any. */
static exo_size ring_message(exo_u32 any, exo_u64 number)
{
    return any != 0 ? 8 + 8 * (exo_size)(number % 7) : EXO_INLINE_THRESHOLD;
}

static void rings_take_turns_too(void **state)
{
    exo_u64 seed = 3;
    exo_u32 s;
    (void)state;
    for (s = 0; s < 2; s++) {
        exo_u64 sent[LANES] = {0};
        exo_u64 got[LANES] = {0};
        exo_u32 between[LANES] = {0};
        struct exo_fanin_from from;
        struct rings rings;
        exo_u32 turn;
        exo_u32 i;
        gather_rings(&rings, EXO_SPSC, starts[s]);
        for (turn = 0; turn < 6000; turn++) {
            exo_u64 words[7] = {0};
            exo_i64 len;
            for (i = 0; i < LANES; i++) { /* the first two flood */
                while (sent[i] - got[i] < 60 && (i < 2 || random_below(&seed, 12) == 0)) {
                    words[0] = sent[i];
                    assert_int_equal(exo_send_inline(&rings.tx[i], words, ring_message(s, sent[i])), EXO_OK);
                    sent[i]++;
                }
            }
            len = exo_fanin_recv_inline(&rings.fanin, words, sizeof(words), &from);
            assert_true(len > 0 && from.key < LANES);
            assert_ptr_equal(from.rx, &rings.rx[from.key]);
            assert_null(from.channel);
            assert_int_equal(words[0], got[from.key]);
            assert_int_equal(len, ring_message(s, words[0]));
            got[from.key]++;
            for (i = 0; i < LANES; i++) {
                between[i] = i == from.key || sent[i] == got[i] ? 0 : between[i] + 1;
                assert_true(between[i] <= (LANES - 1) * IN_A_ROW);
            }
        }
        scatter_rings(&rings);
    }
}

static void a_message_that_does_not_fit_stays_and_ends_the_turn(void **state)
{
    struct exo_fanin_from from;
    struct exo_viewed view;
    struct rings rings;
    exo_u8 bytes[56];
    (void)state;
    gather_rings(&rings, EXO_SPSC, starts[1]);
    assert_int_equal(exo_send_inline(&rings.tx[1], "0123456789", 10), EXO_OK);
    assert_int_equal(exo_send(&rings.tx[2], rings.places, 200), EXO_OK); /* by reference */
    assert_int_equal(exo_send_inline(&rings.tx[3], "3", 1), EXO_OK);
    assert_int_equal(exo_send_inline(&rings.tx[3], "3", 1), EXO_OK);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 8, &from), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(from.key, 1);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 8, &from), EXO_TYPE_MISMATCH);
    assert_ptr_equal(from.rx, &rings.rx[2]);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 8, &from), 1);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 8, &from), 1);
    assert_int_equal(from.key, 3);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 8, &from), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 10, &from), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_view(from.rx, &view), EXO_OK);
    assert_int_equal(view.len, 200);
    assert_int_equal(exo_release(from.rx, &view), EXO_OK);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 10, &from), 10);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 10, &from), EXO_EMPTY);
    assert_int_equal(exo_fanin_count(&rings.fanin), LANES);
    scatter_rings(&rings);
}

static void packed_items_and_bursts_keep_their_order(void **state)
{
    exo_u32 s;
    (void)state;
    for (s = 0; s < 2; s++) {
        exo_u64 sent[LANES] = {0};
        exo_u64 got[LANES] = {0};
        exo_u64 items[40];
        exo_u32 lengths[40];
        struct exo_fanin_from from;
        struct rings rings;
        exo_u32 turn;
        gather_rings(&rings, EXO_SPSC, starts[s]);
        for (turn = 0; turn < 500; turn++) {
            exo_u32 i = turn % LANES;
            exo_u32 k;
            exo_i64 count;
            for (k = 0; k < 40; k++) {
                items[k] = sent[i] + k;
            }
            count = exo_send_burst(&rings.tx[i], items, 8, 1 + turn % 40);
            assert_true(count > 0);
            sent[i] += (exo_u64)count;
            count = turn % 2 != 0 ? exo_fanin_recv_inline_burst(&rings.fanin, items, 8, 40, lengths, &from)
                                  : (exo_i64)(exo_fanin_recv_inline(&rings.fanin, items, 8, &from) == 8);
            assert_true(count >= 1 && count <= (exo_i64)IN_A_ROW);
            for (k = 0; k < (exo_u32)count; k++) {
                assert_int_equal(items[k], got[from.key]++);
            }
            while (turn % 8 == 7 && (count = exo_fanin_recv_inline_burst(&rings.fanin, items, 8, 9, NULL, &from)) > 0) {
                for (k = 0; k < (exo_u32)count; k++) {
                    assert_int_equal(items[k], got[from.key]++);
                }
            }
        }
        assert_int_equal(exo_fanin_recv_inline_burst(&rings.fanin, items, 8, 0, NULL, &from), EXO_INVALID_ARGUMENT);
        scatter_rings(&rings);
    }
}

static void the_end_of_a_ring_is_told_once(void **state)
{
    struct exo_fanin_from from;
    struct rings rings;
    exo_u8 bytes[56];
    (void)state;
    gather_rings(&rings, EXO_SPSC, starts[1]);
    assert_int_equal(exo_send_inline(&rings.tx[4], "x", 1), EXO_OK);
    assert_int_equal(exo_sender_close(&rings.tx[4]), EXO_OK);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 56, &from), 1);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 56, &from), EXO_CLOSED);
    assert_int_equal(from.key, 4);
    assert_int_equal(exo_fanin_recv_inline(&rings.fanin, bytes, 56, &from), EXO_EMPTY);
    assert_int_equal(exo_fanin_count(&rings.fanin), LANES - 1);
    scatter_rings(&rings);
}

/* A thread that does something once the receiver sleeps, or says it does. */
struct helper {
    struct crowd *crowd;
    const exo_u32 *waiters; /* of the lane that is slept for */
    exo_u32 lane;
    exo_u32 what; /* 0: sends, 1: sends something urgent, 2: closes */
};

static void *help(void *argument)
{
    struct helper *helper = (struct helper *)argument;
    struct two_ends *two = &helper->crowd->two[helper->lane];
    struct timespec moment = {0, 2000000};
    exo_u32 tries;
    for (tries = 0; tries < 5000 && (exo_load32(helper->waiters, EXO_RELAXED) & EXO_WAIT_ASLEEP) == 0; tries++) {
        struct timespec pause = {0, 100000};
        (void)nanosleep(&pause, NULL);
    }
    (void)nanosleep(&moment, NULL);
    if (helper->what == 2) {
        exo_channel_close(two->a);
    } else {
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        header.priority = (exo_u8)helper->what;
        if (exo_channel_send(two->a, &header, "w", 1) != EXO_OK) {
            abort();
        }
    }
    return NULL;
}

static void a_sleeping_receiver_is_woken_by_any_lane(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct crowd crowd;
        exo_u32 turn;
        gather(&crowd, &ways[w], LANES);
        for (turn = 0; turn < 3 * LANES; turn++) {
            struct helper helper = {&crowd, crowd.two[turn % LANES].b->rx[0].sleeper.waiters, turn % LANES, turn / LANES};
            struct exo_message message;
            struct exo_fanin_from from;
            pthread_t thread;
            exo_u64 begun = exo_port_now_ns();
            exo_status status;
            assert_int_equal(pthread_create(&thread, NULL, help, &helper), 0);
            status = exo_fanin_recv_blocking(&crowd.fanin, &message, &from, begun + 20000 * MILLISECOND);
            assert_int_equal(status, turn / LANES == 2 ? EXO_CLOSED : EXO_OK);
            assert_int_equal(from.key, 100 + turn % LANES);
            assert_true(exo_port_now_ns() - begun < 15000 * MILLISECOND);
            assert_int_equal(pthread_join(thread, NULL), 0);
        }
        assert_int_equal(exo_fanin_count(&crowd.fanin), 0);
        scatter(&crowd);
    }
}

static void who_sleeps_often_asks_for_fences_and_stops_when_busy(void **state)
{
    struct exo_message message;
    struct exo_fanin_from from;
    struct crowd crowd;
    struct exo_sleeper *sleeper;
    exo_u32 i;
    (void)state;
    gather(&crowd, &ways[0], 2);
    sleeper = &crowd.two[1].b->rx[0].sleeper;
    for (i = 0; i < 2 * EXO_PARKED_OFTEN; i++) {
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, exo_port_now_ns() + 100000), EXO_TIMEOUT);
    }
    assert_true((exo_load32(sleeper->waiters, EXO_RELAXED) & EXO_WAIT_FENCE) != 0);
    for (i = 0; i < 3 * EXO_PARKED_OFTEN; i++) {
        say(&crowd, 1, 1);
        assert_int_equal(hear(&crowd), 1);
    }
    assert_true((exo_load32(sleeper->waiters, EXO_RELAXED) & EXO_WAIT_FENCE) == 0);
    for (i = 0; i < 2 * EXO_PARKED_OFTEN; i++) { /* what comes after a sleep is no sign of being busy */
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, exo_port_now_ns() + 100000), EXO_TIMEOUT);
        say(&crowd, 1, 1);
        assert_int_equal(hear(&crowd), 1);
    }
    assert_true(sleeper->parked >= EXO_PARKED_OFTEN);
    scatter(&crowd);
}

static exo_i64 says_yes(void *object)
{
    (void)object;
    return EXO_OK;
}

static void waiting_ends_at_its_deadline(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_message message;
        struct exo_fanin_from from;
        struct crowd crowd;
        exo_u64 deadline = exo_port_now_ns() + SOON_NS;
        exo_word64 *line;
        gather(&crowd, &ways[w], LANES);
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, deadline), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() >= deadline);
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, EXO_NOW), EXO_WOULD_BLOCK);
        line = exo_tx_line_pvt(&crowd.two[2].a->tx[0], crowd.two[2].a->tx[0].pos);
        exo_line_commit_pvt(line, exo_control_pvt(crowd.two[2].a->tx[0].pos, EXO_KIND_NONE, 0)); /* neither here nor there */
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, EXO_NOW), EXO_WOULD_BLOCK);
        deadline = exo_port_now_ns() + SOON_NS;
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, deadline), EXO_TIMEOUT);
        crowd.places[5].item.look = says_yes; /* as a slot that is there for who looks, and not for who receives */
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, EXO_NOW), EXO_WOULD_BLOCK);
        deadline = exo_port_now_ns() + SOON_NS;
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, deadline), EXO_TIMEOUT);
        say(&crowd, 1, 1);
        assert_int_equal(exo_fanin_recv_blocking(&crowd.fanin, &message, &from, 1), EXO_OK); /* one attempt all the same */
        scatter(&crowd);
    }
}

static void a_polled_lane_is_looked_at_and_not_slept_for(void **state)
{
    struct exo_fanin_from from;
    struct exo_waitable item;
    struct rings rings;
    exo_u8 bytes[56];
    (void)state;
    gather_rings(&rings, EXO_SPSC | EXO_POLLED, 0);
    exo_waitable_fanin(&item, &rings.fanin);
    assert_int_equal(exo_wait_many(&item, 1, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_wait_many(&item, 1, EXO_FOREVER), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_fanin_recv_inline_blocking(&rings.fanin, bytes, 56, &from, EXO_FOREVER), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_send_inline(&rings.tx[6], "x", 1), EXO_OK);
    assert_int_equal(exo_wait_many(&item, 1, EXO_FOREVER), 1);
    assert_int_equal(exo_fanin_recv_inline_blocking(&rings.fanin, bytes, 56, &from, EXO_FOREVER), 1);
    assert_int_equal(from.key, 6);
    scatter_rings(&rings);
}

static void a_fanin_is_waited_for_among_other_things(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_waitable items[2];
        struct crowd crowd;
        struct exo_channel *other;
        exo_u32 i;
        gather(&crowd, &ways[w], 0);
        other = crowd.two[7].b;
        exo_waitable_fanin(&items[0], &crowd.fanin);
        exo_waitable_channel(&items[1], other);
        assert_int_equal(exo_wait_many(items, 2, exo_port_now_ns() + MILLISECOND), EXO_TIMEOUT); /* no lanes yet */
        for (i = 0; i < LANES - 1; i++) {
            struct helper helper = {&crowd, crowd.two[i].b->rx[0].sleeper.waiters, i, i % 3};
            pthread_t thread;
            assert_int_equal(exo_fanin_add(&crowd.fanin, crowd.two[i].b, 100 + i), EXO_OK);
            assert_int_equal(pthread_create(&thread, NULL, help, &helper), 0);
            assert_int_equal(exo_wait_many(items, 2, exo_port_now_ns() + 20000 * MILLISECOND), 1);
            assert_int_equal(items[0].events, EXO_READABLE);
            assert_int_equal(items[1].events, 0);
            assert_int_equal(pthread_join(thread, NULL), 0);
            if (i % 3 == 2) {
                assert_int_equal(hear(&crowd), EXO_CLOSED);
            } else {
                assert_int_equal(receive_byte(crowd.two[i].b), 'w');
            }
            assert_int_equal(hear(&crowd), EXO_EMPTY);
        }
        assert_int_equal(send_byte(crowd.two[7].a, 0, 1), EXO_OK);
        assert_int_equal(exo_wait_many(items, 2, EXO_FOREVER), 1);
        assert_int_equal(items[1].events, EXO_READABLE);
        scatter(&crowd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_comes_once_in_order_and_says_where_from),
        cmocka_unit_test(a_flood_of_one_takes_no_more_than_its_turns),
        cmocka_unit_test(turns_end_when_a_lane_is_empty_or_has_had_its_share),
        cmocka_unit_test(what_is_urgent_comes_first_within_its_lane),
        cmocka_unit_test(a_resting_lane_is_heard_in_its_turn_when_something_urgent_comes),
        cmocka_unit_test(lanes_come_and_go_while_others_flow),
        cmocka_unit_test(the_others_keep_their_order_when_a_lane_goes),
        cmocka_unit_test(the_end_of_a_lane_is_told_once_behind_its_last_message),
        cmocka_unit_test(the_end_of_a_lane_is_found_while_others_flow),
        cmocka_unit_test(all_lanes_may_end_and_others_come),
        cmocka_unit_test(bad_lanes_are_refused),
        cmocka_unit_test(requests_of_all_are_answered_to_who_made_them),
        cmocka_unit_test(a_burst_is_of_one_lane_and_no_longer_than_its_turn),
        cmocka_unit_test(receiving_beside_the_fanin_loses_nothing),
        cmocka_unit_test(rings_take_turns_too),
        cmocka_unit_test(a_message_that_does_not_fit_stays_and_ends_the_turn),
        cmocka_unit_test(packed_items_and_bursts_keep_their_order),
        cmocka_unit_test(the_end_of_a_ring_is_told_once),
        cmocka_unit_test(a_sleeping_receiver_is_woken_by_any_lane),
        cmocka_unit_test(who_sleeps_often_asks_for_fences_and_stops_when_busy),
        cmocka_unit_test(waiting_ends_at_its_deadline),
        cmocka_unit_test(a_polled_lane_is_looked_at_and_not_slept_for),
        cmocka_unit_test(a_fanin_is_waited_for_among_other_things),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
