/* SPDX-License-Identifier: MIT */
/*
 * Calls on queues of events: create, bind, unbind, post, wait.
 */
#ifndef EXO_IPC_NUCLEUS_SYS_QUEUE_H
#define EXO_IPC_NUCLEUS_SYS_QUEUE_H

#include "sys_capability.h"

/* queue_create: slots */
EXO_INLINE exo_status exo_sys_queue_create_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_queue *queue = (struct exo_queue *)EXO_NULL;
    exo_status status;
    if (a[0] == 0 || a[0] > EXO_QUEUE_SLOTS_MAX) {
        return EXO_INVALID_SIZE;
    }
    status = exo_queue_make_pvt(process, (exo_u32)a[0], &queue);
    if (status == EXO_OK) {
        exo_object_hold_pvt(&process->nucleus->capabilities, &queue->object);
        status = exo_capability_create(&process->capabilities, &queue->object, EXO_RIGHTS_QUEUE, 0, result);
        exo_object_drop(&process->nucleus->capabilities, &queue->object);
    }
    return status;
}

/* Bind to what a handle of the caller denotes; it is held meanwhile, so that its end finds the binding. */
EXO_INLINE exo_status exo_queue_bind_to_pvt(struct exo_process *process, struct exo_queue *queue, const exo_u64 *a,
                                            exo_u64 *source)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_binding_list *list = (struct exo_binding_list *)EXO_NULL;
    struct exo_capability *held;
    struct exo_mail *mail = (struct exo_mail *)EXO_NULL;
    exo_status status;
    exo_u32 now;
    if (a[1] == 0) { /* the process itself: what is posted, and its quota */
        return exo_queue_bind_pvt(nucleus, queue, &process->bindings, 0, a[2], (exo_u32)a[3], source);
    }
    status = exo_capability_use(&process->capabilities, a[1], 0, 0, &held);
    if (status != EXO_OK) {
        return status;
    }
    if (held->object->kind == EXO_OBJECT_CHANNEL) {
        mail = exo_object_of(struct exo_mail, held->object);
        list = &mail->side[held->badge].bindings;
    } else if (held->object->kind == EXO_OBJECT_GROUP) {
        list = &exo_object_of(struct exo_group, held->object)->bindings;
    } else {
        status = EXO_TYPE_MISMATCH;
    }
    if (status == EXO_OK) {
        status = exo_queue_bind_pvt(nucleus, queue, list, a[1], a[2], (exo_u32)a[3], source);
    }
    if (status == EXO_OK && mail != EXO_NULL) { /* what is so already is the first event */
        now = exo_mail_events_pvt(mail, (exo_u32)held->badge);
        if (now != 0 && exo_notify_post(&queue->notify, *source, now) == EXO_OK) {
            exo_queue_ring_pvt(queue);
        }
    }
    exo_capability_done(held);
    return status;
}

/* queue_bind: queue, handle or 0, key, events */
EXO_INLINE exo_status exo_sys_queue_bind_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_queue *queue;
    exo_status status;
    if ((a[3] & ~(exo_u64)EXO_EVENTS_ALL) != 0 || a[3] == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_QUEUE, EXO_RIGHT_RECEIVE, &capability);
    if (status != EXO_OK) {
        return status;
    }
    queue = exo_object_of(struct exo_queue, capability->object);
    /* What a queue is bound to ends with capabilities of its maker. */
    status = queue->payer != process ? EXO_PERMISSION_DENIED : exo_queue_bind_to_pvt(process, queue, a, result);
    exo_capability_done(capability);
    return status;
}

/* queue_unbind: queue, source */
EXO_INLINE exo_status exo_sys_queue_unbind_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    exo_status status =
        exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_QUEUE, EXO_RIGHT_RECEIVE, &capability);
    (void)result;
    if (status == EXO_OK) {
        status = exo_queue_unbind_pvt(process->nucleus, exo_object_of(struct exo_queue, capability->object), a[1]);
        exo_capability_done(capability);
    }
    return status;
}

/* queue_post: queue, source, events of EXO_USER_EVENT and above */
EXO_INLINE exo_status exo_sys_queue_post_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_queue *queue;
    exo_status status;
    (void)result;
    if (a[2] == 0 || a[2] > EXO_EVENTS_ALL || (a[2] & (EXO_USER_EVENT - 1u)) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_QUEUE, EXO_RIGHT_SEND, &capability);
    if (status != EXO_OK) {
        return status;
    }
    queue = exo_object_of(struct exo_queue, capability->object);
    status = exo_notify_post(&queue->notify, a[1], (exo_u32)a[2]);
    if (status == EXO_OK) {
        exo_queue_ring_pvt(queue);
    }
    exo_capability_done(capability);
    return status;
}

/*
 * One look of a waiting call: the events, or the queue and its count of what arrived before the look. The queue may end
 * while the caller sleeps; its words stay.
 */
EXO_INLINE exo_status exo_wait_look_pvt(struct exo_process *process, exo_u64 handle, struct exo_sys_event *events,
                                        exo_u32 max, exo_u32 *count, struct exo_queue **queue, exo_u32 *seen)
{
    struct exo_capability *capability;
    exo_status status =
        exo_capability_use(&process->capabilities, handle, EXO_OBJECT_QUEUE, EXO_RIGHT_RECEIVE, &capability);
    if (status != EXO_OK) {
        return status;
    }
    *queue = exo_object_of(struct exo_queue, capability->object);
    if (process->remote) {
        exo_store32(&(*queue)->told, 1u, EXO_RELAXED); /* relaxed: remote processes are served by one thread */
    } else {
        *seen = exo_queue_announce_pvt(*queue);
    }
    *count = exo_queue_take_pvt(*queue, events, max);
    exo_capability_done(capability);
    return EXO_OK;
}

/* Nothing came: sleep until something does. Whatever ends the sleep, the caller looks again. */
EXO_INLINE exo_status exo_wait_sleep_pvt(const struct exo_process *process, struct exo_queue *queue, exo_u32 seen,
                                         exo_u64 deadline_ns)
{
    if (process->remote || deadline_ns == EXO_NOW) {
        return EXO_WOULD_BLOCK;
    }
    if (deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
        return EXO_TIMEOUT;
    }
    if (process->ending != EXO_NULL && exo_load32(process->ending, EXO_RELAXED) != 0) { /* relaxed: a sleep ends early then */
        return EXO_CLOSED;
    }
    exo_port_wait(&queue->rang, seen, deadline_ns, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
    return EXO_OK;
}

/* wait: queue, [out] events, deadline */
EXO_INLINE exo_status exo_sys_wait_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_sys_event events[EXO_QUEUE_EVENTS];
    exo_size room = a[2] < sizeof(events) ? (exo_size)a[2] : sizeof(events);
    exo_u32 max = (exo_u32)(room / sizeof(events[0]));
    struct exo_queue *queue = (struct exo_queue *)EXO_NULL;
    exo_u32 count = 0;
    exo_u32 seen = 0;
    exo_status status;
    __builtin_memset(events, 0, sizeof(events));
    if (max == 0) {
        return EXO_BUFFER_TOO_SMALL;
    }
    /* A buffer that cannot be written costs no event. */
    status = exo_port_copy_to_user(process->space.port, a[1], events, max * sizeof(events[0]));
    while (status == EXO_OK && count == 0) {
        status = exo_wait_look_pvt(process, a[0], events, max, &count, &queue, &seen);
        if (status != EXO_OK) {
            break;
        }
        status = count != 0 ? EXO_OK : exo_wait_sleep_pvt(process, queue, seen, a[3]);
        if (!process->remote) {
            exo_queue_awake_pvt(queue);
        }
    }
    if (status == EXO_OK) {
        status = exo_port_copy_to_user(process->space.port, a[1], events, count * sizeof(events[0]));
        *result = status == EXO_OK ? count * sizeof(events[0]) : 0;
    }
    return status;
}

#endif
