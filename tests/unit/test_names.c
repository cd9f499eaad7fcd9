/* SPDX-License-Identifier: MIT */
/* Names: what can be one, its hash, and the index that grows; ours, or the one on liburcu (EXO_IPC_NAMES). */
#include "pages_fixture.h"
#ifdef EXO_IPC_NAMES
#include <unistd.h>
#endif

#define MANY 20000u

static struct exo_names names;

static int open_names(void **state)
{
    (void)state;
    return exo_names_init(&names, 7, 1u << 20) == EXO_OK ? 0 : -1;
}

static int close_names(void **state)
{
    (void)state;
    exo_names_fini(&names);
    return 0;
}

static void bad_names_are_refused(void **state)
{
    char name[300];
    exo_u32 byte;
    (void)state;
    memset(name, 'x', sizeof(name));
    assert_int_equal(exo_name_check(name, 1), EXO_OK);
    assert_int_equal(exo_name_check(name, 255), EXO_OK);
    assert_int_equal(exo_name_check(name, 256), EXO_INVALID_SIZE);
    assert_int_equal(exo_name_check(name, EXO_SIZE_MAX), EXO_INVALID_SIZE);
    assert_int_equal(exo_name_check(name, 0), EXO_INVALID_ARGUMENT);
    for (byte = 0; byte < 256; byte++) {
        exo_bool bad = byte < 0x20 || byte == '/' || byte == 0x7F;
        name[0] = (char)byte;
        assert_int_equal(exo_name_check(name, 3), bad ? EXO_INVALID_ARGUMENT : EXO_OK);
        name[0] = 'x';
        name[254] = (char)byte;
        assert_int_equal(exo_name_check(name, 255), bad ? EXO_INVALID_ARGUMENT : EXO_OK);
        name[254] = 'x';
    }
}

/* SipHash-1-3 under a key made of one word: what can be seen of it is that
 * each bit of text, length and seed matters. */
static void each_bit_of_name_and_seed_changes_the_hash(void **state)
{
    char name[64];
    struct exo_name_text text;
    exo_u64 first;
    exo_u32 bit;
    exo_size bytes;
    (void)state;
    memset(name, 'n', sizeof(name));
    for (bytes = 1; bytes <= 64; bytes++) {
        exo_name_text_pvt(&text, name, bytes);
        first = exo_name_hash_pvt(7, &text);
        for (bit = 0; bit < bytes * 8; bit++) {
            exo_u64 other;
            name[bit / 8] = (char)(name[bit / 8] ^ 1 << bit % 8);
            exo_name_text_pvt(&text, name, bytes);
            other = exo_name_hash_pvt(7, &text);
            name[bit / 8] = (char)(name[bit / 8] ^ 1 << bit % 8);
            assert_int_not_equal(other, first);
            assert_in_range(__builtin_popcountll(other ^ first), 8, 56);
        }
        exo_name_text_pvt(&text, name, bytes - 1);
        assert_int_not_equal(exo_name_hash_pvt(7, &text), first);
        exo_name_text_pvt(&text, name, bytes);
        for (bit = 0; bit < 64; bit++) {
            assert_int_not_equal(exo_name_hash_pvt(7 ^ (exo_u64)1 << bit, &text), first);
        }
    }
}

#ifndef EXO_IPC_NAMES

/* Who knows the seed can make hashes meet; and the length counts where the words are the same. */
static void names_of_one_hash_are_told_apart(void **state)
{
    static struct exo_name_record record;
    struct exo_name_text text;
    exo_u64 hash;
    (void)state;
    exo_name_text_pvt(&text, "eight by", 8);
    exo_name_write_pvt(&record, &text, 99, 1);
    assert_true(exo_name_is_pvt(&record, &text, 99));
    assert_false(exo_name_is_pvt(&record, &text, 98));
    exo_name_text_pvt(&text, "eight bz", 8);
    assert_false(exo_name_is_pvt(&record, &text, 99));
    exo_name_text_pvt(&text, "eight by8", 9);
    assert_false(exo_name_is_pvt(&record, &text, 99));
    exo_name_write_pvt(&record, &text, 99, 1);
    exo_name_text_pvt(&text, "eight by9", 9);
    assert_false(exo_name_is_pvt(&record, &text, 99));
    exo_name_text_pvt(&text, "a\0", 2);
    hash = exo_name_hash_pvt(7, &text);
    text.bytes = 1;
    assert_int_not_equal(exo_name_hash_pvt(7, &text), hash);
    exo_name_write_pvt(&record, &text, 99, 1);
    text.bytes = 2;
    assert_false(exo_name_is_pvt(&record, &text, 99));
}

#else

static void names_of_one_hash_are_told_apart(void **state)
{
    static struct exo_name_record record;
    struct exo_name_text text;
    (void)state;
    exo_name_text_pvt(&record.text, "eight by8", 9);
    exo_name_text_pvt(&text, "eight by8", 9);
    assert_true(exo_name_match_pvt(&record.node, &text));
    exo_name_text_pvt(&text, "eight by9", 9);
    assert_false(exo_name_match_pvt(&record.node, &text));
    exo_name_text_pvt(&text, "eight by", 8);
    assert_false(exo_name_match_pvt(&record.node, &text));
}

#endif

static void a_name_is_found_until_it_is_removed(void **state)
{
    exo_u64 record = 0;
    exo_u64 other = 0;
    exo_u64 value = 0;
    (void)state;
    assert_int_equal(exo_names_find(&names, "one", 3, &value), EXO_NOT_FOUND);
    assert_int_equal(exo_names_add(&names, "one", 3, 11, &record), EXO_OK);
    assert_int_equal(exo_names_add(&names, "one", 3, 12, &other), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_names_add(&names, "onee", 4, 13, &other), EXO_OK);
    assert_int_equal(exo_names_find(&names, "one", 3, &value), EXO_OK);
    assert_int_equal(value, 11);
    assert_int_equal(exo_names_find(&names, "onee", 4, &value), EXO_OK);
    assert_int_equal(value, 13);
    assert_int_equal(exo_names_find(&names, "on", 2, &value), EXO_NOT_FOUND);
    assert_int_equal(exo_names_find(&names, "", 0, &value), EXO_NOT_FOUND);
    assert_int_equal(exo_names_find(&names, "a/b", 3, &value), EXO_NOT_FOUND);
    assert_int_equal(exo_names_remove(&names, record), EXO_OK);
    assert_int_equal(exo_names_remove(&names, record), EXO_NOT_FOUND);
    assert_int_equal(exo_names_remove(&names, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_names_remove(&names, ~(exo_u64)0), EXO_NOT_FOUND);
    assert_int_equal(exo_names_find(&names, "one", 3, &value), EXO_NOT_FOUND);
    assert_int_equal(exo_names_add(&names, "one", 3, 14, &other), EXO_OK); /* the same record, another name of it */
    assert_int_not_equal(other, record);
    assert_int_equal(exo_names_remove(&names, record), EXO_NOT_FOUND);
    assert_int_equal(exo_names_find(&names, "one", 3, &value), EXO_OK);
    assert_int_equal(value, 14);
}

static void names_of_every_length_are_kept_whole(void **state)
{
    char name[256];
    exo_u64 record = 0;
    exo_u64 value = 0;
    exo_size bytes;
    (void)state;
    memset(name, 'z', sizeof(name));
    for (bytes = 1; bytes <= EXO_NAME_MAX; bytes++) {
        assert_int_equal(exo_names_add(&names, name, bytes, bytes, &record), EXO_OK);
    }
    for (bytes = 1; bytes <= EXO_NAME_MAX; bytes++) {
        assert_int_equal(exo_names_find(&names, name, bytes, &value), EXO_OK);
        assert_int_equal(value, bytes);
        name[bytes - 1] = 'y';
        assert_int_equal(exo_names_find(&names, name, bytes, &value), EXO_NOT_FOUND);
        name[bytes - 1] = 'z';
    }
}

#ifndef EXO_IPC_NAMES
static void chains_are_short(void)
{
    exo_u32 longest = 0;
    exo_u32 i;
    for (i = 0; i < names.buckets; i++) {
        exo_u32 link = (exo_u32)*exo_names_bucket_pvt(&names, i);
        exo_u32 length = 0;
        for (; link != 0; link = exo_name_record_pvt(&names, link)->link) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    assert_in_range(longest, 2, 16);
}
#else
/* Each table has a bucket for each of its names, up to where liburcu would take threads for more. */
static void chains_are_short(void)
{
    exo_u32 largest = 0;
    exo_u32 live = 0;
    exo_u32 i;
    for (i = 0; i < EXO_NAMES_TABLES; i++) {
        const struct exo_names_table *table = &names.table[i];
        assert_in_range(table->buckets, EXO_NAMES_FIRST, EXO_NAMES_BUCKETS);
        assert_true(table->live <= table->buckets || table->buckets == EXO_NAMES_BUCKETS);
        largest = table->live > largest ? table->live : largest;
        live += table->live;
    }
    assert_int_equal(live, names.live);
    assert_in_range(largest, EXO_NAMES_BUCKETS, 2 * MANY / EXO_NAMES_TABLES); /* the bound was met */
}
#endif

static void an_index_grows_and_keeps_its_chains_short(void **state)
{
    static exo_u64 record[MANY];
    char name[16];
    exo_u64 value = 0;
    exo_u32 i;
    (void)state;
    for (i = 0; i < MANY; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(exo_names_add(&names, name, bytes, i, &record[i]), EXO_OK);
#ifndef EXO_IPC_NAMES
        assert_true(names.buckets >= EXO_NAMES_FIRST && names.buckets + 1 >= NAMES_IN(names));
#endif
    }
    chains_are_short();
    for (i = 0; i < MANY; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "n%u", i);
        if (i % 3 == 0) {
            assert_int_equal(exo_names_remove(&names, record[i]), EXO_OK);
        }
        assert_int_equal(exo_names_find(&names, name, bytes, &value), i % 3 == 0 ? EXO_NOT_FOUND : EXO_OK);
        assert_true(i % 3 == 0 || value == i);
    }
    assert_int_equal(NAMES_IN(names), MANY - (MANY + 2) / 3);
}

static void more_names_than_allowed_are_refused(void **state)
{
    struct exo_names few;
    exo_u64 record = 0;
    exo_u64 again = 0;
    (void)state;
    assert_int_equal(exo_names_init(&few, 1, 2), EXO_OK);
    assert_int_equal(exo_names_add(&few, "a", 1, 1, &record), EXO_OK);
    assert_int_equal(exo_names_add(&few, "b", 1, 2, &again), EXO_OK);
    assert_int_equal(exo_names_add(&few, "c", 1, 3, &again), EXO_NO_MEMORY);
    assert_int_equal(exo_names_add(&few, "a", 1, 3, &again), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_names_remove(&few, record), EXO_OK);
    assert_int_equal(exo_names_add(&few, "c", 1, 3, &again), EXO_OK);
    exo_names_fini(&few);
}

/* One thread adds and removes others, so that buckets split and records are used again; the rest look for what stays. */

#define READERS 2u
#define CHANGES 30000u

static exo_u32 over;

static void *look(void *nothing)
{
    exo_u64 value = 0;
    while (__atomic_load_n(&over, __ATOMIC_ACQUIRE) == 0) {
        if (exo_names_find(&names, "stays", 5, &value) != EXO_OK || value != 77) {
            return &names;
        }
        if (exo_names_find(&names, "n5", 2, &value) == EXO_OK && value != 5) {
            return &names;
        }
    }
    return nothing;
}

static void a_name_that_stays_is_found_beside_changes(void **state)
{
    static exo_u64 record[1000];
    pthread_t thread[READERS];
    exo_u64 seed = 3;
    exo_u64 stays = 0;
    void *wrong;
    char name[16];
    exo_u32 i;
    (void)state;
    over = 0;
    memset(record, 0, sizeof(record));
    assert_int_equal(exo_names_add(&names, "stays", 5, 77, &stays), EXO_OK);
    for (i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, look, NULL), 0);
    }
    for (i = 0; i < CHANGES; i++) {
        exo_u32 n = (exo_u32)(random_next(&seed) % 1000);
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "n%u", n);
        if (record[n] != 0) {
            assert_int_equal(exo_names_remove(&names, record[n]), EXO_OK);
            record[n] = 0;
        } else {
            assert_int_equal(exo_names_add(&names, name, bytes, n, &record[n]), EXO_OK);
        }
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
}

#ifdef EXO_IPC_NAMES

static exo_u32 removed;

static void *remove_a_lot(void *nothing)
{
    char name[16];
    exo_u64 record = 0;
    exo_u32 i;
    for (i = 0; i < EXO_NAMES_WAITING; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "gone%u", i);
        if (exo_names_add(&names, name, bytes, i, &record) != EXO_OK || exo_names_remove(&names, record) != EXO_OK) {
            return &names;
        }
        __atomic_store_n(&removed, i + 1, __ATOMIC_RELEASE);
    }
    return nothing;
}

/* Whoever makes the last of a lot of removals waits for the readers, and nobody used a record of the lot before. */
static void a_record_rests_while_a_reader_may_see_it(void **state)
{
    pthread_t thread;
    void *wrong;
    (void)state;
    removed = 0;
    urcu_bp_read_lock();
    assert_int_equal(pthread_create(&thread, NULL, remove_a_lot, NULL), 0);
    while (__atomic_load_n(&removed, __ATOMIC_ACQUIRE) < EXO_NAMES_WAITING - 1) {
        (void)sched_yield();
    }
    (void)usleep(50000);
    assert_int_equal(__atomic_load_n(&removed, __ATOMIC_ACQUIRE), EXO_NAMES_WAITING - 1);
    assert_int_equal(names.records.used, EXO_NAMES_WAITING);
    urcu_bp_read_unlock();
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    assert_int_equal(names.records.used, 0);
}

#endif

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, open_names, close_names)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(each_bit_of_name_and_seed_changes_the_hash),
        cmocka_unit_test(names_of_one_hash_are_told_apart),
        CLAIM(a_name_is_found_until_it_is_removed),
        CLAIM(names_of_every_length_are_kept_whole),
        CLAIM(an_index_grows_and_keeps_its_chains_short),
        cmocka_unit_test(more_names_than_allowed_are_refused),
        CLAIM(a_name_that_stays_is_found_beside_changes),
#ifdef EXO_IPC_NAMES
        CLAIM(a_record_rests_while_a_reader_may_see_it),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
