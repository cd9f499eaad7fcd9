/* SPDX-License-Identifier: MIT */
#include "two_units.h"

exo_status other_send(struct exo_sender *tx, unsigned n)
{
    unsigned i;
    for (i = 1; i <= n; i++) {
        exo_status status = exo_send(tx, &i, sizeof(i));
        if (status != EXO_OK) {
            return status;
        }
    }
    return EXO_OK;
}

exo_i64 other_receive_sum(struct exo_receiver *rx)
{
    exo_i64 sum = 0;
    unsigned number = 0;
    exo_i64 len;
    while ((len = exo_recv(rx, &number, sizeof(number))) == (exo_i64)sizeof(number)) {
        sum += number;
    }
    return len == EXO_EMPTY ? sum : len;
}

exo_status other_lend(struct exo_sender *tx, exo_size bytes)
{
    struct exo_loaned loan = {0};
    exo_status status = exo_loan(tx, bytes, &loan);
    exo_size i;
    for (i = 0; i < bytes && status == EXO_OK; i++) {
        ((unsigned char *)loan.data)[i] = (unsigned char)i;
    }
    return status == EXO_OK ? exo_send_loan(tx, &loan) : status;
}

exo_i64 other_view_sum(struct exo_receiver *rx)
{
    struct exo_viewed view = {0};
    exo_i64 sum = 0;
    exo_status status = exo_view(rx, &view);
    exo_size i;
    for (i = 0; i < view.len && status == EXO_OK; i++) {
        sum += ((const unsigned char *)view.data)[i];
    }
    if (status == EXO_OK) {
        status = exo_release(rx, &view);
    }
    return status == EXO_OK ? sum : (exo_i64)status;
}
