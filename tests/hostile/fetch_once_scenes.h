/* SPDX-License-Identifier: MIT */
/* What may lie in a ring when a peer begins to change words behind the back of whoever reads them. */
#ifndef EXO_TESTS_FETCH_ONCE_SCENES_H
#define EXO_TESTS_FETCH_ONCE_SCENES_H

#include "ways.h"

/* One victim's call, with a scene prepared for it. */
struct scene {
    const char *name;
    exo_bool sends; /* the victim is the sender */
    void (*prepare)(struct stage *stage);
};

static void one_inline(struct stage *stage)
{
    assert_int_equal(exo_send_inline(&stage->to, "0123456789012345678901234567890123456789", 40), EXO_OK);
}
static void three_inline(struct stage *stage)
{
    one_inline(stage);
    one_inline(stage);
    one_inline(stage);
}
static void packed(struct stage *stage)
{
    static const exo_u64 items[14];
    assert_int_equal(exo_send_bulk(&stage->to, items, 8, 14), 14);
}
static void packed_begun(struct stage *stage)
{
    exo_u64 item;
    packed(stage);
    assert_int_equal(exo_recv_inline(&stage->from, &item, 8), 8);
}
static void three_loans(struct stage *stage)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        assert_int_equal(send_by(stage, LOAN_SEND, 300), EXO_OK);
    }
}
static void three_messages(struct stage *stage)
{
    assert_int_equal(send_by(stage, MESSAGE_ZERO_COPY, 300), EXO_OK);
    assert_int_equal(send_by(stage, MESSAGE_SEND, 0), EXO_OK);
    assert_int_equal(send_by(stage, MESSAGE_SEND, 0), EXO_OK);
}
static void discarded_first(struct stage *stage)
{
    assert_int_equal(send_by(stage, RESERVE_ABORT, 0), EXO_OK);
    three_inline(stage);
}
static void nothing(struct stage *stage)
{
    (void)stage;
}
static void closed(struct stage *stage)
{
    one_inline(stage);
    assert_int_equal(exo_sender_close(&stage->to), EXO_OK);
}
static void full(struct stage *stage)
{
    while (send_by(stage, SEND_INLINE, 0) == EXO_OK) {
    }
}
static void full_and_taken(struct stage *stage)
{
    full(stage);
    assert_int_equal(receive_by(stage, RECV_INLINE, 40), 40);
    assert_int_equal(receive_by(stage, RECV_INLINE, 40), 40);
    assert_int_equal(receive_by(stage, RECV_INLINE, 40), 40);
}
static void arena_lent(struct stage *stage)
{
    struct exo_viewed views[4];
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        assert_int_equal(send_by(stage, LOAN_SEND, STAGE_ARENA / 4), EXO_OK);
        assert_int_equal(exo_view(&stage->from, &views[i]), EXO_OK);
    }
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_release(&stage->from, &views[i]), EXO_OK);
    }
}

static const struct scene scenes[] = {
    {"nothing", EXO_FALSE, nothing},
    {"one inline", EXO_FALSE, one_inline},
    {"three inline", EXO_FALSE, three_inline},
    {"packed", EXO_FALSE, packed},
    {"packed, begun", EXO_FALSE, packed_begun},
    {"three loans", EXO_FALSE, three_loans},
    {"three messages", EXO_FALSE, three_messages},
    {"discarded first", EXO_FALSE, discarded_first},
    {"closed", EXO_FALSE, closed},
    {"an empty ring", EXO_TRUE, nothing},
    {"a full ring", EXO_TRUE, full},
    {"a full ring, three taken", EXO_TRUE, full_and_taken},
    {"a lent arena, three released", EXO_TRUE, arena_lent},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

#endif
