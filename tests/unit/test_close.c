/* SPDX-License-Identifier: MIT */
/* Places, closing and coming back; and a peer that died. */
#include <host_peer.h>

#include "ring_fixture.h"

static void a_second_sender_finds_no_place_beyond_the_producers(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_sender more[4];
    exo_u32 places = config.producers;
    exo_u32 i;
    fixture_open(&f, &config);
    for (i = 1; i < places; i++) {
        assert_int_equal(exo_ring_sender(&f.ring, &more[i]), EXO_OK);
    }
    assert_int_equal(exo_ring_sender(&f.ring, &more[0]), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(exo_ring_sender(&f.ring, &more[0]), EXO_OK);
    assert_int_equal(exo_ring_sender(&f.ring, &f.tx), EXO_ALREADY_EXISTS);
    assert_int_equal(send_number(&more[0], 7), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 7);
    fixture_close(&f);
}

static void a_second_receiver_is_refused_unless_there_may_be_several(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_receiver second;
    fixture_open(&f, &config);
    assert_int_equal(exo_ring_receiver(&f.ring, &second),
                     has_mc(&config) ? EXO_OK : EXO_ALREADY_EXISTS);
    assert_int_equal(send_number(&f.tx, 7), EXO_OK);
    if (has_mc(&config)) {
        assert_int_equal(recv_number(&second), 7);
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    } else {
        assert_int_equal(recv_number(&f.rx), 7);
    }
    fixture_close(&f);
}

static void a_sender_that_comes_back_goes_on_where_it_stopped(struct exo_ring_config config)
{
    struct fixture f;
    exo_u32 lap;
    exo_u64 sent = 0;
    exo_u64 received = 0;
    fixture_open(&f, &config);
    for (lap = 0; lap < 20; lap++) {
        exo_u32 i;
        for (i = 0; i < 1 + lap % 8; i++) {
            assert_int_equal(send_number(&f.tx, sent++), EXO_OK);
        }
        assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
        assert_int_equal(exo_ring_sender(&f.ring, &f.tx), EXO_OK);
        assert_int_equal(fill_ring(&f.tx, sent), 8 - i);
        for (sent += 8 - i; received < sent; received++) {
            assert_int_equal(recv_number(&f.rx), received);
        }
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    }
    fixture_close(&f);
}

static void a_receiver_that_comes_back_goes_on_where_it_stopped(struct exo_ring_config config)
{
    struct fixture f;
    exo_u64 sent = 0;
    exo_u64 received = 0;
    config.slots = 64; /* so that the late position lags */
    fixture_open(&f, &config);
    while (received < 200) {
        exo_u64 take = 1 + received % 13;
        sent += fill_ring(&f.tx, sent);
        assert_int_equal(sent - received, 64);
        for (; take != 0; take--) {
            assert_int_equal(recv_number(&f.rx), received++);
        }
        assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
        assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    }
    for (; received < sent; received++) {
        assert_int_equal(recv_number(&f.rx), received);
    }
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    fixture_close(&f);
}

static void closed_comes_after_the_last_message(struct exo_ring_config config)
{
    struct fixture f;
    exo_u64 i;
    fixture_open(&f, &config);
    for (i = 0; i < 5; i++) {
        assert_int_equal(send_number(&f.tx, i), EXO_OK);
    }
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    for (i = 0; i < 5; i++) {
        assert_int_equal(recv_number(&f.rx), i);
    }
    assert_int_equal(recv_number(&f.rx), EXO_CLOSED);
    assert_int_equal(recv_number(&f.rx), EXO_CLOSED);
    assert_int_equal(exo_ring_sender(&f.ring, &f.tx), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY); /* opened again */
    assert_int_equal(send_number(&f.tx, 5), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 5);
    fixture_close(&f);
}

static void only_the_last_sender_closes_the_ring(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_sender second;
    if (!has_mp(&config)) {
        return;
    }
    fixture_open(&f, &config);
    assert_int_equal(exo_ring_sender(&f.ring, &second), EXO_OK);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(send_number(&second, 3), EXO_OK);
    assert_int_equal(exo_sender_close(&second), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 3);
    assert_int_equal(recv_number(&f.rx), EXO_CLOSED);
    fixture_close(&f);
}

static void a_sender_learns_that_the_last_receiver_closed(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_receiver second;
    exo_status status = EXO_OK;
    exo_u32 sent;
    fixture_open(&f, &config);
    if (has_mc(&config)) {
        assert_int_equal(exo_ring_receiver(&f.ring, &second), EXO_OK);
        assert_int_equal(exo_receiver_close(&second), EXO_OK);
        assert_int_equal(send_number(&f.tx, 1), EXO_OK);
        assert_int_equal(recv_number(&f.rx), 1);
    }
    assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
    for (sent = 0; sent < 9 && status == EXO_OK; sent++) {
        status = send_number(&f.tx, sent);
    }
    assert_int_equal(status, EXO_CLOSED);
    if (!is_polled(&config)) { /* a polled ring may look only when it is full */
        assert_int_equal(sent, 1);
    }
    assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    assert_int_equal(send_number(&f.tx, 1), EXO_CLOSED); /* it stays refused */
    fixture_close(&f);
}

static void a_full_ring_whose_receiver_closed_is_closed(struct exo_ring_config config)
{
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
    assert_int_equal(send_number(&f.tx, 8), EXO_CLOSED);
    assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 0); /* what was sent is still there */
    fixture_close(&f);
}

static void a_closed_sender_handle_stays_refused(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_reserved reserved;
    exo_u64 items[3] = {1, 2, 3};
    exo_u8 *before;
    const exo_size bytes = sizeof(struct exo_tx_segment);
    fixture_open(&f, &config);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    before = (exo_u8 *)malloc(bytes);
    memcpy(before, f.ring.sender.tx, bytes);
    assert_int_equal(exo_sender_close(&f.tx), EXO_CLOSED);
    assert_int_equal(send_number(&f.tx, 1), EXO_CLOSED);
    assert_int_equal(exo_send(&f.tx, items, 8), EXO_CLOSED);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, 3), EXO_CLOSED);
    assert_int_equal(exo_send_burst(&f.tx, items, 8, 3), EXO_CLOSED);
    assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_CLOSED);
    assert_int_equal(exo_send_blocking(&f.tx, items, 8, EXO_FOREVER), EXO_CLOSED);
    assert_int_equal(exo_wait_writable(&f.tx, EXO_FOREVER), EXO_CLOSED);
    assert_memory_equal(before, f.ring.sender.tx, bytes);
    assert_int_equal(exo_ring_sender(&f.ring, &f.tx), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    free(before);
    fixture_close(&f);
}

static void a_closed_receiver_handle_stays_refused(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_receiver closed;
    struct exo_peeked peeked;
    struct exo_viewed view;
    exo_u64 items[3];
    fixture_open(&f, &config);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
    closed = f.rx;
    closed.exact = &closed.pos; /* where a closed handle has it: in itself */
    assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    assert_int_equal(exo_receiver_close(&closed), EXO_CLOSED);
    assert_int_equal(recv_number(&closed), EXO_CLOSED);
    assert_int_equal(exo_recv(&closed, items, 8), EXO_CLOSED);
    assert_int_equal(exo_recv_burst(&closed, items, 8, 3, NULL), EXO_CLOSED);
    assert_int_equal(exo_recv_bulk(&closed, items, 8, 1, NULL), EXO_CLOSED);
    assert_int_equal(exo_peek(&closed, &peeked), EXO_CLOSED);
    assert_int_equal(exo_view(&closed, &view), EXO_CLOSED);
    assert_int_equal(exo_recv_blocking(&closed, items, 8, EXO_FOREVER), EXO_CLOSED);
    assert_int_equal(exo_wait_readable(&closed, EXO_FOREVER), EXO_CLOSED);
    assert_int_equal(recv_number(&f.rx), 1); /* and has taken nothing */
    assert_int_equal(recv_number(&f.rx), 2);
    fixture_close(&f);
}

static void the_messages_of_a_dead_sender_come_before_its_death(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_port_peer peer;
    fixture_open(&f, &config);
    peer_is_dead(&peer);
    f.rx.peer = &peer;
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(recv_number(&f.rx), 2);
    assert_int_equal(recv_number(&f.rx), EXO_PEER_DIED);
    assert_int_equal(recv_number(&f.rx), EXO_PEER_DIED);
    fixture_close(&f);
}

static void a_sender_finds_its_receiver_dead_when_the_ring_is_full(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_port_peer peer;
    exo_u32 i;
    fixture_open(&f, &config);
    peer_is_dead(&peer);
    f.tx.peer = &peer;
    for (i = 0; i < 8; i++) {
        assert_int_equal(send_number(&f.tx, i), EXO_OK);
    }
    assert_int_equal(send_number(&f.tx, i), EXO_PEER_DIED);
    assert_int_equal(recv_number(&f.rx), 0);
    assert_int_equal(send_number(&f.tx, i), EXO_PEER_DIED); /* death is final */
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(a_second_sender_finds_no_place_beyond_the_producers),
        IN_EVERY_KIND(a_second_receiver_is_refused_unless_there_may_be_several),
        IN_EVERY_KIND(a_sender_that_comes_back_goes_on_where_it_stopped),
        IN_EVERY_KIND(a_receiver_that_comes_back_goes_on_where_it_stopped),
        IN_EVERY_KIND(closed_comes_after_the_last_message),
        IN_EVERY_KIND(only_the_last_sender_closes_the_ring),
        IN_EVERY_KIND(a_sender_learns_that_the_last_receiver_closed),
        IN_EVERY_KIND(a_full_ring_whose_receiver_closed_is_closed),
        IN_EVERY_KIND(a_closed_sender_handle_stays_refused),
        IN_EVERY_KIND(a_closed_receiver_handle_stays_refused),
        IN_EVERY_KIND(the_messages_of_a_dead_sender_come_before_its_death),
        IN_EVERY_KIND(a_sender_finds_its_receiver_dead_when_the_ring_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
