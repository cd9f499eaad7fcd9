/* SPDX-License-Identifier: MIT */
/*
 * A ticker: one sender, one reader that must not miss anything and one that only wants to know what is new.
 *
 *     $ broadcast_ticker
 *     bookkeeper: 1000 prices, the last is 1999
 *     display: at most 8 of 1000 prices, the last is 1999, all others counted as missed
 */
#include <exo_ipc/exo_ipc.h>
#include <pthread.h>
#include <stdio.h>

#define PRICES 1000u

static struct exo_broadcast books;  /* reliable: the sender waits for the bookkeeper */
static struct exo_broadcast screen; /* latest: nobody waits for the display */

/* Receive until the sender closes. How many, and the last one. */
static exo_u32 receive(struct exo_subscriber *sub, exo_u32 *last)
{
    exo_u32 count = 0;
    exo_i64 len;
    while ((len = exo_subscriber_recv_blocking(sub, last, sizeof(*last), EXO_FOREVER)) != EXO_CLOSED) {
        if (len >= 0) {
            count++;
        } else if (len != EXO_OVERFLOW) { /* some were missed: the next call goes on */
            break;
        }
    }
    return count;
}

static void *keep_books(void *sub)
{
    exo_u32 last = 0;
    exo_u32 count = receive(sub, &last);
    printf("bookkeeper: %u prices, the last is %u\n", count, last);
    return NULL;
}

static int show(struct exo_subscriber *sub)
{
    exo_u32 last = 0;
    exo_u32 count = receive(sub, &last);
    exo_u64 missed = exo_subscriber_missed_all(sub);
    if (count > 8 || count + missed != PRICES) {
        return 1;
    }
    printf("display: at most 8 of %u prices, the last is %u, all others counted as missed\n", PRICES, last);
    return 0;
}

int main(void)
{
    struct exo_broadcast_config config = {.slots = 8, .policy = EXO_RELIABLE};
    struct exo_publisher to_books;
    struct exo_publisher to_screen;
    struct exo_subscriber bookkeeper;
    struct exo_subscriber display;
    pthread_t thread;
    exo_u32 price;
    if (exo_broadcast_create(&books, &config, &to_books) != EXO_OK) {
        return 1;
    }
    config.policy = EXO_LATEST;
    if (exo_broadcast_create(&screen, &config, &to_screen) != EXO_OK ||
        exo_broadcast_subscribe(&books, &bookkeeper, 0) != EXO_OK ||
        exo_broadcast_subscribe(&screen, &display, 0) != EXO_OK ||
        pthread_create(&thread, NULL, keep_books, &bookkeeper) != 0) {
        return 1;
    }
    for (price = PRICES; price < 2 * PRICES; price++) {
        if (exo_broadcast_send_blocking(&to_books, &price, sizeof(price), EXO_FOREVER) != EXO_OK ||
            exo_broadcast_send(&to_screen, &price, sizeof(price)) != EXO_OK) {
            return 1;
        }
    }
    (void)exo_broadcast_close(&to_books);
    (void)exo_broadcast_close(&to_screen);
    (void)pthread_join(thread, NULL);
    if (show(&display) != 0) { /* it looks only now, and sees what is there still */
        return 1;
    }
    exo_broadcast_destroy(&books);
    exo_broadcast_destroy(&screen);
    return 0;
}
