/* SPDX-License-Identifier: MIT */
/*
 * System calls: the table that entry.S jumps through. Six arguments at most, all of them anybody's; the result is a status
 * or a count. Runs in the caller's thread, on its kernel stack, with interrupts on.
 */
#include "console.h"
#include "task.h"
#include "user_calls.h"

#define WRITE_MAX 4096u

typedef exo_i64 (*system_call)(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);

extern const system_call system_calls[SYSTEM_CALLS];

static exo_i64 call_null(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    UNUSED_6;
    return EXO_OK;
}

static exo_i64 call_exit(exo_u64 code, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    struct process_end end = {PROCESS_EXIT, 0, 0, 0, (exo_i64)code};
    (void)b;
    UNUSED_4;
    process_exit(&end);
}

static exo_i64 call_yield(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    UNUSED_6;
    sched_yield();
    return EXO_OK;
}

/* write(address, bytes): how many went to the serial line. */
static exo_i64 call_write(exo_u64 from, exo_u64 bytes, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    char text[128];
    exo_u64 done;
    UNUSED_4;
    if (bytes > WRITE_MAX) {
        return EXO_INVALID_SIZE;
    }
    for (done = 0; done < bytes; done += sizeof(text)) {
        exo_size part = (exo_size)exo_min64(bytes - done, sizeof(text));
        if (exo_port_copy_from_user((struct exo_port_space *)EXO_NULL, text, from + done, part) != EXO_OK) {
            return EXO_INVALID_ARGUMENT;
        }
        print_bytes(text, part);
    }
    return (exo_i64)bytes;
}

/* nucleus(address of a struct exo_syscall): the call's status */
static exo_i64 call_nucleus(exo_u64 call, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    (void)b;
    UNUSED_4;
    return nucleus_call(call);
}

/* By the numbers of layout.h. */
const system_call system_calls[SYSTEM_CALLS] = {
    call_null, call_exit, call_yield, call_write, call_nucleus, call_wait,
    call_wake, call_fence, call_self, call_alive, call_spawn,   call_join,
};
