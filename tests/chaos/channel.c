/* SPDX-License-Identifier: MIT */
/*
 * Channels: a client or a server is killed at any instant while messages of both priorities, of any size, and calls are
 * under way. The survivor is this process. Each lane's messages are numbered and fill their payload with the number.
 */
#include "chaos.h"

#define LANES 3u /* ordinary, urgent, calls */
#define CALLS 2u
#define CALLS_IN_FLIGHT 4u

/* What a victim has done, by lane, in a page that outlives it. */
struct log {
    struct note note;
    exo_word64 begun[LANES]; /* client: before it sends; server: as it answers */
    exo_word64 done[LANES];  /* client: sent; server: received */
};

struct channel_plan {
    struct exo_channel_config config;
    exo_bool serves; /* the victim; its survivor is the client then */
    exo_u32 delay_us;
    exo_u64 random;
    struct log *log;
    int socket;
    int other;
};

static struct log *log_page;
static struct log own;

static exo_size size_of(exo_u64 number)
{
    return number % 5 == 0 ? 200 + number % 1000 : 8 + number % 49;
}

static void write_number(exo_u8 *data, exo_size size, exo_u64 number)
{
    exo_size i;
    for (i = 0; i < size; i++) {
        data[i] = (exo_u8)(number >> (i % 8 * 8)) ^ (exo_u8)(i / 8);
    }
}

static exo_bool shows_number(struct exo_message *message, exo_u64 number)
{
    const exo_u8 *data = (const exo_u8 *)exo_message_payload(message);
    exo_size i;
    for (i = 0; i < exo_message_size(message); i++) {
        if (data[i] != ((exo_u8)(number >> (i % 8 * 8)) ^ (exo_u8)(i / 8))) {
            return EXO_FALSE;
        }
    }
    return exo_message_size(message) == size_of(number);
}

/* The client: a message of either priority, or a call whose answer comes before the next but three. */
struct client_side {
    struct exo_channel *channel;
    struct log *log;
    struct exo_call call[CALLS_IN_FLIGHT];
    exo_u64 asked[CALLS_IN_FLIGHT]; /* the number; 0: no call */
    exo_u64 random;
};

static exo_status take_answer(struct client_side *client, exo_u32 at)
{
    exo_status status = exo_call_wait(client->channel, &client->call[at]);
    if (status == EXO_OK) {
        MUST(shows_number(&client->call[at].answer, client->asked[at] + 1));
        status = exo_call_release(client->channel, &client->call[at]);
        MUST(status == EXO_OK);
    }
    client->asked[at] = 0;
    return status;
}

static exo_status send_next(struct client_side *client, exo_u32 lane)
{
    static exo_u8 data[2048];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    struct exo_message message;
    exo_u64 number = exo_load64(&client->log->begun[lane], EXO_RELAXED) + 1;
    exo_size size = size_of(number);
    exo_u32 at = (exo_u32)number % CALLS_IN_FLIGHT;
    exo_status status = EXO_OK;
    header.priority = lane == 1 ? 7 : 0;
    if (lane == CALLS && client->asked[at] != 0) {
        status = take_answer(client, at);
    }
    if (status != EXO_OK) {
        return status;
    }
    exo_store64(&client->log->begun[lane], number, EXO_RELEASE);
    if (lane == CALLS) {
        write_number(data, size, number);
        status = exo_call_send_blocking(client->channel, &client->call[at], NULL, data, size, EXO_FOREVER);
        client->asked[at] = status == EXO_OK ? number : 0;
    } else if (random_below(&client->random, 2) == 0) {
        write_number(data, size, number);
        status = exo_channel_send_blocking(client->channel, &header, data, size, EXO_FOREVER);
    } else {
        status = exo_channel_loan_blocking(client->channel, &message, &header, size, EXO_FOREVER);
        if (status == EXO_OK) {
            write_number((exo_u8 *)exo_message_payload(&message), size, number);
            status = exo_channel_send_message_blocking(client->channel, &message, EXO_FOREVER);
            MUST(status == EXO_OK || exo_channel_drop(client->channel, &message) == EXO_OK);
        }
    }
    if (status == EXO_OK) {
        exo_store64(&client->log->done[lane], number, EXO_RELEASE);
    }
    return status;
}

static exo_status client_runs(struct exo_channel *channel, struct log *log, exo_u64 random)
{
    struct client_side client;
    exo_status status = EXO_OK;
    exo_u32 at;
    memset(&client, 0, sizeof(client));
    client.channel = channel;
    client.log = log;
    client.random = random;
    note_phase(&log->note, PHASE_SEND);
    while (status == EXO_OK) {
        status = send_next(&client, random_below(&client.random, LANES));
    }
    for (at = 0; at < CALLS_IN_FLIGHT; at++) {
        exo_status over = client.asked[at] == 0 ? EXO_PEER_DIED : take_answer(&client, at);
        MUST(over == EXO_PEER_DIED || over == EXO_OK); /* what was answered before the death */
    }
    return status;
}

/* The server: each lane's next number, answered if it is a call; some are kept for a while. */
static exo_status serve_one(struct exo_channel *channel, struct log *log)
{
    static exo_u8 data[2048];
    struct exo_message message;
    exo_u32 lane;
    exo_u64 number;
    exo_status status = exo_channel_recv_blocking(channel, &message, EXO_FOREVER);
    if (status != EXO_OK) {
        return status;
    }
    lane = message.header.msg_type == EXO_MESSAGE_REQUEST ? CALLS : message.header.priority != 0;
    number = exo_load64(&log->done[lane], EXO_RELAXED) + 1;
    MUST(shows_number(&message, number));
    MUST(message.header.sender == channel->peer);
    exo_store64(&log->done[lane], number, EXO_RELEASE);
    if (lane == CALLS) {
        write_number(data, size_of(number + 1), number + 1);
        exo_store64(&log->begun[lane], number, EXO_RELEASE);
        status = exo_reply_blocking(channel, &message.header, data, size_of(number + 1), EXO_FOREVER);
    }
    MUST(exo_channel_release(channel, &message) == EXO_OK);
    return status == EXO_PEER_DIED || status == EXO_CLOSED ? EXO_OK : status; /* what it had sent comes first */
}

static exo_status server_runs(struct exo_channel *channel, struct log *log)
{
    exo_status status = EXO_OK;
    note_phase(&log->note, PHASE_RECEIVE);
    while (status == EXO_OK) {
        status = serve_one(channel, log);
    }
    return status;
}

static void victim_lives(void *argument)
{
    const struct channel_plan *plan = (const struct channel_plan *)argument;
    static struct exo_channel_end end;
    (void)close(plan->other);
    die_at(&plan->log->note, exo_port_now_ns() + plan->delay_us * 1000ull);
    note_phase(&plan->log->note, PHASE_OPEN);
    MUST(exo_channel_open(&end, plan->socket, &plan->config, EXO_FOREVER) == EXO_OK);
    if (plan->serves) {
        (void)server_runs(&end.channel, plan->log);
    } else {
        (void)client_runs(&end.channel, plan->log, plan->random);
    }
    MUST(exo_load32(&plan->log->note.phase, EXO_RELAXED) == PHASES); /* the survivor ended first */
}

/* All that the victim had sent has come, and at most what it was sending; all that it received had been sent. */
static void judge(const struct channel_plan *plan)
{
    exo_u32 lane;
    for (lane = 0; lane < LANES; lane++) {
        if (plan->serves) {
            MUST(plan->log->done[lane] <= own.begun[lane]);
        } else {
            MUST(own.done[lane] == plan->log->done[lane] || own.done[lane] == plan->log->begun[lane]);
        }
        chaos.messages += own.done[lane];
    }
}

static void kill_one(struct channel_plan *plan)
{
    static struct exo_channel_end end;
    exo_status status;
    int sockets[2];
    pid_t child;
    MUST(exo_pair(sockets) == EXO_OK);
    plan->other = sockets[0];
    plan->socket = sockets[1];
    child = start_child(victim_lives, plan);
    MUST(close(sockets[1]) == 0);
    status = exo_channel_open(&end, sockets[0], &plan->config, EXO_FOREVER);
    if (status == EXO_OK) {
        status = plan->serves ? client_runs(&end.channel, &own, ~plan->random) : server_runs(&end.channel, &own);
        MUST(end.channel.unanswered == 0);
        MUST(exo_loans_outstanding(&end.channel.tx[EXO_LANE_MAIN]) == 0);
    }
    MUST(status == EXO_PEER_DIED);
    hear(&plan->log->note, exo_port_now_ns(), EXO_FALSE);
    bury(child, &plan->log->note);
    judge(plan);
    exo_channel_end_close(&end);
}

static void channel_scene(exo_u32 kills, exo_bool serves)
{
    exo_u32 until = chaos.kills + kills;
    struct held before;
    (void)alarm(WATCHDOG_S);
    log_page = log_page == NULL ? (struct log *)shared_page(sizeof(*log_page)) : log_page;
    before = count_held();
    while (chaos.kills < until) {
        exo_u64 random = chaos.seed ^ (exo_u64)chaos.scene << 56 ^ (exo_u64)chaos.index * 0x9E3779B97F4A7C15ull;
        struct channel_plan plan;
        struct held now;
        (void)alarm(WATCHDOG_S);
        memset(&plan, 0, sizeof(plan));
        memset(log_page, 0, sizeof(*log_page));
        memset(&own, 0, sizeof(own));
        plan.log = log_page;
        plan.serves = serves;
        plan.log->note.receiver = serves;
        plan.random = random_below(&random, 0xFFFFFFFFu);
        plan.delay_us = SLOW(300u + random_below(&random, 2500));
        plan.config.ring.slots = 8u << random_below(&random, 4);
        plan.config.ring.profile = chaos.index % 2 != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE;
        plan.config.ring.arena_size = 16384;
        plan.config.ring.start = chaos.index / 2 % 2 != 0 ? NEAR_WRAP : 0;
        plan.config.ring.spin = random_below(&random, 2) * 50;
        plan.config.calls = CALLS_IN_FLIGHT;
        plan.config.urgent = 8;
        kill_one(&plan);
        now = count_held();
        MUST(now.descriptors == before.descriptors && now.segments == before.segments);
    }
}

void channel_client(exo_u32 kills)
{
    channel_scene(kills, EXO_FALSE);
}

void channel_server(exo_u32 kills)
{
    channel_scene(kills, EXO_TRUE);
}
