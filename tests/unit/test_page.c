/* SPDX-License-Identifier: MIT */
/* Shared pages: what they are made of, who shares them, and that a frame goes once. */
#include "pages_fixture.h"

static const exo_u32 contradiction = EXO_PAGE_WRITABLE | EXO_PAGE_EXECUTABLE;

static void a_page_is_zeroed_and_shared_by_one(void **state)
{
    struct exo_shared_page page;
    exo_uptr at = 0;
    exo_size i;
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&page, 4 * PAGE, EXO_PAGE_WRITABLE | EXO_PAGE_USER_ACCESSIBLE), EXO_OK);
    assert_int_equal(page.size, 4 * PAGE);
    assert_int_equal(page.ref_count, 1);
    assert_int_equal(page.flags, EXO_PAGE_WRITABLE | EXO_PAGE_USER_ACCESSIBLE);
    assert_int_equal(page.phys_addr % PAGE, 0);
    assert_int_equal(exo_port_map(NULL, page.phys_addr, 4 * PAGE, &at, EXO_MAP_READ | EXO_MAP_WRITE), EXO_OK);
    for (i = 0; i < 4 * PAGE; i++) {
        assert_int_equal(((exo_u8 *)at)[i], 0);
    }
    memset((void *)at, 0xA5, 4 * PAGE);
    assert_int_equal(exo_port_unmap(NULL, at, 4 * PAGE), EXO_OK);
    assert_int_equal(exo_free_shared_page(&page), 1);
}

static void a_frame_goes_with_the_last_that_shares_it(void **state)
{
    struct exo_shared_page page;
    exo_u32 before = frames_out();
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&page, PAGE, 0), EXO_OK);
    assert_int_equal(frames_out(), before + 1);
    assert_int_equal(exo_clone_shared_page(&page), EXO_OK);
    assert_int_equal(exo_clone_shared_page(&page), EXO_OK);
    assert_int_equal(page.ref_count, 3);
    assert_int_equal(exo_free_shared_page(&page), 0);
    assert_int_equal(exo_free_shared_page(&page), 0);
    assert_int_equal(frames_out(), before + 1);
    assert_int_equal(exo_free_shared_page(&page), 1);
    assert_int_equal(frames_out(), before);
}

static void a_double_free_is_an_error_and_changes_nothing(void **state)
{
    struct exo_shared_page page;
    struct exo_shared_page heir;
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&page, PAGE, 0), EXO_OK);
    assert_int_equal(exo_free_shared_page(&page), 1);
    assert_int_equal(exo_alloc_shared_page(&heir, PAGE, 0), EXO_OK);
    assert_int_equal(exo_free_shared_page(&page), EXO_NOT_FOUND);
    assert_int_equal(exo_clone_shared_page(&page), EXO_NOT_FOUND);
    assert_int_equal(heir.ref_count, 1); /* of the same descriptor, as it may be */
    assert_int_equal(exo_free_shared_page(&heir), 1);
}

static void what_can_be_no_page_is_refused(void **state)
{
    struct exo_shared_page page;
    exo_u32 before = frames_out();
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&page, 0, 0), EXO_INVALID_SIZE);
    assert_int_equal(exo_alloc_shared_page(&page, PAGE - 1, 0), EXO_INVALID_SIZE);
    assert_int_equal(exo_alloc_shared_page(&page, PAGE + 8, 0), EXO_INVALID_SIZE);
    assert_int_equal(exo_alloc_shared_page(&page, PAGE, contradiction), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_alloc_shared_page(&page, PAGE, EXO_PAGE_FLAGS + 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_alloc_shared_page(NULL, PAGE, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(frames_out(), before);
}

static void a_count_that_is_full_refuses_to_be_shared(void **state)
{
    struct exo_shared_page page = {0, PAGE, 0xFFFFFFFEu, 0};
    (void)state;
    assert_int_equal(exo_clone_shared_page(&page), EXO_OK);
    assert_int_equal(exo_clone_shared_page(&page), EXO_FULL);
    assert_int_equal(page.ref_count, 0xFFFFFFFFu);
    assert_int_equal(exo_free_shared_page(&page), 0);
}

/* More than the machine has, more than a frame can be, and no frame left. */
static void shortage_is_an_error(void **state)
{
    struct exo_shared_page page;
    (void)state;
    assert_int_equal(ask_for_too_much(((exo_size)1 << 40) - PAGE), EXO_NO_MEMORY);
    assert_int_equal(exo_alloc_shared_page(&page, (exo_size)1 << 40, 0), EXO_NO_MEMORY);
    assert_int_equal(exo_alloc_shared_page(&page, EXO_SIZE_MAX - PAGE + 1, 0), EXO_NO_MEMORY);
    assert_int_equal(ask_without_frames(&page), EXO_NO_MEMORY);
    assert_int_equal(exo_alloc_shared_page(&page, PAGE, 0), EXO_OK);
    assert_int_equal(exo_free_shared_page(&page), 1);
}

#define SHARERS 4u
#define TURNS 20000u

static struct exo_shared_page common;
static exo_u32 finished;
static exo_u32 ends;

static void *share(void *nothing)
{
    exo_u32 i;
    for (i = 0; i < TURNS; i++) {
        if (exo_clone_shared_page(&common) != EXO_OK) {
            continue;
        }
        if (exo_free_shared_page(&common) == 1) {
            (void)__atomic_fetch_add(&ends, 1, __ATOMIC_RELAXED);
        }
    }
    return nothing;
}

static void threads_that_share_end_it_once(void **state)
{
    pthread_t thread[SHARERS];
    exo_u32 before = frames_out();
    exo_u32 i;
    (void)state;
    ends = 0;
    assert_int_equal(exo_alloc_shared_page(&common, PAGE, 0), EXO_OK);
    for (i = 0; i < SHARERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, share, NULL), 0);
    }
    (void)sched_yield();
    if (exo_free_shared_page(&common) == 1) {
        (void)__atomic_fetch_add(&ends, 1, __ATOMIC_RELAXED);
    }
    for (i = 0; i < SHARERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_int_equal(ends, 1);
    assert_int_equal(exo_free_shared_page(&common), EXO_NOT_FOUND);
    assert_int_equal(frames_out(), before);
}

#define MEETINGS 20u

/* Clones and frees until each of the threads has seen that often that others did, between two looks of its own. */
static void *share_what_stays(void *nothing)
{
    exo_u32 met = 0;
    while (__atomic_load_n(&finished, __ATOMIC_RELAXED) < SHARERS) {
        exo_u32 seen;
        if (exo_clone_shared_page(&common) != EXO_OK) {
            __atomic_store_n(&finished, SHARERS, __ATOMIC_RELAXED);
            return &common;
        }
        seen = __atomic_load_n(&common.ref_count, __ATOMIC_RELAXED);
        if (seen != __atomic_load_n(&common.ref_count, __ATOMIC_RELAXED) && ++met == MEETINGS) {
            (void)__atomic_fetch_add(&finished, 1, __ATOMIC_RELAXED);
        }
        if (exo_free_shared_page(&common) != 0) {
            __atomic_store_n(&finished, SHARERS, __ATOMIC_RELAXED);
            return &common;
        }
    }
    return nothing;
}

static void threads_that_share_leave_the_count_as_it_was(void **state)
{
    pthread_t thread[SHARERS];
    void *wrong;
    exo_u32 i;
    (void)state;
    finished = 0;
    assert_int_equal(exo_alloc_shared_page(&common, PAGE, 0), EXO_OK);
    for (i = 0; i < SHARERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, share_what_stays, NULL), 0);
    }
    for (i = 0; i < SHARERS; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(common.ref_count, 1);
    assert_int_equal(exo_free_shared_page(&common), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_zeroed_and_shared_by_one),
        cmocka_unit_test(a_frame_goes_with_the_last_that_shares_it),
        cmocka_unit_test(a_double_free_is_an_error_and_changes_nothing),
        cmocka_unit_test(what_can_be_no_page_is_refused),
        cmocka_unit_test(a_count_that_is_full_refuses_to_be_shared),
        cmocka_unit_test(shortage_is_an_error),
        cmocka_unit_test(threads_that_share_leave_the_count_as_it_was),
        cmocka_unit_test(threads_that_share_end_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
