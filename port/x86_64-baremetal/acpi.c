/* SPDX-License-Identifier: MIT */
/*
 * How many processors there are: the firmware's tables say (ACPI, MADT), by their APIC ids. Nothing is probed. Read while
 * boot.S's tables show the first 4 GiB.
 */
#include "cpu.h"
#include "memory.h"

#define BELOW       0x100000000ull
#define TABLE_BYTES 36u /* of the header that all tables begin with */

static exo_u32 word_at(const exo_u8 *at)
{
    return (exo_u32)at[0] | (exo_u32)at[1] << 8 | (exo_u32)at[2] << 16 | (exo_u32)at[3] << 24;
}

static exo_bool is_named(const exo_u8 *at, const char *name, exo_u32 length)
{
    return __builtin_memcmp(at, name, length) == 0;
}

/* The root pointer lies on a multiple of 16 in the last part of the first MiB; some loaders do not say where. */
static exo_u64 find_root_pointer(void)
{
    exo_u64 at;
    for (at = 0xE0000; at < 0x100000; at += 16) {
        if (is_named((const exo_u8 *)direct(at), "RSD PTR ", 8)) {
            return at;
        }
    }
    return 0;
}

/* A table whose length can be believed; null if not. */
static const exo_u8 *table_at(exo_u32 phys)
{
    const exo_u8 *table = (const exo_u8 *)direct(phys);
    exo_u32 length = word_at(table + 4);
    return phys == 0 || length < TABLE_BYTES || length > BELOW - phys ? (const exo_u8 *)EXO_NULL : table;
}

static exo_u32 read_madt(const exo_u8 *madt, exo_u32 *ids, exo_u32 room)
{
    exo_u32 end = word_at(madt + 4);
    exo_u32 at = TABLE_BYTES + 8;
    exo_u32 count = 0;
    while (at + 8 <= end && madt[at + 1] >= 2) {
        /* type 0: a local APIC: its id, and whether the processor can be used */
        if (madt[at] == 0 && (word_at(madt + at + 4) & 1u) != 0 && count < room) {
            ids[count++] = madt[at + 3];
        }
        at += madt[at + 1];
    }
    return count;
}

exo_u32 acpi_processors(exo_u64 root_pointer, exo_u32 *ids, exo_u32 room)
{
    const exo_u8 *root;
    exo_u32 at;
    if (root_pointer == 0) {
        root_pointer = find_root_pointer();
    }
    if (root_pointer == 0 || root_pointer > BELOW - 64) {
        return 0;
    }
    root = table_at(word_at((const exo_u8 *)direct(root_pointer) + 16));
    if (root == EXO_NULL) {
        return 0;
    }
    for (at = TABLE_BYTES; at + 4 <= word_at(root + 4); at += 4) {
        const exo_u8 *table = table_at(word_at(root + at));
        if (table != EXO_NULL && is_named(table, "APIC", 4)) {
            return read_madt(table, ids, room);
        }
    }
    return 0;
}
