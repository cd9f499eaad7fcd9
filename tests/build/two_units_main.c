/* SPDX-License-Identifier: MIT */
/*
 * A program of two translation units, strict C11 without _GNU_SOURCE: both include the umbrella, what one creates
 * the other uses, and the handles mean the same in both.
 */
#include <stdio.h>

#include "two_units.h"

static int expect(const char *what, exo_i64 got, exo_i64 wanted)
{
    if (got != wanted) {
        printf("%s: got %lld, wanted %lld\n", what, (long long)got, (long long)wanted);
    }
    return got != wanted;
}

int main(void)
{
    struct exo_ring ring = {0};
    struct exo_sender tx;
    struct exo_receiver rx;
    int failed = expect("create", exo_ring_create(&ring, NULL, &tx, &rx), EXO_OK);
    unsigned number = 1000;
    if (failed != 0) {
        return 1;
    }
    failed |= expect("send there", other_send(&tx, 10), EXO_OK);
    failed |= expect("send here", exo_send(&tx, &number, sizeof(number)), EXO_OK);
    failed |=
        expect("first is received here", exo_recv(&rx, &number, sizeof(number)), sizeof(number));
    failed |= expect("first", number, 1);
    failed |= expect("the others are received there", other_receive_sum(&rx), 1054);
    failed |= expect("lend there", other_lend(&tx, 256), EXO_OK);
    failed |= expect("outstanding here", (exo_i64)exo_loans_outstanding(&tx), 512);
    failed |= expect("view there", other_view_sum(&rx), 255 * 128);
    failed |= expect("come back", (exo_i64)exo_loans_outstanding(&tx), 0);
    failed |= expect("fill there", other_send(&tx, 1000), EXO_FULL);
    failed |= expect("full here", exo_send(&tx, &number, sizeof(number)), EXO_FULL);
    failed |= expect("close here", exo_sender_close(&tx), EXO_OK);
    failed |= expect("drained there, then closed", other_receive_sum(&rx), EXO_CLOSED);
    exo_ring_destroy(&ring);
    return failed;
}
