/* SPDX-License-Identifier: MIT */
#ifndef DEMO_RECEIVER_H
#define DEMO_RECEIVER_H

#include "link.h"

/* Does what the commands say until QUIT. Returns why it ended: EXO_OK after QUIT. */
exo_status receiver_run(struct link *link);

#endif
