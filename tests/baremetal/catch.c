/* SPDX-License-Identifier: MIT */
#include "catch.h"
#include "task.h"

exo_u32 catch_call(void (*run)(void *argument), void *argument, exo_uptr *stack);
void catch_faulted(void);

/* One for each thread, by its id; its own. */
struct catcher {
    exo_bool armed;
    exo_uptr stack;
    struct caught caught;
};

static struct catcher catchers[THREADS + 1];

static exo_bool catch_trap(struct trap_frame *frame, exo_uptr address)
{
    struct catcher *catcher = &catchers[cpu_thread()->id];
    if (!catcher->armed || trap_from_user(frame)) {
        return EXO_FALSE;
    }
    catcher->armed = EXO_FALSE;
    catcher->caught.vector = frame->vector;
    catcher->caught.error = frame->error;
    catcher->caught.address = address;
    frame->rip = (exo_uptr)catch_faulted;
    frame->rsp = catcher->stack;
    return EXO_TRUE;
}

exo_bool catches(void (*run)(void *argument), void *argument, struct caught *caught)
{
    struct catcher *catcher = &catchers[cpu_thread()->id];
    exo_bool faulted;
    trap_hook = catch_trap;
    catcher->armed = EXO_TRUE;
    faulted = catch_call(run, argument, &catcher->stack) != 0;
    catcher->armed = EXO_FALSE;
    if (faulted) {
        *caught = catcher->caught;
    }
    return faulted;
}

static void read_one(void *address)
{
    (void)*(volatile exo_u8 *)address;
}

static void write_one(void *address)
{
    *(volatile exo_u8 *)address = 0xC3; /* ret */
}

static void call_one(void *address)
{
    ((void (*)(void))(exo_uptr)address)();
}

exo_bool read_faults(exo_uptr address, struct caught *caught)
{
    return catches(read_one, (void *)address, caught);
}

exo_bool write_faults(exo_uptr address, struct caught *caught)
{
    return catches(write_one, (void *)address, caught);
}

exo_bool call_faults(exo_uptr address, struct caught *caught)
{
    return catches(call_one, (void *)address, caught);
}

void live_in(struct exo_port_space *space)
{
    exo_uptr flags = interrupts_save();
    cpu_thread()->space = space;
    space_load(space);
    interrupts_restore(flags);
}
