/* SPDX-License-Identifier: MIT */
/* One daemon for all claims of a program. */
#ifndef ONE_DAEMON_H
#define ONE_DAEMON_H

#include "daemon_fixture.h"

static struct running running;

static int begin(void **state)
{
    (void)state;
    running_begin(&running, NULL, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    running_end(&running);
    return 0;
}

#endif
