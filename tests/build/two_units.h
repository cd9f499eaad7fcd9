/* SPDX-License-Identifier: MIT */
/* What the two units of one program know of each other. */
#ifndef EXO_TESTS_TWO_UNITS_H
#define EXO_TESTS_TWO_UNITS_H

#include <exo_ipc/exo_ipc.h>

/* In the other unit: send the numbers 1 to n; receive numbers until the ring is empty. */
exo_status other_send(struct exo_sender *tx, unsigned n);
exo_i64 other_receive_sum(struct exo_receiver *rx);

/* In the other unit: lend, fill and send so many bytes; view them and give them back. */
exo_status other_lend(struct exo_sender *tx, exo_size bytes);
exo_i64 other_view_sum(struct exo_receiver *rx);

#endif
