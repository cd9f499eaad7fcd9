/* SPDX-License-Identifier: MIT */
/*
 * Processes in ring 3: what they may do, what ends them, and that nothing else ends with them.
 */
#include "claims.h"
#include "user.h"

#define FREE_NOW()   (frames_counted().free_bytes)
#define IMAGE_BYTES  ((exo_size)(user_image_end - user_image))
#define ANY          0xFFFFu /* the emulator and the manual differ */
#define OVERFLOW_BEGIN (USER_END - 0x10000 - PAGE_BYTES)

exo_status run_user(exo_u64 argument, struct process_end *end)
{
    struct process *process;
    exo_status status = process_create("user", user_image, IMAGE_BYTES, argument, &process);
    if (status != EXO_OK) {
        return status;
    }
    thread_start(process->thread);
    return process_join(process, BY_THEN, end) ? EXO_OK : EXO_TIMEOUT;
}

static const char *a_process_exits_with_its_code(void)
{
    static const exo_i64 codes[] = {0, 1, -1, 1ll << 54, 77};
    struct process_end end;
    exo_u32 i;
    for (i = 0; i < 5; i++) {
        REQUIRE(run_user(USER_ARGUMENT(USER_EXIT, codes[i]), &end) == EXO_OK);
        REQUIRE(end.vector == PROCESS_EXIT && end.code == codes[i]);
    }
    return CLAIM_OK;
}

static const char *a_process_writes_to_the_serial_line(void)
{
    struct process_end end;
    REQUIRE(run_user(USER_WRITE, &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT && end.code == 18);
    return CLAIM_OK;
}

static const char *bad_calls_are_refused_and_registers_stay(void)
{
    struct process_end end;
    REQUIRE(run_user(USER_CALLS, &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT);
    if (end.code != 0) {
        print("user.c, line %u\n", NUMBER(end.code));
    }
    REQUIRE(end.code == 0);
    return CLAIM_OK;
}

/* What ends a process, by which exception, and with which error code. */
static const struct {
    exo_u64 argument;
    exo_u32 vector;
    exo_u32 error;
} faults[] = {
    {USER_ARGUMENT(USER_READ, 0), VECTOR_PAGE_FAULT, FAULT_USER},
    {USER_ARGUMENT(USER_READ, 0x300000000000), VECTOR_PAGE_FAULT, FAULT_USER},
    {USER_ARGUMENT(USER_STORE, USER_END), VECTOR_PAGE_FAULT, FAULT_USER | FAULT_WRITE},
    {USER_ARGUMENT(USER_READ, 0x800000000000), VECTOR_PROTECTION, 0},
    {USER_ARGUMENT(USER_JUMP, 0), VECTOR_PAGE_FAULT, FAULT_USER | FAULT_FETCH},
    {USER_ARGUMENT(USER_JUMP, 0x800000000000), VECTOR_PROTECTION, 0},
    {USER_STORE_TEXT, VECTOR_PAGE_FAULT, FAULT_USER | FAULT_WRITE | FAULT_PRESENT},
    {USER_RUN_STACK, VECTOR_PAGE_FAULT, FAULT_USER | FAULT_FETCH | FAULT_PRESENT},
    {USER_OVERFLOW, VECTOR_PAGE_FAULT, FAULT_USER | FAULT_WRITE},
    {USER_HALT, VECTOR_PROTECTION, 0},
    {USER_CLI, VECTOR_PROTECTION, 0},
    {USER_PORT, VECTOR_PROTECTION, 0},
    {USER_INT80, VECTOR_PROTECTION, ANY},
    {USER_INT_TIMER, VECTOR_PROTECTION, ANY},
    {USER_SGDT, VECTOR_PROTECTION, 0},
    {USER_RDMSR, VECTOR_PROTECTION, 0},
    {USER_CR3, VECTOR_PROTECTION, 0},
    {USER_VECTOR, 6, 0},
    {USER_X87, 7, 0},
    {USER_DIVIDE, 0, 0},
    {USER_UNDEFINED, 6, 0},
    {USER_BREAKPOINT, VECTOR_PROTECTION, ANY},
    {USER_TRAP_FLAG, VECTOR_DEBUG, 0},
};

static const char *every_fault_ends_the_process_and_only_that(void)
{
    exo_u64 before;
    exo_u32 round;
    exo_size i;
    struct process_end end;
    REQUIRE(run_user(USER_EXIT, &end) == EXO_OK);
    before = FREE_NOW();
    for (round = 0; round < 2; round++) {
        for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            exo_bool same;
            REQUIRE(run_user(faults[i].argument, &end) == EXO_OK);
            same = end.vector == faults[i].vector && (faults[i].error == ANY || faults[i].error == end.error);
            if (!same) {
                print("act %u: vector %u, error %x at %x, code %u\n", faults[i].argument & 0xFF, NUMBER(end.vector),
                      NUMBER(end.error), end.address, NUMBER(end.code));
            }
            REQUIRE(same);
            REQUIRE(faults[i].argument != USER_OVERFLOW ||
                    (end.address >= OVERFLOW_BEGIN && end.address < OVERFLOW_BEGIN + PAGE_BYTES));
        }
    }
    REQUIRE(FREE_NOW() + 8 * PAGE_BYTES >= before); /* tables of stacks further on */
    return CLAIM_OK;
}

static const char *odd_flags_and_segments_of_a_process_harm_nobody(void)
{
    struct process_end end;
    REQUIRE(run_user(USER_FLAGS, &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT && end.code == 0);
    REQUIRE(run_user(USER_SEGMENTS, &end) == EXO_OK);
    REQUIRE(end.vector == PROCESS_EXIT && end.code == 0);
    return CLAIM_OK;
}

#define FLAGS_OF_USERS (FLAGS_AC | FLAGS_DF | FLAGS_NT | FLAGS_TF)
#define FLAGS_RESUME   (1u << 16)

extern exo_i64 (*const system_calls[])(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);

static struct {
    exo_u32 calls;
    exo_u32 traps;
    exo_u64 flags; /* all that were set */
} entered;

/* The flags that the kernel runs with: at a breakpoint of the processor's at the begin of a call, and here. */
static exo_bool note_flags(struct trap_frame *frame, exo_uptr address)
{
    exo_u64 flags;
    (void)address;
    if (frame->vector == VECTOR_DEBUG && !trap_from_user(frame)) {
        entered.calls++;
        entered.flags |= frame->flags;
        frame->flags |= FLAGS_RESUME; /* or it comes again */
        return EXO_TRUE;
    }
    __asm__ __volatile__("pushfq; popq %0" : "=r"(flags) : : "memory");
    entered.traps += trap_from_user(frame);
    entered.flags |= flags;
    return EXO_FALSE;
}

static void set_breakpoint(void *argument)
{
    __asm__ __volatile__("mov %0, %%dr0; mov %1, %%dr7" : : "r"(argument), "r"(argument != EXO_NULL ? 1ull : 0ull));
}

static exo_bool set_breakpoints(void *address)
{
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        struct thread *thread = thread_create("breakpoint", set_breakpoint, address, 1u << i);
        if (thread == EXO_NULL) {
            return EXO_FALSE;
        }
        thread_start(thread);
        if (!thread_join(thread, BY_THEN)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

static const char *the_kernel_never_runs_with_the_flags_of_a_process(void)
{
    struct process_end end;
    exo_status status;
    trap_hook = note_flags;
    REQUIRE(set_breakpoints((void *)(exo_uptr)system_calls[CALL_NULL]));
    status = run_user(USER_FLAGS, &end);
    REQUIRE(set_breakpoints(EXO_NULL));
    REQUIRE(status == EXO_OK && end.vector == PROCESS_EXIT && end.code == 0);
    REQUIRE(entered.calls > 1000);
    REQUIRE((entered.flags & FLAGS_OF_USERS) == 0);
    REQUIRE(run_user(USER_FLAGS_FAULT, &end) == EXO_OK);
    REQUIRE(end.vector == 6 && entered.traps == 1);
    REQUIRE((entered.flags & FLAGS_OF_USERS) == 0);
    trap_hook = (exo_bool(*)(struct trap_frame *, exo_uptr))EXO_NULL;
    return CLAIM_OK;
}

static const char *kill_after(exo_u64 argument, exo_u64 nanoseconds)
{
    struct process *process;
    struct process_end end;
    REQUIRE(process_create("victim", user_image, IMAGE_BYTES, argument, &process) == EXO_OK);
    thread_start(process->thread);
    exo_port_block_current(exo_port_now_ns() + nanoseconds);
    process_kill(process);
    REQUIRE(process_join(process, BY_THEN, &end));
    REQUIRE(end.vector == PROCESS_KILLED);
    return CLAIM_OK;
}

static const char *a_process_can_be_killed_wherever_it_is(void)
{
    static const exo_u64 acts[] = {USER_SPIN, USER_YIELD, USER_WILD_STACK};
    exo_u64 before = FREE_NOW();
    exo_u32 i;
    for (i = 0; i < 90; i++) {
        const char *verdict = kill_after(acts[i % 3], i * 37 % 11 * (MS / 10));
        REQUIRE(verdict == CLAIM_OK);
    }
    REQUIRE(FREE_NOW() + 8 * PAGE_BYTES >= before);
    return CLAIM_OK;
}

static const char *many_processes_share_the_processors(void)
{
    enum { count = 24 };
    struct process *process[count];
    struct process_end end;
    exo_u32 i;
    for (i = 0; i < count; i++) {
        REQUIRE(process_create("counter", user_image, IMAGE_BYTES, USER_ARGUMENT(USER_COUNT, 500 + i), &process[i]) ==
                EXO_OK);
        thread_start(process[i]->thread);
    }
    for (i = 0; i < count; i++) {
        REQUIRE(process_join(process[i], BY_THEN, &end));
        REQUIRE(end.vector == PROCESS_EXIT && end.code == 500 + i);
    }
    return CLAIM_OK;
}

static const char *the_number_of_a_dead_process_names_no_other(void)
{
    struct process *process;
    struct process_end end;
    exo_u64 first;
    REQUIRE(exo_port_process_alive(exo_port_process())); /* the kernel's */
    REQUIRE(process_create("first", user_image, IMAGE_BYTES, USER_YIELD, &process) == EXO_OK);
    first = process->id;
    REQUIRE(exo_port_process_alive(first) && exo_port_process_alive(first & 0xFFFFFF));
    thread_start(process->thread);
    process_kill(process);
    REQUIRE(process_join(process, BY_THEN, &end));
    REQUIRE(!exo_port_process_alive(first) && !exo_port_process_alive(first & 0xFFFFFF));
    REQUIRE(process_create("second", user_image, IMAGE_BYTES, USER_EXIT, &process) == EXO_OK);
    REQUIRE((process->id & 0xFFFFFF) == (first & 0xFFFFFF) && process->id != first);
    REQUIRE(!exo_port_process_alive(first) && exo_port_process_alive(process->id));
    REQUIRE(!exo_port_process_alive(0) && !exo_port_process_alive(~0ull));
    thread_start(process->thread);
    REQUIRE(process_join(process, BY_THEN, &end));
    return CLAIM_OK;
}

static const char *without_memory_there_is_no_process_and_no_loss(void)
{
    exo_u64 before = FREE_NOW();
    exo_u64 fail;
    exo_u32 refused = 0;
    for (fail = 0; fail < 40; fail++) {
        struct process *process;
        struct process_end end;
        exo_status status;
        frames_fail_after(fail);
        status = process_create("none", user_image, IMAGE_BYTES, USER_EXIT, &process);
        frames_fail_after(~0ull);
        if (status == EXO_OK) {
            thread_start(process->thread);
            REQUIRE(process_join(process, BY_THEN, &end));
        } else {
            REQUIRE(status == EXO_NO_MEMORY);
            refused++;
        }
        REQUIRE(FREE_NOW() == before);
    }
    REQUIRE(refused > 8 && refused < 40);
    return CLAIM_OK;
}

/* Every header byte in turn, and short files. */
static const char *bad_programs_are_refused_whole(void)
{
    exo_u8 *copy = (exo_u8 *)exo_port_page_alloc(IMAGE_BYTES);
    exo_u64 before;
    exo_size at;
    exo_u32 refused = 0;
    REQUIRE(copy != EXO_NULL);
    before = FREE_NOW();
    for (at = 0; at < 64 + 4 * 56; at++) {
        struct process *process;
        __builtin_memcpy(copy, user_image, IMAGE_BYTES);
        copy[at] ^= 0xFF;
        if (process_create("bad", copy, IMAGE_BYTES, USER_EXIT, &process) == EXO_OK) {
            struct process_end end;
            process_kill(process); /* what it would do is anybody's guess */
            thread_start(process->thread);
            REQUIRE(process_join(process, BY_THEN, &end) && end.vector == PROCESS_KILLED);
        } else {
            refused++;
        }
        REQUIRE(FREE_NOW() + 4 * PAGE_BYTES >= before);
    }
    REQUIRE(refused > 40);
    for (at = 0; at < 64 + 4 * 56; at += 3) {
        struct process *process;
        REQUIRE(process_create("short", user_image, at, USER_EXIT, &process) == EXO_INVALID_ARGUMENT);
    }
    exo_port_page_free(copy, IMAGE_BYTES);
    return CLAIM_OK;
}

const struct claim claims_process[] = {
    CLAIM(a_process_exits_with_its_code),
    CLAIM(a_process_writes_to_the_serial_line),
    CLAIM(bad_calls_are_refused_and_registers_stay),
    CLAIM(every_fault_ends_the_process_and_only_that),
    CLAIM(odd_flags_and_segments_of_a_process_harm_nobody),
    CLAIM(the_kernel_never_runs_with_the_flags_of_a_process),
    CLAIM(a_process_can_be_killed_wherever_it_is),
    CLAIM(many_processes_share_the_processors),
    CLAIM(the_number_of_a_dead_process_names_no_other),
    CLAIM(without_memory_there_is_no_process_and_no_loss),
    CLAIM(bad_programs_are_refused_whole),
    CLAIMS_END,
};
