/* SPDX-License-Identifier: MIT */
/*
 * What a PVH loader passes (Xen, public/arch-x86/hvm/start_info.h). Read once, before the memory is anybody's.
 */
#ifndef BAREMETAL_START_INFO_H
#define BAREMETAL_START_INFO_H

#include "exo_ipc/base/types.h"

#define START_INFO_MAGIC 0x336EC578u

struct start_info {
    exo_u32 magic;
    exo_u32 version; /* from 1 on there is a memory map */
    exo_u32 flags;
    exo_u32 modules;
    exo_u64 module_list;
    exo_u64 command_line; /* physical; ends with a zero */
    exo_u64 acpi_root;
    exo_u64 memory_map;
    exo_u32 memory_map_entries;
    exo_u32 reserved;
};

#define START_MEMORY_RAM 1u

struct start_memory {
    exo_u64 begin;
    exo_u64 bytes;
    exo_u32 type;
    exo_u32 reserved;
};

#endif
