/* SPDX-License-Identifier: MIT */
/*
 * System calls that stand for the port in ring 3: sleep and wake on a word, a fence on all processors, who one is; and
 * those that make other processes and wait for their ends.
 *
 * A word is looked up once, and from then on it is where it lies in RAM: it may be unmapped while its process sleeps on it,
 * and the kernel still reads a frame that is there. All it tells is whether it had the value that was asked for.
 */
#include "user_calls.h"
#include "machine.h"
#include "task.h"
#include "user/user_abi.h"

/* Where a word of the calling process is; null: nowhere. */
static exo_u32 *user_word(exo_u64 address)
{
    exo_uptr flags;
    exo_u64 phys;
    if (address < USER_BEGIN || address > USER_END - sizeof(exo_u32) || address % sizeof(exo_u32) != 0) {
        return (exo_u32 *)EXO_NULL;
    }
    flags = interrupts_save(); /* tables are freed only when this processor has answered */
    phys = paging_phys(cpu_thread()->space, (exo_uptr)address);
    interrupts_restore(flags);
    return phys == EXO_NO_FRAME ? (exo_u32 *)EXO_NULL : (exo_u32 *)direct(phys);
}

static exo_status give(exo_u64 to, const void *from, exo_size bytes)
{
    return exo_port_copy_to_user((struct exo_port_space *)EXO_NULL, to, from, bytes);
}

/* wait(word, expected, deadline, process or 0): until the word is woken, or for any other reason. */
exo_i64 call_wait(exo_u64 word, exo_u64 expected, exo_u64 deadline_ns, exo_u64 process, exo_u64 e, exo_u64 f)
{
    struct exo_port_peer peer = {process};
    const exo_u32 *at = user_word(word);
    (void)e;
    (void)f;
    if (at == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_port_wait(at, (exo_u32)expected, deadline_ns, EXO_TRUE, process == 0 ? (struct exo_port_peer *)EXO_NULL : &peer);
    return EXO_OK;
}

/* wake(word, count) */
exo_i64 call_wake(exo_u64 word, exo_u64 count, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    exo_u32 *at = user_word(word);
    UNUSED_4;
    if (at == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_port_wake(at, (exo_u32)count, EXO_TRUE);
    return EXO_OK;
}

exo_i64 call_fence(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    UNUSED_6;
    fence_everywhere();
    return EXO_OK;
}

/* self([out] struct user_self) */
exo_i64 call_self(exo_u64 to, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    const struct process *process = cpu_thread()->process;
    struct user_self self;
    (void)b;
    UNUSED_4;
    self.process = process->id;
    self.nucleus = process->nucleus;
    self.thread = cpu_thread()->id;
    self.clock_begin = kernel_clock.begin;
    self.clock_scale = kernel_clock.scale;
    return give(to, &self, sizeof(self));
}

/* alive(process, the nucleus's number of it or 0): 1 or 0 */
exo_i64 call_alive(exo_u64 process, exo_u64 nucleus, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f)
{
    UNUSED_4;
    return process_is_alive(process, nucleus) ? 1 : 0;
}

/* spawn(program, argument, [out] struct user_child) */
exo_i64 call_spawn(exo_u64 program, exo_u64 argument, exo_u64 to, exo_u64 d, exo_u64 e, exo_u64 f)
{
    struct process *made = (struct process *)EXO_NULL;
    struct user_child child;
    struct process_end end;
    exo_status status = process_spawn(cpu_thread()->process, program, argument, &made);
    (void)d;
    (void)e;
    (void)f;
    if (status != EXO_OK) {
        return status;
    }
    child.process = made->id;
    child.nucleus = made->nucleus;
    status = give(to, &child, sizeof(child));
    if (status != EXO_OK) { /* nobody knows it: it never comes to ring 3 */
        process_kill(made);
    }
    thread_start(made->thread);
    if (status != EXO_OK) {
        (void)process_join(made, EXO_FOREVER, &end);
    }
    return status;
}

/* join(process, deadline, [out] struct user_end): of a child; EXO_TIMEOUT */
exo_i64 call_join(exo_u64 process, exo_u64 deadline_ns, exo_u64 to, exo_u64 d, exo_u64 e, exo_u64 f)
{
    struct process *child = process_child(cpu_thread()->process, process);
    struct process_end end;
    struct user_end told = {0, 0, 0};
    exo_status status;
    (void)d;
    (void)e;
    (void)f;
    if (child == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    status = give(to, &told, sizeof(told));
    if (status != EXO_OK) {
        return status; /* and the child is there still */
    }
    if (!process_join(child, deadline_ns, &end)) {
        return EXO_TIMEOUT;
    }
    told.vector = end.vector;
    told.address = end.address;
    told.code = end.code;
    return give(to, &told, sizeof(told));
}
