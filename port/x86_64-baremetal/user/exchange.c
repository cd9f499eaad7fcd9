/* SPDX-License-Identifier: MIT */
/*
 * Two processes and the messages between them: numbers, each of which comes back with one added; then blocks that lie where
 * they are while the other reads them.
 */
#include "exchange.h"
#include "link.h"

static struct user_link link;
static const char name[] = "exchange";

static void fill(exo_u8 *data, exo_u64 seed)
{
    exo_u32 i;
    for (i = 0; i < EXCHANGE_BYTES; i++) {
        data[i] = (exo_u8)(seed + i * 7);
    }
}

static exo_bool is_filled(const exo_u8 *data, exo_u64 seed)
{
    exo_u32 i;
    for (i = 0; i < EXCHANGE_BYTES && data[i] == (exo_u8)(seed + i * 7); i++) {
    }
    return i == EXCHANGE_BYTES;
}

static void lend(exo_u64 seed)
{
    struct exo_loaned loan;
    exo_status status;
    while ((status = exo_loan(&link.tx, EXCHANGE_BYTES, &loan)) == EXO_FULL) {
        user_yield(); /* what was lent before is on its way back */
    }
    USER_OR_EXIT(status == EXO_OK);
    fill((exo_u8 *)loan.data, seed);
    while ((status = exo_send_loan(&link.tx, &loan)) == EXO_FULL) {
        user_yield();
    }
    USER_OR_EXIT(status == EXO_OK);
}

static void view(exo_u64 seed)
{
    struct exo_viewed viewed;
    USER_OR_EXIT(exo_view_blocking(&link.rx, &viewed, EXO_FOREVER) == EXO_OK);
    USER_OR_EXIT(viewed.len == EXCHANGE_BYTES);
    USER_OR_EXIT(is_filled((const exo_u8 *)viewed.data, seed));
    USER_OR_EXIT(exo_release(&link.rx, &viewed) == EXO_OK);
}

static void ask(void)
{
    exo_u64 i;
    for (i = 0; i < EXCHANGE_MESSAGES; i++) {
        exo_u64 number = i;
        USER_OR_EXIT(exo_send_blocking(&link.tx, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
        USER_OR_EXIT(exo_recv_blocking(&link.rx, &number, sizeof(number), EXO_FOREVER) == (exo_i64)sizeof(number));
        USER_OR_EXIT(number == i + 1);
    }
    for (i = 0; i < EXCHANGE_LOANS; i++) {
        lend(i);
        view(~i);
    }
}

static void answer(void)
{
    exo_u64 i;
    for (i = 0; i < EXCHANGE_MESSAGES; i++) {
        exo_u64 number;
        USER_OR_EXIT(exo_recv_blocking(&link.rx, &number, sizeof(number), EXO_FOREVER) == (exo_i64)sizeof(number));
        number++;
        USER_OR_EXIT(exo_send_blocking(&link.tx, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
    }
    for (i = 0; i < EXCHANGE_LOANS; i++) {
        view(i);
        lend(~i);
    }
}

exo_i64 user_main(exo_u64 argument)
{
    struct user_child child;
    struct user_end end;
    exo_u64 calls;
    if (argument == EXCHANGE_ANSWER) {
        void *elsewhere; /* so that the regions are at other addresses than at the other end */
        exo_u64 pad;
        USER_OR_EXIT(exo_sys_shm_create(user_door, (const char *)EXO_NULL, 0, 8192, 0, &pad) == EXO_OK);
        USER_OR_EXIT(exo_sys_shm_map(user_door, pad, EXO_NULL, EXO_MAP_READ, &elsewhere) == EXO_OK);
        USER_OR_EXIT(user_link(&link, 1, name, sizeof(name) - 1) == EXO_OK);
        USER_OR_EXIT(user_link_wait(&link, 1) == EXO_OK);
        answer();
        return 0;
    }
    USER_OR_EXIT(user_link(&link, 0, name, sizeof(name) - 1) == EXO_OK);
    USER_OR_EXIT(user_spawn(argument, EXCHANGE_ANSWER, &child) == EXO_OK);
    USER_OR_EXIT(user_link_wait(&link, 0) == EXO_OK);
    calls = user_calls;
    ask();
    calls = user_calls - calls;
    USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
    return end.vector == USER_END_EXIT && end.code == 0 ? EXCHANGE_DONE + (exo_i64)calls : -(exo_i64)end.code;
}
