/* SPDX-License-Identifier: MIT */
/*
 * code_size.c - the inlined calls, each alone in a function with a section of its own, at a user's
 * -O2.
 *
 * groups/footprint.cpp measures the sections; nobody calls the functions. A function with a section
 * is kept in one piece (gcc splits no cold part off), so nothing inlined escapes the count; the
 * library's deliberately outlined slow paths are shared by all callers and are not counted.
 */
#include <exo_ipc/exo_ipc.h>

#define ALONE_IN(name) __attribute__((noinline, used, section(name)))

exo_status exo_bench_send(struct exo_sender *tx, const void *data, exo_size len);
exo_i64 exo_bench_recv(struct exo_receiver *rx, void *buffer, exo_size size);
exo_status exo_bench_send_56(struct exo_sender *tx, const void *data);
exo_i64 exo_bench_recv_56(struct exo_receiver *rx, void *buffer);

ALONE_IN("exo_code_send")
exo_status exo_bench_send(struct exo_sender *tx, const void *data, exo_size len)
{
    return exo_send_inline(tx, data, len);
}

ALONE_IN("exo_code_recv")
exo_i64 exo_bench_recv(struct exo_receiver *rx, void *buffer, exo_size size)
{
    return exo_recv_inline(rx, buffer, size);
}

ALONE_IN("exo_code_send_56") exo_status exo_bench_send_56(struct exo_sender *tx, const void *data)
{
    return exo_send_inline(tx, data, 56);
}

ALONE_IN("exo_code_recv_56") exo_i64 exo_bench_recv_56(struct exo_receiver *rx, void *buffer)
{
    return exo_recv_inline(rx, buffer, 56);
}
