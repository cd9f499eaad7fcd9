/* SPDX-License-Identifier: MIT */
/*
 * The trusted side behind the system call: one nucleus for all processes of ring 3.
 *
 * A call is copied in once, from there on it is the kernel's; what goes back is its result, and the status in a register. A
 * process is let in when it is made, and ends in its own thread, on its way out: by then none of its calls is under way.
 */
#include "console.h"
#include "task.h"
#include "exo_ipc/nucleus/nucleus.h"
#include "nucleus.h"

struct exo_nucleus kernel_nucleus;

void nucleus_init(void)
{
    struct exo_nucleus_config config;
    __builtin_memset(&config, 0, sizeof(config));
    config.processes = PROCESSES * 4; /* those that have ended and still pay for something count too */
    config.objects = 1u << 16;
    config.capabilities = 1u << 16;
    config.seed = exo_cpu_cycles();
    if (exo_init(&kernel_nucleus, &config) != EXO_OK) {
        panic("no memory for the nucleus");
    }
}

exo_status nucleus_begin(struct process *process)
{
    struct exo_process_config config;
    exo_status status;
    __builtin_memset(&config, 0, sizeof(config));
    config.space = &process->space;
    config.context = process;
    status = exo_process_begin(&kernel_nucleus, &config, &process->trusted);
    if (status == EXO_OK) {
        process->nucleus = exo_process_number(process->trusted);
        exo_process_ending_set(process->trusted, &process->thread->killed);
    }
    return status;
}

void nucleus_end(struct process *process, exo_bool died)
{
    exo_process_end(process->trusted, died);
}

/* A result that cannot be written is refused before anything happens. */
exo_i64 nucleus_call(exo_u64 address)
{
    struct process *process = cpu_thread()->process;
    const exo_u64 result_at = address + __builtin_offsetof(struct exo_syscall, result);
    struct exo_syscall call;
    exo_status status = exo_port_copy_from_user(&process->space, &call, address, sizeof(call));
    call.result = 0;
    if (status == EXO_OK) {
        status = exo_port_copy_to_user(&process->space, result_at, (const void *)&call.result, sizeof(call.result));
    }
    if (status != EXO_OK) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_syscall_dispatch(process->trusted, &call);
    if (call.result != 0 &&
        exo_port_copy_to_user(&process->space, result_at, (const void *)&call.result, sizeof(call.result)) != EXO_OK) {
        return EXO_INVALID_ARGUMENT; /* it took the page away meanwhile: what it got ends with it */
    }
    return status;
}
