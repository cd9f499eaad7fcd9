/* SPDX-License-Identifier: MIT */
/*
 * As much of cmocka as the tests of tests/unit use. A claim that fails ends the machine.
 */
#ifndef HOSTED_CMOCKA_H
#define HOSTED_CMOCKA_H

#include "hosted.h"

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(claim) {#claim, claim, NULL, NULL, NULL}
#define cmocka_unit_test_setup(claim, setup) {#claim, claim, setup, NULL, NULL}
#define cmocka_unit_test_teardown(claim, teardown) {#claim, claim, NULL, teardown, NULL}
#define cmocka_unit_test_setup_teardown(claim, setup, teardown) {#claim, claim, setup, teardown, NULL}
#define cmocka_unit_test_prestate(claim, state) {#claim, claim, NULL, NULL, state}
#define cmocka_run_group_tests(tests, setup, teardown) \
    hosted_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

int hosted_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **), int (*teardown)(void **));
void hosted_fail(const char *what, exo_u64 is, exo_u64 wanted, const char *file, int line) __attribute__((noreturn));
void hosted_skip(void) __attribute__((noreturn));
void hosted_message(const char *format, ...); /* with %s and %u */
int unit_main(void); /* main() of the program */

#define HOSTED_CHECK(holds, what, is, wanted) \
    ((holds) ? (void)0 : hosted_fail(what, (exo_u64)(is), (exo_u64)(wanted), __FILE__, __LINE__))

/* Each argument once: they may be calls. */
static inline void hosted_equal(exo_u64 is, exo_u64 wanted, exo_bool equal, const char *what, const char *file, int line)
{
    if ((is == wanted) != equal) {
        hosted_fail(what, is, wanted, file, line);
    }
}

#define HOSTED_POINTER(x) ((exo_u64)(exo_uptr)(x))
#define assert_int_equal(a, b) hosted_equal((exo_u64)(a), (exo_u64)(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) hosted_equal((exo_u64)(a), (exo_u64)(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) hosted_equal(HOSTED_POINTER(a), HOSTED_POINTER(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b) hosted_equal(HOSTED_POINTER(a), HOSTED_POINTER(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_null(a) hosted_equal(HOSTED_POINTER(a), 0, 1, #a " is null", __FILE__, __LINE__)
#define assert_non_null(a) hosted_equal(HOSTED_POINTER(a), 0, 0, #a " is not null", __FILE__, __LINE__)
#define assert_true(a) HOSTED_CHECK(a, #a, 0, 1)
#define assert_false(a) HOSTED_CHECK(!(a), "not " #a, 1, 0)
#define assert_memory_equal(a, b, n) HOSTED_CHECK(memcmp(a, b, n) == 0, #a " equals " #b, 0, 0)
#define assert_memory_not_equal(a, b, n) HOSTED_CHECK(memcmp(a, b, n) != 0, #a " differs from " #b, 0, 0)
#define assert_string_equal(a, b) HOSTED_CHECK(strcmp(a, b) == 0, #a " equals " #b, 0, 0)
#define assert_in_range(a, low, high) hosted_in_range((exo_u64)(a), (exo_u64)(low), (exo_u64)(high), #a, __FILE__, __LINE__)
#define fail_msg(what) hosted_fail(what, 0, 0, __FILE__, __LINE__)
#define skip() hosted_skip()
#define print_message(...) hosted_message(__VA_ARGS__)

static inline void hosted_in_range(exo_u64 is, exo_u64 low, exo_u64 high, const char *what, const char *file, int line)
{
    if (is < low || is > high) {
        hosted_fail(what, is, is < low ? low : high, file, line);
    }
}

#endif
