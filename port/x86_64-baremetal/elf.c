/* SPDX-License-Identifier: MIT */
/*
 * Programs: ELF, 64 bits, linked to fixed addresses. Nothing in the file is believed: a bad one is refused, and what was
 * loaded of it goes with the process.
 */
#include "task.h"

#define ELF_MAGIC      0x464C457Fu
#define ELF_CLASS_64   2u
#define ELF_TYPE_FIXED 2u
#define ELF_X86_64     62u
#define SEGMENT_LOAD   1u
#define SEGMENT_EXEC   1u
#define SEGMENT_WRITE  2u

struct elf_header {
    exo_u32 magic;
    exo_u8 file_class, order, version, abi;
    exo_u8 padding[8];
    exo_u16 type, machine;
    exo_u32 file_version;
    exo_u64 entry, segments, sections;
    exo_u32 flags;
    exo_u16 header_bytes, segment_bytes, segment_count;
    exo_u16 section_bytes, section_count, section_names;
};

struct elf_segment {
    exo_u32 type, flags;
    exo_u64 offset, virt, phys, file_bytes, memory_bytes, align;
};

static exo_status load(struct process *process, const exo_u8 *image, exo_size bytes, const struct elf_segment *s)
{
    exo_uptr virt = s->virt & ~(exo_u64)(PAGE_BYTES - 1);
    exo_u64 lead = s->virt - virt;
    exo_u32 flags = EXO_MAP_READ | EXO_MAP_USER;
    exo_u64 phys;
    exo_status status;
    if (s->offset > bytes || s->file_bytes > bytes - s->offset || s->file_bytes > s->memory_bytes ||
        s->memory_bytes > USER_END || s->virt < USER_BEGIN || s->virt > USER_END - s->memory_bytes) {
        return EXO_INVALID_ARGUMENT;
    }
    flags |= (s->flags & SEGMENT_WRITE) != 0 ? EXO_MAP_WRITE : 0;
    flags |= (s->flags & SEGMENT_EXEC) != 0 ? EXO_MAP_EXEC : 0;
    status = process_memory(process, &virt, (lead + s->memory_bytes + PAGE_BYTES - 1) & ~(exo_u64)(PAGE_BYTES - 1),
                            flags, &phys);
    if (status == EXO_OK) {
        __builtin_memcpy((exo_u8 *)direct(phys) + lead, image + s->offset, s->file_bytes);
    }
    return status;
}

exo_status elf_load(struct process *process, const void *image, exo_size bytes)
{
    struct elf_header header;
    exo_u32 i;
    if (bytes < sizeof(header)) {
        return EXO_INVALID_ARGUMENT;
    }
    __builtin_memcpy(&header, image, sizeof(header));
    if (header.magic != ELF_MAGIC || header.file_class != ELF_CLASS_64 || header.type != ELF_TYPE_FIXED ||
        header.machine != ELF_X86_64 || header.segment_bytes != sizeof(struct elf_segment) ||
        header.segments > bytes || header.segment_count * sizeof(struct elf_segment) > bytes - header.segments) {
        return EXO_INVALID_ARGUMENT;
    }
    for (i = 0; i < header.segment_count; i++) {
        struct elf_segment segment;
        exo_status status = EXO_OK;
        __builtin_memcpy(&segment, (const exo_u8 *)image + header.segments + i * sizeof(segment), sizeof(segment));
        if (segment.type == SEGMENT_LOAD && segment.memory_bytes != 0) {
            status = load(process, (const exo_u8 *)image, bytes, &segment);
        }
        if (status != EXO_OK) {
            return status;
        }
    }
    process->entry = header.entry;
    return header.entry >= USER_BEGIN && header.entry < USER_END ? EXO_OK : EXO_INVALID_ARGUMENT;
}
