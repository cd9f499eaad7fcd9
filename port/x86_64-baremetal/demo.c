/* SPDX-License-Identifier: MIT */
/*
 * The demonstration: what the machine has, and an exchange between two threads on two processors, over a pair of rings.
 */
#include "budget.h"
#include "console.h"
#include "task.h"
#include "user/exchange.h"
#include "exo_ipc/exo_ipc.h"

#define MESSAGES 1000u

/* One way each; and what the other side saw. */
struct exchange {
    struct exo_ring ring[2];
    struct exo_sender tx[2];
    struct exo_receiver rx[2];
    exo_u32 processor;
    exo_u32 answered;
    exo_i64 status;
};

static exo_u32 processor_now(void)
{
    exo_uptr flags = interrupts_save();
    exo_u32 number = cpu_this()->number;
    interrupts_restore(flags);
    return number;
}

/* Adds one to each number that comes, and sends it back; an empty message ends it. */
static void answer(void *argument)
{
    struct exchange *exchange = (struct exchange *)argument;
    exo_i64 len;
    exo_u64 number;
    exchange->processor = processor_now();
    for (;;) {
        len = exo_recv_blocking(&exchange->rx[0], &number, sizeof(number), EXO_FOREVER);
        if (len != (exo_i64)sizeof(number)) {
            break;
        }
        number++;
        len = exo_send_blocking(&exchange->tx[1], &number, sizeof(number), EXO_FOREVER);
        if (len != EXO_OK) {
            break;
        }
        exchange->answered++;
    }
    exchange->status = len;
}

static exo_i64 ask(struct exchange *exchange)
{
    exo_u64 number;
    exo_u64 i;
    for (i = 0; i < MESSAGES; i++) {
        exo_i64 status = exo_send_blocking(&exchange->tx[0], &i, sizeof(i), EXO_FOREVER);
        if (status != EXO_OK) {
            return status;
        }
        status = exo_recv_blocking(&exchange->rx[1], &number, sizeof(number), EXO_FOREVER);
        if (status != (exo_i64)sizeof(number) || number != i + 1) {
            return status < 0 ? status : EXO_CORRUPT;
        }
    }
    return exo_send_blocking(&exchange->tx[0], &i, 0, EXO_FOREVER);
}

static exo_i64 run_exchange(struct exchange *exchange)
{
    struct thread *other;
    exo_i64 status = EXO_OK;
    exo_u32 i;
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_ring_create(&exchange->ring[i], (const struct exo_ring_config *)EXO_NULL, &exchange->tx[i],
                                 &exchange->rx[i]);
    }
    if (status != EXO_OK) {
        return status;
    }
    /* The first thread is not told where to run; it asks for another place, if there is one. */
    other = thread_create("answer", answer, exchange, cpu_count > 1 ? CPUS_ANY & ~(1u << processor_now()) : CPUS_ANY);
    if (other == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    thread_start(other);
    status = ask(exchange);
    (void)thread_join(other, EXO_FOREVER);
    for (i = 0; i < 2; i++) {
        exo_ring_destroy(&exchange->ring[i]);
    }
    return status != EXO_OK ? status : exchange->status;
}

extern const char program_exchange[], program_exchange_end[];
const struct program programs[] = {{"exchange", program_exchange, program_exchange_end}};
const exo_u32 program_count = 1;

/* Two processes in ring 3, the second spawned by the first. */
static exo_bool run_processes(void)
{
    struct process *process;
    struct process_end end;
    exo_i64 calls;
    exo_status status = process_create("exchange", program_exchange, (exo_size)(program_exchange_end - program_exchange),
                                       EXCHANGE_ASK(0), &process);
    if (status != EXO_OK) {
        print("no process: %s\n", exo_status_text(status));
        return EXO_FALSE;
    }
    thread_start(process->thread);
    (void)process_join(process, EXO_FOREVER, &end);
    calls = end.code - EXCHANGE_DONE;
    if (end.vector != PROCESS_EXIT || calls < 0) {
        print("ring 3: vector %u, address %x, code %u\n", NUMBER(end.vector), end.address, NUMBER(end.code));
        return EXO_FALSE;
    }
    print("%u messages and %u loans between two processes in ring 3, and back: Ok, %u system calls for all of them\n",
          NUMBER(EXCHANGE_MESSAGES), NUMBER(EXCHANGE_LOANS), NUMBER(calls));
    return EXO_TRUE;
}

exo_u8 kernel_main(const char *command_line, const struct memory_map *ram)
{
    static struct exchange exchange;
    struct frames_count frames = frames_counted();
    exo_u64 begin;
    exo_i64 status;
    exo_bool ran;
    exo_u32 i;
    (void)command_line;
    print("exo_ipc on bare metal: %u processors, %u MiB of memory, %u KiB of it free\n", NUMBER(cpu_count),
          memory_map_bytes(ram) >> 20, frames.free_bytes >> 10);
    for (i = 0; i < ram->count; i++) {
        print("  memory %p - %p\n", ram->range[i].begin, ram->range[i].end);
    }
    begin = exo_cpu_cycles();
    status = run_exchange(&exchange);
    /* With -icount shift=0 a cycle is an instruction, and the number is the same each time. */
    print("%u messages there, and back from processor %u: %s, %u cycles for each\n", NUMBER(exchange.answered),
          NUMBER(exchange.processor), exo_status_text(status), (exo_cpu_cycles() - begin) / MESSAGES);
    ran = run_processes();
    budget_measure();
    budget_print();
    return ran && status == EXO_OK && exchange.answered == MESSAGES ? EXIT_PASSED : EXIT_FAILED;
}
