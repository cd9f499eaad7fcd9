/* SPDX-License-Identifier: MIT */
/*
 * A ring between two threads.
 *
 *     $ hello_threads
 *     hello
 *     Closed
 */
#include <exo_ipc/exo_ipc.h>
#include <pthread.h>
#include <stdio.h>

static void *greet(void *tx)
{
    exo_status status = exo_send_blocking(tx, "hello", 6, EXO_FOREVER);
    (void)exo_sender_close(tx);
    return status == EXO_OK ? NULL : tx;
}

int main(void)
{
    struct exo_ring ring;
    struct exo_sender tx;
    struct exo_receiver rx;
    char text[EXO_INLINE_THRESHOLD];
    pthread_t greeter;
    void *failed = NULL;
    exo_i64 len;
    if (exo_ring_create(&ring, NULL, &tx, &rx) != EXO_OK ||
        pthread_create(&greeter, NULL, greet, &tx) != 0) {
        return 1;
    }
    while ((len = exo_recv_blocking(&rx, text, sizeof(text), EXO_FOREVER)) >= 0) {
        printf("%.*s\n", (int)len, text);
    }
    puts(exo_status_text(len));
    (void)pthread_join(greeter, &failed);
    exo_ring_destroy(&ring);
    return failed != NULL || len != EXO_CLOSED;
}
