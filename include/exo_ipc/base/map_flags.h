/* SPDX-License-Identifier: MIT */
/*
 * What a mapping of memory allows, and how it is cached; and the physical address that is none. For ports and those who call
 * them.
 */
#ifndef EXO_IPC_BASE_MAP_FLAGS_H
#define EXO_IPC_BASE_MAP_FLAGS_H

#define EXO_MAP_READ 1u
#define EXO_MAP_WRITE 2u
#define EXO_MAP_EXEC 4u
#define EXO_MAP_USER 8u
#define EXO_MAP_WRITE_THROUGH 16u
#define EXO_MAP_CACHE_DISABLED 32u
#define EXO_MAP_FLAGS 63u

#define EXO_NO_FRAME 0xFFFFFFFFFFFFFFFFull

#endif
