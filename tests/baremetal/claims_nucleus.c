/* SPDX-License-Identifier: MIT */
/*
 * The nucleus behind the system call: processes in ring 3 that share memory by it, pass capabilities, and end.
 */
#include "claims.h"
#include "nucleus.h"
#include "subject.h"
#include "user/exchange.h"

extern const char program_exchange[], program_exchange_end[], program_subject[], program_subject_end[];

const struct program programs[] = {
    {"exchange", program_exchange, program_exchange_end},
    {"subject", program_subject, program_subject_end},
};
const exo_u32 program_count = 2;

exo_status begin_program(exo_u32 number, exo_u64 argument, struct process **process)
{
    const struct program *at = &programs[number];
    exo_status status =
        process_create(at->name, at->image, (exo_size)(at->image_end - at->image), argument, process);
    if (status == EXO_OK) {
        thread_start((*process)->thread);
    }
    return status;
}

exo_status run_program(exo_u32 number, exo_u64 argument, struct process_end *end)
{
    struct process *process;
    exo_status status = begin_program(number, argument, &process);
    if (status == EXO_OK && !process_join(process, BY_THEN, end)) {
        status = EXO_TIMEOUT;
    }
    if (status == EXO_OK && (end->vector != PROCESS_EXIT || (end->code != 0 && end->code < EXCHANGE_DONE))) {
        print("%s %u: vector %u, address %x, rip %x, code %u\n", programs[number].name, argument & 0xFF,
              NUMBER(end->vector), end->address, end->rip, NUMBER(end->code));
    }
    return status;
}

/* True if nothing is charged to anybody. */
exo_bool nothing_is_charged(void)
{
    exo_u32 kind;
    for (kind = 0; kind < EXO_QUOTA_KINDS; kind++) {
        if (exo_quota_used(&kernel_nucleus.root, kind) != 0) {
            print("kind %u: %u\n", NUMBER(kind), exo_quota_used(&kernel_nucleus.root, kind));
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/* An act that ends well, and leaves nothing behind. */
static const char *ends_well(exo_u64 act)
{
    struct process_end end;
    REQUIRE(run_program(PROGRAM_SUBJECT, SUBJECT_ARGUMENT(act, 0), &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT && end.code == 0);
    REQUIRE(nothing_is_charged());
    return CLAIM_OK;
}

static const char *two_processes_exchange_messages_and_loans_through_pages_alone(void)
{
    struct process_end end;
    REQUIRE(run_program(PROGRAM_EXCHANGE, EXCHANGE_ASK(PROGRAM_EXCHANGE), &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT && end.code >= EXCHANGE_DONE);
    REQUIRE(nothing_is_charged());
    return CLAIM_OK;
}

static const char *what_was_granted_to_read_cannot_be_written(void)
{
    return ends_well(SUBJECT_READ_ONLY);
}

static const char *what_is_revoked_faults_from_then_on(void)
{
    return ends_well(SUBJECT_REVOKE);
}

static const char *the_sender_of_a_message_cannot_be_forged(void)
{
    return ends_well(SUBJECT_SENDER);
}

static const char *what_is_beyond_a_quota_is_refused(void)
{
    return ends_well(SUBJECT_QUOTA);
}

static const char *who_waits_for_a_process_that_faults_is_told(void)
{
    return ends_well(SUBJECT_PEER_DIES);
}

static const char *who_sends_to_a_process_that_faults_is_told(void)
{
    return ends_well(SUBJECT_TALK);
}

static const char *who_scribbles_over_his_half_of_the_rings_harms_nobody(void)
{
    return ends_well(SUBJECT_SCRIBBLE);
}

static const char *who_gives_itself_out_for_another_is_not_joined(void)
{
    return ends_well(SUBJECT_LIAR);
}

static const char *a_server_answers_several_clients(void)
{
    return ends_well(SUBJECT_SERVER);
}

static const char *a_broadcast_reaches_several_processes(void)
{
    return ends_well(SUBJECT_CAST);
}

const struct claim claims_nucleus[] = {
    CLAIM(two_processes_exchange_messages_and_loans_through_pages_alone),
    CLAIM(what_was_granted_to_read_cannot_be_written),
    CLAIM(what_is_revoked_faults_from_then_on),
    CLAIM(the_sender_of_a_message_cannot_be_forged),
    CLAIM(what_is_beyond_a_quota_is_refused),
    CLAIM(who_waits_for_a_process_that_faults_is_told),
    CLAIM(who_sends_to_a_process_that_faults_is_told),
    CLAIM(who_scribbles_over_his_half_of_the_rings_harms_nobody),
    CLAIM(who_gives_itself_out_for_another_is_not_joined),
    CLAIM(a_server_answers_several_clients),
    CLAIM(a_broadcast_reaches_several_processes),
    CLAIMS_END,
};
