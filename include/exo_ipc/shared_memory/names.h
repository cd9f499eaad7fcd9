/* SPDX-License-Identifier: MIT */
/*
 * Names: from 1 to 255 bytes to a number, found in O(1) without a lock beside additions and removals.
 *
 *   bucket word:  version << 32 | number of the first record + 1        record: text, value, the next in the chain
 *
 * A hash table by linear hashing: whenever there are more names than buckets, one bucket more splits the next old one in two,
 * so nobody ever waits for a whole table to be moved. (W. Litwin, 1980; chunks that never move after table.h.)
 *
 * Readers take no lock. Records are used again, so a chain may change under a reader; it notes the bucket's word before it
 * walks and looks at it after (a seqlock for each bucket): if that has changed, or the number of buckets has, it walks
 * again, after a few times under the lock. Writers hold the lock. While a chain changes the version is odd. A version of 32
 * bits comes again after 2^31 changes of one bucket: a reader would have to sleep through all of them and wake at the last.
 *
 * A name takes a record of some 300 bytes whatever its length, so that a record can be used again for any other.
 */
#ifndef EXO_IPC_SHARED_MEMORY_NAMES_H
#define EXO_IPC_SHARED_MEMORY_NAMES_H

#include "name_text.h"
#include "table.h"

#ifndef EXO_NAMES_FIRST
#define EXO_NAMES_FIRST 512u /* buckets in the first chunk: a page. Fewer only where tests want the table to grow */
#endif
#define EXO_NAMES_CHUNKS 22u
#define EXO_NAMES_TRIES 16u
#define EXO_NAMES_STEPS 4096u       /* records that a reader without the lock walks before it doubts the chain */
#define EXO_NAMES_LOST 0xFFFFFFFFu

/* A name. Written under the lock, read without. */
struct exo_name_record {
    struct exo_table_item item;
    exo_word64 value;
    exo_u32 link; /* number of the next in the chain + 1 */
    exo_u32 bytes;
    exo_word64 hash;
    exo_word64 text[EXO_NAME_WORDS]; /* up to the word of the last byte or the one behind it, filled up with zeros */
};

/**
 * struct exo_names - an index of names. Its members are the library's.
 */
struct exo_names {
    struct exo_table records;
    exo_word64 *chunk[EXO_NAMES_CHUNKS];
    exo_u64 seed;
    exo_u32 buckets; /* how many there are */
    exo_u32 lock;
};

/* The word of a bucket that there is. */
EXO_HOT exo_word64 *exo_names_bucket_pvt(const struct exo_names *names, exo_u32 bucket)
{
    exo_u32 chunk;
    if (bucket < EXO_NAMES_FIRST) {
        return &names->chunk[0][bucket];
    }
    chunk = exo_log2(bucket / EXO_NAMES_FIRST);
    return &names->chunk[chunk + 1][bucket - (EXO_NAMES_FIRST << chunk)];
}

/* Which bucket a hash belongs to, of so many. */
EXO_HOT exo_u32 exo_names_of_pvt(exo_u64 hash, exo_u32 buckets)
{
    exo_u32 half = 1u << exo_log2(buckets);
    exo_u32 bucket = (exo_u32)hash & (2 * half - 1);
    return bucket < buckets ? bucket : bucket & (half - 1);
}

/**
 * exo_names_init - an index without names.
 * @names: in the caller's memory
 * @seed: secret where names come from strangers
 * @most: names at most
 *
 * Returns: EXO_OK; EXO_NO_MEMORY.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_names_init(struct exo_names *names, exo_u64 seed, exo_u32 most)
{
    exo_u32 i;
    exo_table_init(&names->records, sizeof(struct exo_name_record), most);
    for (i = 0; i < EXO_NAMES_CHUNKS; i++) {
        names->chunk[i] = (exo_word64 *)EXO_NULL;
    }
    names->seed = seed;
    names->lock = 0;
    names->chunk[0] = (exo_word64 *)exo_port_page_alloc(EXO_NAMES_FIRST * sizeof(exo_word64));
    exo_store32(&names->buckets, EXO_NAMES_FIRST, EXO_RELAXED); /* relaxed: nobody knows of it yet */
    return names->chunk[0] == EXO_NULL ? EXO_NO_MEMORY : EXO_OK;
}

/**
 * exo_names_fini - give the memory back. Nobody looks any more.
 */
EXO_INLINE void exo_names_fini(struct exo_names *names)
{
    exo_u32 i;
    for (i = 0; i < EXO_NAMES_CHUNKS; i++) {
        if (names->chunk[i] != EXO_NULL) {
            exo_port_page_free(names->chunk[i], (EXO_NAMES_FIRST << (i == 0 ? 0 : i - 1)) * sizeof(exo_word64));
            names->chunk[i] = (exo_word64 *)EXO_NULL;
        }
    }
    exo_table_fini(&names->records);
}

EXO_HOT struct exo_name_record *exo_name_record_pvt(const struct exo_names *names, exo_u32 link)
{
    return (struct exo_name_record *)(void *)exo_table_at(&names->records, link - 1);
}

/* Whether a record, which may change meanwhile, has this text. */
EXO_INLINE exo_bool exo_name_is_pvt(const struct exo_name_record *record, const struct exo_name_text *text,
                                    exo_u64 hash)
{
    exo_u32 i;
    /* relaxed: checked by the version */
    if (exo_load64(&record->hash, EXO_RELAXED) != hash || exo_load32(&record->bytes, EXO_RELAXED) != text->bytes) {
        return EXO_FALSE;
    }
    for (i = 0; i <= text->bytes / 8; i++) {
        if (exo_load64(&record->text[i], EXO_RELAXED) != text->word[i]) { /* relaxed: same */
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/* Walk a chain: the link to the record of this text, 0, or EXO_NAMES_LOST after so many records. */
EXO_INLINE exo_u32 exo_names_walk_pvt(const struct exo_names *names, exo_u32 link, const struct exo_name_text *text,
                                      exo_u64 hash, exo_u32 most, exo_u64 *value)
{
    exo_u32 steps;
    for (steps = 0; link != 0; steps++) {
        const struct exo_name_record *record = exo_name_record_pvt(names, link);
        if (record == EXO_NULL || steps == most) {
            return EXO_NAMES_LOST;
        }
        if (exo_name_is_pvt(record, text, hash)) {
            *value = exo_load64(&record->value, EXO_RELAXED); /* relaxed: checked by the version */
            return link;
        }
        link = exo_load32(&record->link, EXO_RELAXED); /* relaxed: same */
    }
    return 0;
}

/* One look without the lock. False: the chain changed meanwhile, look again. */
EXO_INLINE exo_bool exo_names_look_pvt(const struct exo_names *names, const struct exo_name_text *text, exo_u64 hash,
                                       exo_u32 most, exo_u32 *link, exo_u64 *value)
{
    exo_u32 buckets = exo_load32(&names->buckets, EXO_ACQUIRE); /* [names:buckets] pairs [names:split] */
    const exo_word64 *bucket = exo_names_bucket_pvt(names, exo_names_of_pvt(hash, buckets));
    exo_u64 word = exo_load64(bucket, EXO_ACQUIRE); /* [names:before] pairs [names:changed] */
    if ((word >> 32 & 1) != 0) {
        return EXO_FALSE;
    }
    *link = exo_names_walk_pvt(names, (exo_u32)word, text, hash, most, value);
    exo_fence_acquire(); /* [names:after] pairs [names:change], [names:rewrite] */
    /* relaxed: the fence orders them behind what was read */
    return *link != EXO_NAMES_LOST && exo_load64(bucket, EXO_RELAXED) == word &&
           exo_load32(&names->buckets, EXO_RELAXED) == buckets;
}

/* Look under the lock: nothing changes, and the chain ends. */
EXO_INLINE exo_u32 exo_names_held_pvt(const struct exo_names *names, const struct exo_name_text *text, exo_u64 hash,
                                      exo_u64 *value)
{
    exo_u32 link = 0;
    (void)exo_names_look_pvt(names, text, hash, EXO_NAMES_LOST, &link, value);
    return link;
}

/**
 * exo_names_find - what a name stands for.
 * @names: the index
 * @name, @bytes: any bytes
 * @value: is set on success only
 *
 * Returns: EXO_OK; EXO_NOT_FOUND, also for what can be no name. A name that is there all the time is found.
 * Context: any thread, not from an interrupt. Progress: lock-free but for a last try.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_names_find(struct exo_names *names, const char *name, exo_size bytes,
                                                  exo_u64 *value)
{
    struct exo_name_text text;
    exo_u64 found = 0;
    exo_u64 hash;
    exo_u32 link = 0;
    exo_u32 tries;
    if (exo_name_check(name, bytes) != EXO_OK) {
        return EXO_NOT_FOUND;
    }
    exo_name_text_pvt(&text, name, bytes);
    hash = exo_name_hash_pvt(names->seed, &text);
    for (tries = 0; tries < EXO_NAMES_TRIES; tries++) {
        if (exo_names_look_pvt(names, &text, hash, EXO_NAMES_STEPS, &link, &found)) {
            break;
        }
        exo_cpu_relax();
    }
    if (tries == EXO_NAMES_TRIES) {
        exo_port_lock(&names->lock);
        link = exo_names_held_pvt(names, &text, hash, &found);
        exo_port_unlock(&names->lock);
    }
    if (link == 0) {
        return EXO_NOT_FOUND;
    }
    *value = found;
    return EXO_OK;
}

/* Change a bucket's chain: between these two its version is odd. */
EXO_INLINE exo_u64 exo_names_begin_pvt(exo_word64 *bucket)
{
    exo_u64 word = exo_load64(bucket, EXO_RELAXED) + ((exo_u64)1 << 32); /* relaxed: we hold the lock */
    exo_store64(bucket, word, EXO_RELAXED);                              /* relaxed: the fence orders it */
    exo_fence_release(); /* [names:change] pairs [names:after] */
    return word;
}
EXO_INLINE void exo_names_end_pvt(exo_word64 *bucket, exo_u64 word, exo_u32 head)
{
    word = ((word >> 32) + 1) << 32 | head;
    exo_store64(bucket, word, EXO_RELEASE); /* [names:changed] pairs [names:before] */
}

/* One bucket more, if there is memory: its half of the names of the one that it splits. */
EXO_COLD void exo_names_split_pvt(struct exo_names *names)
{
    exo_u32 buckets = exo_load32(&names->buckets, EXO_RELAXED); /* relaxed: we hold the lock */
    exo_u32 chunk = exo_log2(buckets / EXO_NAMES_FIRST);
    exo_word64 *bucket[2];
    exo_u64 word[2];
    exo_u32 head[2] = {0, 0};
    exo_u32 link;
    exo_u32 i;
    if (chunk + 1 >= EXO_NAMES_CHUNKS) {
        return;
    }
    if (names->chunk[chunk + 1] == EXO_NULL) {
        names->chunk[chunk + 1] =
            (exo_word64 *)exo_port_page_alloc((exo_size)(EXO_NAMES_FIRST << chunk) * sizeof(exo_word64));
    }
    if (names->chunk[chunk + 1] == EXO_NULL) {
        return; /* chains grow longer */
    }
    bucket[0] = exo_names_bucket_pvt(names, buckets - (EXO_NAMES_FIRST << chunk));
    bucket[1] = exo_names_bucket_pvt(names, buckets);
    for (i = 0; i < 2; i++) {
        word[i] = exo_names_begin_pvt(bucket[i]);
    }
    for (link = (exo_u32)word[0]; link != 0;) {
        struct exo_name_record *record = exo_name_record_pvt(names, link);
        exo_u32 next = exo_load32(&record->link, EXO_RELAXED); /* relaxed: we hold the lock */
        /* relaxed: same */
        i = exo_names_of_pvt(exo_load64(&record->hash, EXO_RELAXED), buckets + 1) == buckets ? 1 : 0;
        exo_store32(&record->link, head[i], EXO_RELAXED); /* relaxed: the version says that it changes */
        head[i] = link;
        link = next;
    }
    /* Before the versions are even again: who finds the old bucket settled must see that it was split.
     * [names:split] pairs [names:buckets] */
    exo_store32(&names->buckets, buckets + 1, EXO_RELEASE);
    for (i = 0; i < 2; i++) {
        exo_names_end_pvt(bucket[i], word[i], head[i]);
    }
}

/* Write a record that nobody reaches yet; who still walks through it finds out by the version of where it was. */
EXO_INLINE void exo_name_write_pvt(struct exo_name_record *record, const struct exo_name_text *text, exo_u64 hash,
                                   exo_u64 value)
{
    exo_u32 i;
    exo_fence_release(); /* [names:rewrite] pairs [names:after] */
    for (i = 0; i <= text->bytes / 8; i++) {
        exo_store64(&record->text[i], text->word[i], EXO_RELAXED); /* relaxed: the bucket's word publishes */
    }
    exo_store64(&record->hash, hash, EXO_RELAXED);         /* relaxed: same */
    exo_store64(&record->value, value, EXO_RELAXED);       /* relaxed: same */
    exo_store32(&record->bytes, text->bytes, EXO_RELAXED); /* relaxed: same */
}

/**
 * exo_names_add - add a name.
 * @names: the index  @name, @bytes: the name  @value: what it stands for
 * @record: is set to its record, for exo_names_remove()
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS; EXO_NO_MEMORY; as exo_name_check(). Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_names_add(struct exo_names *names, const char *name, exo_size bytes, exo_u64 value,
                                                 exo_u64 *record)
{
    struct exo_name_record *made = (struct exo_name_record *)EXO_NULL;
    struct exo_name_text text;
    exo_status status = exo_name_check(name, bytes);
    exo_word64 *bucket;
    exo_u64 other = 0;
    exo_u64 hash;
    if (status != EXO_OK) {
        return status;
    }
    exo_name_text_pvt(&text, name, bytes);
    hash = exo_name_hash_pvt(names->seed, &text);
    exo_port_lock(&names->lock);
    status = exo_names_held_pvt(names, &text, hash, &other) != 0 ? EXO_ALREADY_EXISTS : EXO_OK;
    if (status == EXO_OK) {
        made = (struct exo_name_record *)(void *)exo_table_take(&names->records);
        status = made == EXO_NULL ? EXO_NO_MEMORY : EXO_OK;
    }
    if (status == EXO_OK) {
        exo_name_write_pvt(made, &text, hash, value);
        (void)exo_reference_begin(&made->item.state, 0);
        *record = exo_table_handle(&made->item);
        if (names->records.used > exo_load32(&names->buckets, EXO_RELAXED)) { /* relaxed: we hold the lock */
            exo_names_split_pvt(names);
        }
        /* relaxed: same */
        bucket = exo_names_bucket_pvt(names, exo_names_of_pvt(hash, exo_load32(&names->buckets, EXO_RELAXED)));
        other = exo_names_begin_pvt(bucket);
        exo_store32(&made->link, (exo_u32)other, EXO_RELAXED); /* relaxed: the bucket's word publishes */
        exo_names_end_pvt(bucket, other, made->item.index + 1);
    }
    exo_port_unlock(&names->lock);
    return status;
}

/**
 * exo_names_remove - take a name out.
 * @names: the index  @record: as exo_names_add() gave it
 *
 * Returns: EXO_OK: nobody finds it any more; EXO_NOT_FOUND. Context: not from an interrupt.
 */
EXO_INLINE exo_status exo_names_remove(struct exo_names *names, exo_u64 record)
{
    struct exo_name_record *gone = (struct exo_name_record *)(void *)exo_table_at(&names->records, (exo_u32)record);
    exo_word64 *bucket;
    exo_u64 word;
    exo_u32 head;
    exo_u32 next;
    if (gone == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    exo_port_lock(&names->lock);
    if (!exo_reference_close(&gone->item.state, (exo_u32)(record >> 32))) {
        exo_port_unlock(&names->lock);
        return EXO_NOT_FOUND;
    }
    /* relaxed, here and below: we hold the lock, and the version says that the chain changes */
    bucket = exo_names_bucket_pvt(
        names, exo_names_of_pvt(exo_load64(&gone->hash, EXO_RELAXED), exo_load32(&names->buckets, EXO_RELAXED)));
    word = exo_names_begin_pvt(bucket);
    head = (exo_u32)word;
    next = exo_load32(&gone->link, EXO_RELAXED); /* relaxed: see above */
    if (head == gone->item.index + 1) {
        head = next;
    } else {
        struct exo_name_record *before = exo_name_record_pvt(names, head);
        while (exo_load32(&before->link, EXO_RELAXED) != gone->item.index + 1) { /* relaxed: see above */
            before = exo_name_record_pvt(names, exo_load32(&before->link, EXO_RELAXED)); /* relaxed: see above */
        }
        exo_store32(&before->link, next, EXO_RELAXED); /* relaxed: see above */
    }
    exo_names_end_pvt(bucket, word, head);
    exo_reference_end(&gone->item.state);
    exo_table_give(&names->records, &gone->item);
    exo_port_unlock(&names->lock);
    return EXO_OK;
}

#endif
