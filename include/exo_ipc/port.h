/* SPDX-License-Identifier: MIT */
/*
 * The port contract: all that the library asks of the system under it, on one page.
 *
 * A port is one header, named by EXO_IPC_PORT (for example -DEXO_IPC_PORT='"my_port.h"'). It includes
 * only headers of base/ and its own system's, and defines every name below as a static inline function. Without EXO_IPC_PORT, Linux user space is taken where it is the compiler's target.
 * port/freestanding/exo_port.h is the worked example to copy; tests/port/ is the acceptance test.
 *
 *  hook                    may sleep  from interrupt  called
 *  ----------------------- ---------  --------------  ------------------------------------------------
 *  exo_port_copy           no         yes             for payloads of unknown size
 *  exo_port_fence_setup    no         no              once per segment
 *  exo_port_fence_heavy    no         no              by a side that is about to sleep
 *  exo_port_wait           yes        no              by a side that found nothing to do
 *  exo_port_wait_many      yes        no              by a side that found nothing to do in many places
 *  exo_port_wake           no         yes             by a side that saw the other asleep
 *  exo_port_ring_bell      no         yes             by a side that saw the other asleep elsewhere; optional
 *  exo_port_now_ns         no         yes             before and after a wait that has a deadline
 *  exo_port_self           no         yes             at attach, and when a slot is claimed
 *  exo_port_process        yes        no              at attach
 *  exo_port_process_alive  no         no              when a dead process may be in the way
 *  exo_port_peer_alive     no         no              when there is nothing to receive, or no room
 *  exo_port_page_alloc     yes        no              at creation
 *  exo_port_page_free      yes        no              at destruction
 *
 * The trusted side (shared_memory/, nucleus/) asks for these too; port_pages.h has their rules. A port that leaves
 * EXO_PORT_HAS_PAGES out gets them from there, made of the ones above: one address space, in which frames are where they are.
 *
 *  exo_port_frame_alloc    yes        no              for memory that is to be shared
 *  exo_port_frame_free     yes        no              when nobody shares it any more
 *  exo_port_map            yes        no              to make frames visible in an address space
 *  exo_port_unmap          yes        no              before the frames go
 *  exo_port_protect        yes        no              to change what a mapping allows
 *  exo_port_copy_from_user yes        no              in a call of a process
 *  exo_port_copy_to_user   yes        no              in a call of a process
 *  exo_port_lock           no         no              around a few dozen instructions
 *  exo_port_unlock         no         no              after them
 */
#ifndef EXO_IPC_PORT_H
#define EXO_IPC_PORT_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "base/config.h"
#include "base/cpu.h"
#include "base/map_flags.h"
#include "base/math.h"
#include "base/status.h"
#include "base/types.h"
#include "base/wait_word.h"

/* What a port knows of the process at the other end; null where both ends live and die together. Its
 * members are the port's own. */
struct exo_port_peer;

/* An address space; null stands for the caller's own. */
struct exo_port_space;

/* How to reach a sleeper that sleeps on something of the system's, a descriptor say. The port's own too. */
struct exo_port_bell;

#ifdef EXO_IPC_PORT
#include EXO_IPC_PORT
#elif defined(__linux__) && __STDC_HOSTED__
#if __has_include("../../port/linux/exo_port.h")
#include "../../port/linux/exo_port.h"
#else
#include "../exo_ipc-port/linux/exo_port.h"
#endif
#else
#error "define EXO_IPC_PORT: this is neither Linux user space nor is a port named"
#endif

#ifndef EXO_PORT_FENCE_DOUBT_NS
#define EXO_PORT_FENCE_DOUBT_NS 0u
#endif
#ifndef EXO_PORT_HAS_WAIT_MANY
#define EXO_PORT_HAS_WAIT_MANY 0
#endif

/* How long a sleep on several words lasts at most where it does not end with the change of each of them. */
#ifndef EXO_PORT_MANY_SLICE_NS
#define EXO_PORT_MANY_SLICE_NS 1000000u
#endif

/* Whether the port has bells. */
#ifndef EXO_PORT_HAS_BELL
#define EXO_PORT_HAS_BELL 0
#endif

/**
 * exo_port_copy - copy bytes between buffers that do not overlap.
 * @to: destination  @from: source  @bytes: any number, 0 included
 */
EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes);

/**
 * exo_port_fence_setup - prepare this process for asymmetric fences.
 *
 * Returns: true if, from now on, exo_port_fence_heavy() called in any process makes every thread of this
 * process pass a full memory fence where it stands, and may itself be called here. False if not; the
 * library then pays a full fence on both sides. A port without such a thing returns false: that is
 * always correct. Idempotent.
 *
 * A port whose heavy fence may miss a thread of another process, if rarely, defines EXO_PORT_FENCE_DOUBT_NS: the
 * sleep after one is first that short, then twice as long each time.
 */
EXO_INLINE exo_bool exo_port_fence_setup(void);

/**
 * exo_port_fence_heavy - full fence here and in every thread that exo_port_fence_setup() covers.
 * @shared: whether threads of other processes matter, not only those of this one
 *
 * Only called where exo_port_fence_setup() returned true on both sides.
 */
EXO_INLINE void exo_port_fence_heavy(exo_bool shared);

/**
 * exo_port_wait - sleep until a word changes.
 * @word: 32-bit word, possibly mapped read-only here and at another address elsewhere
 * @expected: do not sleep if the word has another value; the check and falling asleep are one step
 *   as seen by exo_port_wake()
 * @deadline_ns: absolute, on the clock of exo_port_now_ns(); EXO_FOREVER for none
 * @shared: whether a waker may live in another address space than this sleeper
 * @peer: null, or the process whose death must end the sleep within 100 ms
 *
 * May return early for any reason: the caller looks again and decides. Must return soon after
 * exo_port_wake() on the same word, the deadline, or the peer's death.
 */
EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                              exo_bool shared, struct exo_port_peer *peer);

/**
 * exo_port_wait_many - sleep until one of several words changes.
 * @first: the words, one or more, linked by `next`; the caller's until the call returns, but for `room`
 * @deadline_ns: as exo_port_wait()
 *
 * Each word is waited for as exo_port_wait() would: its expected value, its wakers, its peer. May return early for any
 * reason, and does not say which word it was. A peer that is known to be dead is not passed: its death would end
 * every sleep.
 *
 * A port that has this defines EXO_PORT_HAS_WAIT_MANY 1. For the others it is made of exo_port_wait(): the sleep is on
 * the first word and lasts EXO_PORT_MANY_SLICE_NS (1 ms) at most, which is how late a change of the others, or the death
 * of their peers, may be noticed; a caller that waits again puts another word first.
 */
EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns);

#if !EXO_PORT_HAS_WAIT_MANY
EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    if (exo_wait_word_changed(first)) {
        return;
    }
    if (first->next != EXO_NULL) {
        deadline_ns = exo_min64(deadline_ns, exo_port_now_ns() + EXO_PORT_MANY_SLICE_NS);
    }
    exo_port_wait(first->word, first->expected, deadline_ns, first->shared, first->peer);
}
#endif

/**
 * exo_port_wake - wake sleepers of a word that the caller has just changed.
 * @word: the word, at this side's address of it
 * @count: wake at most this many; 0xFFFFFFFF for all
 * @shared: as the sleepers said
 */
EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared);

/**
 * exo_port_ring_bell - reach a sleeper that announced itself with EXO_WAIT_BELL.
 * @bell: what the handle of this side was given; never null
 *
 * Must end the sleep that the sleeper is in, or make the next one end at once, if it happens before the sleeper has
 * looked at its bell again; may do so for nothing. Never sleeps, whatever the sleeper does with its end. A port
 * without bells leaves EXO_PORT_HAS_BELL and this out.
 */
EXO_INLINE void exo_port_ring_bell(struct exo_port_bell *bell);

#if !EXO_PORT_HAS_BELL
EXO_INLINE void exo_port_ring_bell(struct exo_port_bell *bell)
{
    (void)bell;
}
#endif

/**
 * exo_port_now_ns - nanoseconds of a clock that never goes back and is the same for both ends.
 */
EXO_INLINE exo_u64 exo_port_now_ns(void);

/**
 * exo_port_self - identity of the calling thread of execution, for claims.
 *
 * Returns: a value in 1 .. 2^24 - 1 that no other living thread has, among those that share rings. On Linux it
 * is the thread's number in its PID namespace: processes of different ones share no ring with several
 * producers.
 */
EXO_INLINE exo_u32 exo_port_self(void);

/**
 * exo_port_process - identity of the calling process, for others to ask whether it lives.
 *
 * Returns: the process's number, 1 .. 2^24 - 1, in bits 0 to 23; in bits 24 to 47 something of its birth, so that a
 * number that is used again names another process, or 0 where that cannot be known. Not for threads: a
 * handle may pass from one to another.
 */
EXO_INLINE exo_u64 exo_port_process(void);

/**
 * exo_port_process_alive - whether a process still exists.
 * @process: what exo_port_process() answered there; a birth of 0 is not compared
 *
 * Returns: false only when the kernel has confirmed the death, and then what the dead one wrote is visible. In doubt,
 * true; never by time alone.
 */
EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process);

/**
 * exo_port_peer_alive - whether the process at the other end still exists.
 * @peer: null means "always alive"
 *
 * Returns: false only when the kernel has confirmed the death; it is final. Cheap enough to be called
 * whenever a ring is found empty.
 */
EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer);

/**
 * exo_port_page_alloc - memory for a ring within one address space.
 * @bytes: a multiple of 64; 0 may be answered with null
 *
 * Returns: zeroed, committed memory aligned to at least 128 bytes (a page where there are pages), or null.
 */
EXO_INLINE void *exo_port_page_alloc(exo_size bytes);

/**
 * exo_port_page_free - give back what exo_port_page_alloc() returned, with the same size.
 */
EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes);

#endif
