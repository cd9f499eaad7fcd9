/* SPDX-License-Identifier: MIT */
/* References and tables: generations, counts that are full, and places that never move. */
#include "pages_fixture.h"

struct thing {
    struct exo_table_item item;
    exo_u64 payload[10];
};

static struct exo_table table;

static int open_table(void **state)
{
    (void)state;
    exo_table_init(&table, sizeof(struct thing), 1000);
    return 0;
}

static int close_table(void **state)
{
    (void)state;
    exo_table_fini(&table);
    return 0;
}

static void a_thing_is_held_by_its_generation_only(void **state)
{
    exo_word64 word = 0;
    (void)state;
    assert_int_equal(exo_reference_get(&word, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_next(&word), 1);
    assert_int_equal(exo_reference_begin(&word, 0), 1);
    assert_int_equal(exo_reference_get(&word, 2), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_get(&word, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_get(&word, 1), EXO_OK);
    assert_int_equal(exo_reference_get(&word, 1), EXO_OK);
    assert_int_equal(exo_reference_put(&word, 2, EXO_TRUE), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_put(&word, 1, EXO_TRUE), 1);
    assert_int_equal(exo_reference_put(&word, 1, EXO_TRUE), 0);
    assert_int_equal(exo_reference_put(&word, 1, EXO_TRUE), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_get(&word, 1), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_begin(&word, 1), 2);
    assert_int_equal(exo_reference_put(&word, 2, EXO_FALSE), 0);
    assert_int_equal(exo_reference_put(&word, 2, EXO_FALSE), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_get(&word, 2), EXO_OK); /* it had not ended */
}

static void closing_refuses_new_holders_and_keeps_the_old(void **state)
{
    exo_word64 word = 0;
    exo_u32 count = 9;
    (void)state;
    (void)exo_reference_begin(&word, 1);
    assert_true(exo_reference_alive(&word, 1, &count));
    assert_int_equal(count, 1);
    assert_false(exo_reference_close(&word, 2));
    assert_true(exo_reference_close(&word, 1));
    assert_false(exo_reference_close(&word, 1));
    assert_false(exo_reference_alive(&word, 1, &count));
    assert_int_equal(exo_reference_get(&word, 1), EXO_NOT_FOUND);
    assert_int_equal(exo_reference_put(&word, 1, EXO_FALSE), 0);
    exo_reference_end(&word);
    assert_false(exo_reference_close(&word, 1));
    assert_int_equal(exo_reference_begin(&word, 0), 2);
}

static void a_count_that_is_full_says_so(void **state)
{
    exo_word64 word = 0;
    (void)state;
    (void)exo_reference_begin(&word, EXO_REFERENCE_COUNT - 1);
    assert_int_equal(exo_reference_get(&word, 1), EXO_OK);
    assert_int_equal(exo_reference_get(&word, 1), EXO_FULL);
    assert_int_equal(exo_reference_put(&word, 1, EXO_TRUE), EXO_REFERENCE_COUNT - 1);
    assert_int_equal(exo_reference_get(&word, 1), EXO_OK);
}

static void places_stay_while_the_table_grows(void **state)
{
    static struct exo_table_item *place[1000];
    exo_u32 i;
    (void)state;
    for (i = 0; i < 1000; i++) {
        assert_null(exo_table_at(&table, 1000));
        place[i] = exo_table_take(&table);
        assert_non_null(place[i]);
        assert_int_equal(place[i]->index, i);
        memset(((struct thing *)(void *)place[i])->payload, (int)(i & 0xFF), sizeof(((struct thing *)0)->payload));
    }
    assert_null(exo_table_take(&table));
    assert_int_equal(table.used, 1000);
    for (i = 0; i < 1000; i++) {
        assert_ptr_equal(exo_table_at(&table, i), place[i]);
        assert_int_equal(place[i]->index, i); /* no neighbour wrote into it */
        assert_int_equal(((struct thing *)(void *)place[i])->payload[9] & 0xFF, i & 0xFF);
    }
    assert_null(exo_table_at(&table, 1000));
    assert_null(exo_table_at(&table, EXO_TABLE_NONE));
    assert_true(exo_table_bytes(&table) >= 1000 * sizeof(struct thing));
    assert_true(exo_table_bytes(&table) < 3000 * sizeof(struct thing));
}

static void a_place_that_was_given_back_is_taken_again_with_a_new_name(void **state)
{
    struct exo_table_item *item = exo_table_take(&table);
    exo_u64 name;
    (void)state;
    (void)exo_reference_begin(&item->state, 1);
    name = exo_table_handle(item);
    assert_int_equal(name, (exo_u64)1 << 32);
    assert_int_equal(exo_reference_put(&item->state, 1, EXO_TRUE), 0);
    exo_table_give(&table, item);
    assert_int_equal(table.used, 0);
    assert_ptr_equal(exo_table_take(&table), item);
    (void)exo_reference_begin(&item->state, 1);
    assert_int_equal(exo_table_handle(item), (exo_u64)2 << 32);
    assert_int_equal(exo_reference_get(&item->state, (exo_u32)(name >> 32)), EXO_NOT_FOUND);
}

static void a_place_without_generations_left_is_not_taken_again(void **state)
{
    struct exo_table_item *item = exo_table_take(&table);
    exo_u32 last;
    exo_u32 i;
    (void)state;
    item->state = (exo_u64)(EXO_REFERENCE_LAST - 1) << 32;
    last = exo_reference_begin(&item->state, 1);
    assert_int_equal(last, EXO_REFERENCE_LAST);
    assert_true((exo_i64)exo_table_handle(item) > 0);
    assert_int_equal(exo_reference_put(&item->state, last, EXO_TRUE), 0);
    exo_table_give(&table, item);
    for (i = 0; i < 999; i++) {
        assert_ptr_not_equal(exo_table_take(&table), item);
    }
    assert_null(exo_table_take(&table));
    assert_int_equal(exo_reference_get(&item->state, last), EXO_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thing_is_held_by_its_generation_only),
        cmocka_unit_test(closing_refuses_new_holders_and_keeps_the_old),
        cmocka_unit_test(a_count_that_is_full_says_so),
        cmocka_unit_test_setup_teardown(places_stay_while_the_table_grows, open_table, close_table),
        cmocka_unit_test_setup_teardown(a_place_that_was_given_back_is_taken_again_with_a_new_name, open_table,
                                        close_table),
        cmocka_unit_test_setup_teardown(a_place_without_generations_left_is_not_taken_again, open_table, close_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
