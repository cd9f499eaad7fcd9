/* SPDX-License-Identifier: MIT */
/*
 * The kernel's nucleus, for those who look into it.
 */
#ifndef BAREMETAL_NUCLEUS_H
#define BAREMETAL_NUCLEUS_H

#include "exo_ipc/nucleus/process.h"

extern struct exo_nucleus kernel_nucleus;

#endif
