/* SPDX-License-Identifier: MIT */
/*
 * A second translation unit of a program on the freestanding port: it must share the first one's
 * objects.
 */
#include "exo_ipc/port.h"

#if EXO_PORT_USE_PARKING
exo_u32 other_unit_wake(exo_u32 *word, exo_u32 count);
exo_u32 other_unit_wake(exo_u32 *word, exo_u32 count)
{
    return exo_parking_wake(word, count);
}
#endif

void *other_unit_page_alloc(exo_size bytes);
void *other_unit_page_alloc(exo_size bytes)
{
    return exo_port_page_alloc(bytes);
}
