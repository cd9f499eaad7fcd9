/* SPDX-License-Identifier: MIT */
/*
 * A mailbox: descriptors that go along with messages, over the socket that the two processes share.
 *
 * A ring carries bytes; a descriptor the kernel has to carry. The sender posts it with a tag before it sends its message;
 * the receiver has the message, knows the tag and takes the descriptor, which is in the socket by then. The tag is
 * whatever both sides know of the message, such as its lane and position: nothing is counted in shared memory.
 *
 *   sender      post(tag, descriptor)   then send the message
 *   receiver    receive the message     then take(tag)
 *
 * A sender that posted and then could not send its message posts again with the same tag: the later one counts; -1 takes it
 * back. What the receiver finds in front of the descriptor that it wants it keeps in a stash, up to EXO_MAILBOX_STASH
 * of them. When that is full, more are left in the socket, and a take for one that is not the next answers
 * EXO_QUOTA_EXCEEDED until others were taken or discarded; nothing is lost.
 *
 * The same socket rings (exo_fd.h): a ring that take() meets on its way is passed on to whoever waits for it.
 *
 * Two threads may use a mailbox, one that sends and one that receives: posts need no lock, and all that reads the
 * socket holds one, also while it waits. Whoever else wants to know about rings leaves them to that one.
 *
 * A hostile peer can send anything, never and for ever: a malformed letter makes the mailbox Corrupt, which sticks; the
 * stash is bounded; a flood is read for no longer than the deadline; a descriptor that was not wanted is closed with the
 * mailbox. A descriptor that arrived may be of any kind and shared with the peer: whoever takes it checks it.
 */
#ifndef EXO_PORT_LINUX_MAILBOX_H
#define EXO_PORT_LINUX_MAILBOX_H

#include <sys/timerfd.h>

#include "exo_letter.h"

/* Descriptors that are kept for a later take. */
#define EXO_MAILBOX_STASH 16u

/* So many letters one call reads at least, whatever its deadline: more than a socket's buffer holds. */
#define EXO_MAILBOX_LETTERS 1024u

/* So often a call that must not wait tries to get the lock. */
#define EXO_MAILBOX_TURNS 1000u

struct exo_parcel {
    exo_u64 tag;
    int descriptor; /* -1: there was no room for it in this process */
};

/**
 * struct exo_mailbox - one process's side of a socket. Its members are the library's.
 */
struct exo_mailbox {
    int socket;
    exo_u32 lock;       /* 0 free, 1 held, 2 held and waited for */
    exo_status refused; /* EXO_OK, or EXO_CORRUPT for good */
    exo_u32 rung;       /* a ring was read by somebody who did not wait for it */
    exo_u32 chime;      /* the timer that tells who does, plus 1; 0: nobody does */
    exo_u32 count;
    struct exo_parcel stash[EXO_MAILBOX_STASH + 1]; /* and the one that is just being taken */
};

/**
 * exo_mailbox_init - an empty mailbox over a connected socket, whose handshake is over.
 * @mailbox: the object, in the caller's memory
 * @socket: stays the caller's, and open for as long as the mailbox is
 */
EXO_INLINE void exo_mailbox_init(struct exo_mailbox *mailbox, int socket)
{
    memset(mailbox, 0, sizeof(*mailbox));
    mailbox->socket = socket;
    mailbox->refused = EXO_OK;
}

/**
 * exo_mailbox_close - close all descriptors that nobody took. Harmless a second time.
 *
 * Context: nobody else uses the mailbox any more. errno stays as it was.
 */
EXO_INLINE void exo_mailbox_close(struct exo_mailbox *mailbox)
{
    while (mailbox->count != 0) {
        exo_descriptor_close_pvt(&mailbox->stash[--mailbox->count].descriptor);
    }
    mailbox->socket = -1;
}

EXO_INLINE exo_bool exo_mailbox_try_lock_pvt(struct exo_mailbox *mailbox)
{
    exo_u32 nobody = 0;
    /* [mailbox:try_lock] pairs [mailbox:unlock] */
    return exo_cas32(&mailbox->lock, &nobody, 1u, EXO_ACQUIRE);
}

EXO_INLINE exo_status exo_mailbox_lock_pvt(struct exo_mailbox *mailbox, exo_u64 deadline_ns)
{
    exo_u32 turn;
    for (turn = 0; turn < EXO_MAILBOX_TURNS; turn++) {
        if (exo_mailbox_try_lock_pvt(mailbox)) {
            return EXO_OK;
        }
        exo_cpu_relax();
    }
    while (deadline_ns == EXO_FOREVER || exo_port_now_ns() < deadline_ns) {
        exo_u32 state = 0;
        /* [mailbox:lock] pairs [mailbox:unlock] */
        if (exo_cas32(&mailbox->lock, &state, 2u, EXO_ACQUIRE)) {
            return EXO_OK;
        }
        /* relaxed: tells the holder to wake somebody */
        if (state == 2 || exo_cas32(&mailbox->lock, &state, 2u, EXO_RELAXED)) {
            exo_port_wait(&mailbox->lock, 2u, deadline_ns, EXO_FALSE, NULL);
        }
    }
    return deadline_ns == EXO_NOW ? EXO_WOULD_BLOCK : EXO_TIMEOUT;
}

EXO_INLINE void exo_mailbox_unlock_pvt(struct exo_mailbox *mailbox)
{
    /* [mailbox:unlock] pairs [mailbox:try_lock], [mailbox:lock] */
    if (exo_fetch_and32(&mailbox->lock, 0u, EXO_RELEASE) == 2) {
        exo_port_wake(&mailbox->lock, 1u, EXO_FALSE);
    }
}

/* Make the descriptor of whoever waits for rings readable now. */
EXO_INLINE void exo_mailbox_chime_pvt(struct exo_mailbox *mailbox)
{
    struct itimerspec now = {{0, 0}, {0, 1}};
    exo_u32 chime;
    /* [mailbox:rung] pairs [gate:rung] */
    exo_store32(&mailbox->rung, 1u, EXO_RELEASE);
    chime = exo_load32(&mailbox->chime, EXO_RELAXED); /* relaxed: set before anybody rings for its sake */
    if (chime != 0) {
        (void)timerfd_settime((int)chime - 1, 0, &now, NULL);
    }
}

/* Where a tag is in the stash, or count. */
EXO_INLINE exo_u32 exo_mailbox_index_pvt(const struct exo_mailbox *mailbox, exo_u64 tag)
{
    exo_u32 i = 0;
    while (i < mailbox->count && mailbox->stash[i].tag != tag) {
        i++;
    }
    return i;
}

/* The stash is full: whether the next letter can be read without putting anything more into it. */
EXO_INLINE exo_status exo_mailbox_fits_pvt(const struct exo_mailbox *mailbox, const exo_u64 *wanted,
                                           exo_u64 deadline_ns)
{
    struct exo_letter letter = {0, 0, 0};
    exo_status status = exo_socket_wait_pvt(mailbox->socket, POLLIN, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (recv(mailbox->socket, &letter, sizeof(letter), MSG_PEEK | MSG_DONTWAIT) != (ssize_t)sizeof(letter) ||
        letter.magic != EXO_LETTER_MAGIC || letter.what != EXO_LETTER_DESCRIPTOR ||
        (wanted != NULL && letter.tag == *wanted)) {
        return EXO_OK;
    }
    return exo_mailbox_index_pvt(mailbox, letter.tag) < mailbox->count ? EXO_OK : EXO_QUOTA_EXCEEDED;
}

/* A letter that came: `lost` says that its descriptor did not. */
EXO_INLINE exo_status exo_mailbox_sort_pvt(struct exo_mailbox *mailbox, const struct exo_letter *letter,
                                           int descriptor, exo_bool lost, exo_bool *ring)
{
    exo_u32 i = exo_mailbox_index_pvt(mailbox, letter->tag);
    if (letter->what == EXO_LETTER_RING && descriptor < 0 && !lost) {
        *ring = EXO_TRUE;
        return EXO_OK;
    }
    if (letter->what != EXO_LETTER_DESCRIPTOR) {
        exo_descriptor_close_pvt(&descriptor);
        return EXO_CORRUPT;
    }
    if (i < mailbox->count) {
        exo_descriptor_close_pvt(&mailbox->stash[i].descriptor);
        mailbox->stash[i] = mailbox->stash[--mailbox->count];
    }
    if (descriptor >= 0 || lost) {
        mailbox->stash[mailbox->count].tag = letter->tag;
        mailbox->stash[mailbox->count++].descriptor = descriptor;
    }
    return EXO_OK;
}

/* Read one letter; the lock is held. `wanted` may go over the full stash. */
EXO_INLINE exo_status exo_mailbox_read_pvt(struct exo_mailbox *mailbox, const exo_u64 *wanted, exo_bool *ring,
                                           exo_u64 deadline_ns)
{
    struct exo_letter letter;
    int descriptor = -1;
    exo_status status = mailbox->refused;
    if (status == EXO_OK && mailbox->count >= EXO_MAILBOX_STASH) {
        status = exo_mailbox_fits_pvt(mailbox, wanted, deadline_ns);
    }
    if (status != EXO_OK) {
        return status;
    }
    status = exo_letter_recv_pvt(mailbox->socket, &letter, &descriptor, deadline_ns);
    if (status == EXO_OK || status == EXO_QUOTA_EXCEEDED) {
        status = exo_mailbox_sort_pvt(mailbox, &letter, descriptor, status != EXO_OK, ring);
    }
    if (status == EXO_CORRUPT) {
        mailbox->refused = status;
    }
    return status;
}

/* Take it out of the stash. */
EXO_INLINE exo_status exo_mailbox_find_pvt(struct exo_mailbox *mailbox, exo_u64 tag, int *descriptor)
{
    exo_u32 i = exo_mailbox_index_pvt(mailbox, tag);
    int found;
    if (i >= mailbox->count) {
        return EXO_NOT_FOUND;
    }
    found = mailbox->stash[i].descriptor;
    mailbox->stash[i] = mailbox->stash[--mailbox->count];
    if (found < 0) {
        return EXO_QUOTA_EXCEEDED;
    }
    *descriptor = found;
    return EXO_OK;
}

/**
 * exo_mailbox_post - send a descriptor ahead of the message that it belongs to.
 * @mailbox: the sender's
 * @tag: names the message: (lane << 56 | low 56 bits of its position), say. One that was posted before is replaced
 * @descriptor: of any kind; stays open here too. -1: take back what was posted under this tag
 * @deadline_ns: until when to wait for room in the socket, absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: EXO_OK; EXO_PEER_DIED; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_QUOTA_EXCEEDED if the system lets this
 * user have no more descriptors on the way; EXO_INVALID_ARGUMENT if it is no descriptor; EXO_SYSTEM_ERROR. On an error
 * nothing was posted. Context: any thread, may sleep. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_mailbox_post(struct exo_mailbox *mailbox, exo_u64 tag, int descriptor,
                                                    exo_u64 deadline_ns)
{
    int saved = errno;
    exo_status status = descriptor < -1 ? EXO_INVALID_ARGUMENT
                                        : exo_letter_send_pvt(mailbox->socket, EXO_LETTER_DESCRIPTOR, tag,
                                                              descriptor, deadline_ns);
    errno = saved;
    return status;
}

/**
 * exo_mailbox_take - get the descriptor that belongs to a message.
 * @mailbox: the receiver's
 * @tag: as it was posted
 * @descriptor: written on success only; the caller's from then on, close-on-exec, of a kind that the caller checks
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER. What an honest peer posted for a message that was received
 *   is there: EXO_NOW is enough
 *
 * Returns: EXO_OK; EXO_TIMEOUT, and EXO_WOULD_BLOCK with EXO_NOW, if it has not come; EXO_PEER_DIED if it will not;
 * EXO_QUOTA_EXCEEDED if there was no room for it in this process (it is lost then), or if the stash is full and
 * another one is next; EXO_CORRUPT, for good, after nonsense. EXO_WOULD_BLOCK, too, while another thread reads.
 * Context: may sleep; one thread at a time, or others wait until their own deadline. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_mailbox_take(struct exo_mailbox *mailbox, exo_u64 tag,
                                                    int *descriptor, exo_u64 deadline_ns)
{
    int saved = errno;
    exo_u32 letters;
    exo_status status = exo_mailbox_lock_pvt(mailbox, deadline_ns);
    if (status != EXO_OK) {
        errno = saved;
        return status;
    }
    for (letters = 0;; letters += letters < EXO_MAILBOX_LETTERS) {
        exo_bool ring = EXO_FALSE;
        status = exo_mailbox_find_pvt(mailbox, tag, descriptor);
        if (status != EXO_NOT_FOUND) {
            break;
        }
        if (letters >= EXO_MAILBOX_LETTERS && exo_port_now_ns() >= deadline_ns) {
            status = deadline_ns == EXO_NOW ? EXO_WOULD_BLOCK : EXO_TIMEOUT;
            break;
        }
        status = exo_mailbox_read_pvt(mailbox, &tag, &ring, deadline_ns);
        if (ring) {
            exo_mailbox_chime_pvt(mailbox);
        }
        if (status != EXO_OK) {
            break;
        }
    }
    exo_mailbox_unlock_pvt(mailbox);
    errno = saved;
    return status;
}

/**
 * exo_mailbox_discard - close the descriptor that belongs to a message, without a look at it.
 * @mailbox, @tag: as exo_mailbox_take()
 *
 * Returns: as exo_mailbox_take() with EXO_NOW.
 */
EXO_INLINE exo_status exo_mailbox_discard(struct exo_mailbox *mailbox, exo_u64 tag)
{
    int descriptor = -1;
    exo_status status = exo_mailbox_take(mailbox, tag, &descriptor, EXO_NOW);
    exo_descriptor_close_pvt(&descriptor);
    return status;
}

/* Read all letters that have come; says whether there were any. Returns EXO_OK when there are none left, or somebody
 * else reads them, who passes rings on; else as exo_mailbox_read_pvt(). */
EXO_INLINE exo_status exo_mailbox_collect_pvt(struct exo_mailbox *mailbox, exo_bool *any)
{
    exo_bool ring = EXO_FALSE;
    exo_status status = EXO_OK;
    int saved = errno;
    exo_u32 letters;
    *any = EXO_TRUE;
    if (!exo_mailbox_try_lock_pvt(mailbox)) {
        return EXO_OK;
    }
    for (letters = 0; status == EXO_OK && letters < EXO_MAILBOX_LETTERS; letters++) {
        status = exo_mailbox_read_pvt(mailbox, NULL, &ring, EXO_NOW);
    }
    exo_mailbox_unlock_pvt(mailbox);
    *any = letters > 1;
    errno = saved;
    return status == EXO_WOULD_BLOCK ? EXO_OK : status;
}

#endif
