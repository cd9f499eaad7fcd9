/* SPDX-License-Identifier: MIT */
/*
 * Killing a peer at a random instant. The victim is a child that counts in a shared page what it has done; a
 * second child, the killer, notes the time and kills it, so that the survivor does nothing but use its end.
 */
#ifndef EXO_TESTS_KILL_FIXTURE_H
#define EXO_TESTS_KILL_FIXTURE_H

#include "stream.h"

/* A death is known within 100 ms; the rest is for machines that are busy with something else. Times are without what the
 * machine was late (lateness.h). */
#define DEATH_KNOWN_MS 100u
#define DEATH_SLACK_MS (SANITIZED ? 1900u : 400u)
/* Half of the deaths are known much sooner: that is what tells a wake-up from a timer. */
#define DEATH_USUAL_MS (SANITIZED ? 60u : 30u)

/* What victim, killer and survivor tell each other. */
struct kill_page {
    exo_word64 progress; /* messages that the victim has sent or received */
    exo_word64 killed_ns;
    exo_u32 ready; /* the victim is where the test wants it */
};

/* The order to kill, in a page of its own so that the killer needs no argument of the survivor's. */
struct kill_order {
    struct kill_page *page;
    pid_t victim;
    exo_u32 delay_us;
    exo_bool asleep; /* wait until the victim sleeps in the kernel */
    pid_t survivor;  /* and, if not 0, this one */
};

/* Times from the kill to its news, in microseconds, but for what the machine was late. */
struct death_times {
    exo_u32 count;
    exo_u32 us[1024];
};

EXO_INLINE struct kill_page *kill_page_new(void)
{
    return (struct kill_page *)shared_page(sizeof(struct kill_page));
}

EXO_INLINE void kill_page_reset(struct kill_page *page)
{
    exo_store64(&page->progress, 0, EXO_RELEASE);
    exo_store64(&page->killed_ns, 0, EXO_RELEASE);
    exo_store32(&page->ready, 0, EXO_RELEASE);
}

EXO_INLINE void wait_asleep(pid_t id)
{
    exo_u32 i;
    for (i = 0; i < 20000 && !is_asleep(id); i++) {
        sleep_us(50);
    }
}

EXO_INLINE void killer_body(void *argument)
{
    const struct kill_order *order = (const struct kill_order *)argument;
    if (order->asleep) {
        while (exo_load32(&order->page->ready, EXO_ACQUIRE) == 0) {
            sleep_us(50);
        }
        wait_asleep(order->victim);
        if (order->survivor != 0) {
            wait_asleep(order->survivor);
        }
    }
    sleep_us(order->delay_us);
    exo_store64(&order->page->killed_ns, exo_port_now_ns(), EXO_RELEASE);
    CHECK(kill(order->victim, SIGKILL) == 0);
}

EXO_INLINE void add_death(struct death_times *times, exo_u64 killed_ns, exo_u64 known_ns)
{
    assert_true(killed_ns != 0 && known_ns >= killed_ns); /* never before the kill */
    assert_true(times->count < COUNT(times->us));
    times->us[times->count++] = (exo_u32)(passed_between(killed_ns, known_ns) / 1000);
}

EXO_INLINE void note_death(struct death_times *times, const struct kill_page *page)
{
    exo_u64 now = exo_port_now_ns();
    add_death(times, exo_load64(&page->killed_ns, EXO_ACQUIRE), now);
}

EXO_INLINE int compare_times(const void *a, const void *b)
{
    exo_u32 left = *(const exo_u32 *)a;
    exo_u32 right = *(const exo_u32 *)b;
    return (left > right) - (left < right);
}

EXO_INLINE void assert_deaths_known_in_time(struct death_times *times, const char *what)
{
    exo_u32 median;
    exo_u32 most;
    assert_true(times->count != 0);
    qsort(times->us, times->count, sizeof(times->us[0]), compare_times);
    median = times->us[times->count / 2];
    most = times->us[times->count - 1];
    print_message("             %s: %u deaths known after %u us in the median, %u us at most\n", what,
                  times->count, median, most);
    assert_true(median <= DEATH_USUAL_MS * 1000);
    assert_true(most <= (DEATH_KNOWN_MS + DEATH_SLACK_MS) * 1000);
}

#endif
