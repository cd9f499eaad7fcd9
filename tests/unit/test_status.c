/* SPDX-License-Identifier: MIT */
/* Results: their fixed values and their names. */
#include "ring_fixture.h"

struct named {
    exo_status status;
    int value;
    const char *name;
};

static const struct named all[] = {
    {EXO_OK, 0, "Ok"},
    {EXO_NOT_FOUND, -1, "NotFound"},
    {EXO_FULL, -2, "Full"},
    {EXO_EMPTY, -3, "Empty"},
    {EXO_PERMISSION_DENIED, -4, "PermissionDenied"},
    {EXO_INVALID_SIZE, -5, "InvalidSize"},
    {EXO_OVERFLOW, -6, "Overflow"},
    {EXO_TIMEOUT, -7, "Timeout"},
    {EXO_WOULD_BLOCK, -8, "WouldBlock"},
    {EXO_INVALID_ARGUMENT, -9, "InvalidArgument"},
    {EXO_NO_MEMORY, -10, "NoMemory"},
    {EXO_QUOTA_EXCEEDED, -11, "QuotaExceeded"},
    {EXO_ALREADY_EXISTS, -12, "AlreadyExists"},
    {EXO_CLOSED, -13, "Closed"},
    {EXO_PEER_DIED, -14, "PeerDied"},
    {EXO_CORRUPT, -15, "Corrupt"},
    {EXO_VERSION_MISMATCH, -16, "VersionMismatch"},
    {EXO_TYPE_MISMATCH, -17, "TypeMismatch"},
    {EXO_INTERRUPTED, -18, "Interrupted"},
    {EXO_NOT_SUPPORTED, -19, "NotSupported"},
    {EXO_CANCELLED, -20, "Cancelled"},
    {EXO_BUFFER_TOO_SMALL, -21, "BufferTooSmall"},
    {EXO_SYSTEM_ERROR, -22, "SystemError"},
};

static void every_status_has_its_fixed_value_and_its_name(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(all); i++) {
        assert_int_equal(all[i].status, all[i].value);
        assert_string_equal(exo_status_text(all[i].status), all[i].name);
    }
}

static void a_count_is_named_ok(void **state)
{
    (void)state;
    assert_string_equal(exo_status_text(1), "Ok");
    assert_string_equal(exo_status_text(56), "Ok");
    assert_string_equal(exo_status_text(INT64_MAX), "Ok");
}

static void what_is_no_status_is_named_unknown(void **state)
{
    (void)state;
    assert_string_equal(exo_status_text(-23), "Unknown");
    assert_string_equal(exo_status_text(-1000), "Unknown");
    assert_string_equal(exo_status_text(-0x100000000ll), "Unknown");
    assert_string_equal(exo_status_text(-0x100000001ll),
                        "Unknown"); /* whose low half is NotFound */
    assert_string_equal(exo_status_text(INT64_MIN), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_fixed_value_and_its_name),
        cmocka_unit_test(a_count_is_named_ok),
        cmocka_unit_test(what_is_no_status_is_named_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
