/* SPDX-License-Identifier: MIT */
/* Runs all tables of named corruptions (corruptions.h), and says how many there were. */
#include "corruptions.h"

static exo_u32 tried;

void corruption_tried(const char *name)
{
    (void)name;
    tried++;
}

void corruption_answer(const char *name, const char *where, exo_i64 got, exo_i64 declared)
{
    if (got == declared || (declared == GOES_WELL && got >= 0)) {
        return;
    }
    print_message("             %s: declared %s; %s answers %s (%lld)\n", name,
                  declared == GOES_WELL ? "harmless" : exo_status_text(declared), where, exo_status_text(got),
                  (long long)got);
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_header_field_that_is_corrupt_at_attach_is_found),
        cmocka_unit_test(segments_that_are_too_short_or_another_rings_are_refused),
        cmocka_unit_test(a_receiver_gives_the_declared_answer_to_each_corruption),
        cmocka_unit_test(a_sender_gives_the_declared_answer_to_each_corruption),
        cmocka_unit_test(corrupt_places_of_producers_lead_nowhere),
        cmocka_unit_test(each_corrupt_handshake_has_its_error_and_leaves_nothing),
        cmocka_unit_test(a_peer_that_says_too_little_is_given_up_in_time),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) {
        (void)printf("figure: corruptions tried %u (all with their declared error)\n", tried);
    }
    return failed;
}
