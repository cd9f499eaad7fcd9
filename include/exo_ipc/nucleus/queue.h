/* SPDX-License-Identifier: MIT */
/*
 * Queues of events that the nucleus keeps for processes: channel/notify.h behind capabilities, and who is told of what.
 *
 *   something happens to a channel, an account ---> its list of bindings ---> source of a queue ---> sleeper
 *
 * A binding joins one source of a queue with one object, for as long as the capability lasts under which it was made. It is
 * kept in the queue's memory, source by source, and linked into the object's list.
 *
 * A sleeper sleeps on `rang`, a count of what arrived, which it reads before it looks: whoever posts counts after it has
 * posted, so what came after the look ends the sleep at once. Nobody who sleeps holds anything: the queue may end
 * meanwhile, the word is the table's and stays.
 *
 *   post                                  wait
 *   -----------------------------------   -------------------------------------
 *   P1 event, bits, posted (notify.h)     S1 sleepers + 1
 *   P2 rang + 1                           S2 fence
 *   P3 fence                              S3 read rang
 *   P4 sleepers? wake                     S4 look; sleep unless rang changed
 *
 * Of P2-P4 and S1-S3 one sees the other: either P4 sees the sleeper, or S3 sees the new count, and then the look sees P1.
 */
#ifndef EXO_IPC_NUCLEUS_QUEUE_H
#define EXO_IPC_NUCLEUS_QUEUE_H

#include "../channel/notify.h"
#include "process.h"

/* Sources of one queue at most, and events that one wait delivers at most. */
#define EXO_QUEUE_SLOTS_MAX 4096u
#define EXO_QUEUE_EVENTS 8u

/* A queue of the nucleus. */
struct exo_queue {
    struct exo_table_item item;
    struct exo_object object;
    struct exo_process *payer;
    exo_u32 lock; /* guards notify but for posts */
    exo_u32 rang;
    exo_u32 sleepers;
    exo_u32 told; /* somebody waits where the nucleus cannot see it */
    struct exo_notify notify;
    exo_u8 *memory; /* the sources, then a binding for each */
    exo_size memory_bytes;
    struct exo_binding *bindings;
};

/* One source of a queue, and what it is bound to. Guarded by the nucleus's binding lock. */
struct exo_binding {
    struct exo_binding *next;
    struct exo_binding *previous;
    struct exo_binding_list *list; /* null: only posted to by the user, or not in use */
    struct exo_queue *queue;
    exo_u64 source;
    exo_u64 handle; /* ends with this capability of the queue's process */
};

#define exo_object_of(type, pointer)                                                                                       \
    ((type *)(void *)((exo_u8 *)(pointer) - __builtin_offsetof(type, object)))

/* P2 to P4: something arrived. */
EXO_INLINE void exo_queue_ring_pvt(struct exo_queue *queue)
{
    (void)exo_fetch_add32(&queue->rang, 1u, EXO_RELEASE); /* [queue:rang] pairs [queue:look] */
    exo_fence_seq();                                      /* [queue:woken] pairs [queue:sleep] */
    /* relaxed: the fences decide */
    if (exo_load32(&queue->sleepers, EXO_RELAXED) != 0) {
        exo_port_wake(&queue->rang, 0xFFFFFFFFu, EXO_FALSE);
    }
    if (exo_load32(&queue->told, EXO_RELAXED) != 0) { /* relaxed: remote processes are served by one thread */
        exo_store32(&queue->told, 0u, EXO_RELAXED);   /* relaxed: same */
        queue->payer->nucleus->config.rang(queue->payer->nucleus->config.context, queue->payer,
                                           exo_table_handle(&queue->item));
    }
}

/* Tell all that are bound to a list. */
EXO_INLINE void exo_bindings_post_pvt(struct exo_nucleus *nucleus, struct exo_binding_list *list, exo_u32 events)
{
    struct exo_binding *at;
    if (exo_load32(&list->count, EXO_RELAXED) == 0) { /* relaxed: who binds looks at the state afterwards */
        return;
    }
    exo_port_lock(&nucleus->binding_lock);
    for (at = list->first; at != EXO_NULL; at = at->next) {
        if (exo_notify_post(&at->queue->notify, at->source, events) == EXO_OK) {
            exo_queue_ring_pvt(at->queue);
        }
    }
    exo_port_unlock(&nucleus->binding_lock);
}

EXO_INLINE void exo_binding_unlink_pvt(struct exo_binding *binding)
{
    struct exo_binding_list *list = binding->list;
    if (list == EXO_NULL) {
        return;
    }
    if (binding->previous == EXO_NULL) {
        list->first = binding->next;
    } else {
        binding->previous->next = binding->next;
    }
    if (binding->next != EXO_NULL) {
        binding->next->previous = binding->previous;
    }
    exo_store32(&list->count, list->count - 1, EXO_RELAXED); /* relaxed: a hint */
    binding->list = (struct exo_binding_list *)EXO_NULL;
}

/* End what is bound to a list under a capability of a process; all of it where process is null. */
EXO_INLINE void exo_bindings_end_pvt(struct exo_nucleus *nucleus, struct exo_binding_list *list,
                                     const struct exo_process *process, exo_u64 handle)
{
    struct exo_binding *at;
    struct exo_binding *next;
    if (exo_load32(&list->count, EXO_RELAXED) == 0) { /* relaxed: whoever binds holds the capability meanwhile */
        return;
    }
    exo_port_lock(&nucleus->binding_lock);
    for (at = list->first; at != EXO_NULL; at = next) {
        next = at->next;
        if (process == EXO_NULL || (at->queue->payer == process && at->handle == handle)) {
            exo_binding_unlink_pvt(at);
        }
    }
    exo_port_unlock(&nucleus->binding_lock);
}

/* Bind a new source of a queue to a list, or to none. */
EXO_INLINE exo_status exo_queue_bind_pvt(struct exo_nucleus *nucleus, struct exo_queue *queue,
                                         struct exo_binding_list *list, exo_u64 handle, exo_u64 key, exo_u32 events,
                                         exo_u64 *source)
{
    struct exo_binding *binding;
    exo_status status;
    exo_port_lock(&queue->lock);
    status = exo_notify_add(&queue->notify, (const struct exo_waitable *)EXO_NULL, key, events, EXO_EDGE, source);
    exo_port_unlock(&queue->lock);
    if (status != EXO_OK || list == EXO_NULL) {
        return status;
    }
    exo_port_lock(&nucleus->binding_lock);
    binding = &queue->bindings[(exo_u32)*source];
    binding->queue = queue;
    binding->source = *source;
    binding->handle = handle;
    binding->list = list;
    binding->previous = (struct exo_binding *)EXO_NULL;
    binding->next = list->first;
    if (list->first != EXO_NULL) {
        list->first->previous = binding;
    }
    list->first = binding;
    exo_store32(&list->count, list->count + 1, EXO_RELAXED); /* relaxed: a hint */
    exo_port_unlock(&nucleus->binding_lock);
    return EXO_OK;
}

EXO_INLINE exo_status exo_queue_unbind_pvt(struct exo_nucleus *nucleus, struct exo_queue *queue, exo_u64 source)
{
    exo_status status;
    exo_port_lock(&queue->lock);
    status = exo_notify_remove(&queue->notify, source);
    if (status == EXO_OK) {
        exo_port_lock(&nucleus->binding_lock);
        exo_binding_unlink_pvt(&queue->bindings[(exo_u32)source]);
        exo_port_unlock(&nucleus->binding_lock);
    }
    exo_port_unlock(&queue->lock);
    return status;
}

/* Make a queue of that many sources for a process. Charged: its slots. */
EXO_INLINE exo_status exo_queue_make_pvt(struct exo_process *process, exo_u32 slots, struct exo_queue **made)
{
    struct exo_nucleus *nucleus = process->nucleus;
    exo_size bytes = (exo_size)exo_align_up(slots * (sizeof(struct exo_notify_source) + sizeof(struct exo_binding)),
                                            EXO_LINE_PAIR);
    struct exo_queue *queue;
    exo_status status = exo_quota_charge(&process->account, EXO_QUOTA_SLOTS, slots);
    exo_u8 *memory;
    if (status != EXO_OK) {
        return status;
    }
    memory = (exo_u8 *)exo_port_page_alloc(bytes);
    queue = memory == EXO_NULL ? (struct exo_queue *)EXO_NULL
                               : (struct exo_queue *)exo_nucleus_take_pvt(nucleus, &nucleus->queues);
    if (queue == EXO_NULL) {
        if (memory != EXO_NULL) {
            exo_port_page_free(memory, bytes);
        }
        (void)exo_quota_return(&process->account, EXO_QUOTA_SLOTS, slots);
        return EXO_NO_MEMORY;
    }
    exo_object_init(&queue->object, EXO_OBJECT_QUEUE);
    queue->payer = process;
    queue->memory = memory;
    queue->memory_bytes = bytes;
    queue->bindings = (struct exo_binding *)(void *)(memory + slots * sizeof(struct exo_notify_source));
    exo_store32(&queue->told, 0u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
    status = exo_notify_init(&queue->notify, (struct exo_notify_source *)(void *)memory, slots);
    exo_process_hold_pvt(process);
    *made = queue;
    return status;
}

/* The last capability of a queue has ended. */
EXO_INLINE void exo_queue_release_pvt(struct exo_nucleus *nucleus, struct exo_queue *queue)
{
    struct exo_process *payer = queue->payer;
    exo_u32 slots = queue->notify.capacity;
    exo_u32 i;
    exo_port_lock(&nucleus->binding_lock);
    for (i = 0; i < slots; i++) {
        exo_binding_unlink_pvt(&queue->bindings[i]);
    }
    exo_port_unlock(&nucleus->binding_lock);
    exo_notify_fini(&queue->notify);
    exo_port_page_free(queue->memory, queue->memory_bytes);
    exo_nucleus_give_pvt(nucleus, &nucleus->queues, &queue->item);
    (void)exo_quota_return(&payer->account, EXO_QUOTA_SLOTS, slots);
    exo_process_put_pvt(payer);
}

/* S1 to S3: the caller is about to look, and to sleep if there is nothing. Gives the count to sleep on. */
EXO_INLINE exo_u32 exo_queue_announce_pvt(struct exo_queue *queue)
{
    (void)exo_fetch_add32(&queue->sleepers, 1u, EXO_RELAXED); /* relaxed: the fence orders it */
    exo_fence_seq();                                          /* [queue:sleep] pairs [queue:woken] */
    return exo_load32(&queue->rang, EXO_ACQUIRE);             /* [queue:look] pairs [queue:rang] */
}

/* The caller does not sleep any more. */
EXO_INLINE void exo_queue_awake_pvt(struct exo_queue *queue)
{
    (void)exo_fetch_add32(&queue->sleepers, ~0u, EXO_RELAXED); /* relaxed: a useless wake-up at most */
}

/* Up to EXO_QUEUE_EVENTS events, without waiting. */
EXO_INLINE exo_u32 exo_queue_take_pvt(struct exo_queue *queue, struct exo_sys_event *events, exo_u32 max)
{
    struct exo_event event;
    exo_u32 count = 0;
    exo_port_lock(&queue->lock);
    while (count < max && exo_notify_next(&queue->notify, &event) == EXO_OK) {
        events[count].key = event.key;
        events[count].source = event.source;
        events[count].events = event.events;
        events[count].reserved = 0;
        count++;
    }
    exo_port_unlock(&queue->lock);
    return count;
}

#endif
