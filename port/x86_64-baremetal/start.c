/* SPDX-License-Identifier: MIT */
/*
 * The order in which things come up. boot.S calls kernel_start() on the first processor, in the tables that allow
 * everything; it ends as that processor's idle thread, and kernel_main() runs in the first thread.
 */
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "task.h"

#define BELOW_4_GIB     0x100000000ull
#define COMMAND_LINE    256u

EXO_PARKING_DEFINE_LOT;

static char command_line[COMMAND_LINE];
static struct memory_map ram; /* all of it */

void kernel_start(exo_u64 start_info);

static void read_command_line(exo_u64 phys)
{
    const char *text = (const char *)direct(phys);
    exo_u32 i;
    for (i = 0; phys != 0 && i < COMMAND_LINE - 1 && text[i] != 0; i++) {
        command_line[i] = text[i];
    }
}

static exo_u64 read_number(const char **text)
{
    exo_u64 number = 0;
    while (**text >= '0' && **text <= '9') {
        number = number * 10 + (exo_u64)(*(*text)++ - '0');
    }
    return number;
}

/* "hole=FIRST,COUNT" on the command line: so many pages are not there, to see that holes do no harm. */
static void make_holes(struct memory_map *map)
{
    const char *at = command_line;
    for (; *at != 0; at++) {
        if (__builtin_memcmp(at, "hole=", 5) == 0) {
            exo_u64 first;
            exo_u64 count;
            at += 5;
            first = read_number(&at);
            at += *at == ',';
            count = read_number(&at);
            memory_map_remove(map, first * PAGE_BYTES, (first + count) * PAGE_BYTES);
            at--;
        }
    }
}

static void add_frames(const struct memory_map *map, exo_u64 begin, exo_u64 end)
{
    exo_u32 i;
    for (i = 0; i < map->count; i++) {
        exo_u64 from = map->range[i].begin > begin ? map->range[i].begin : begin;
        exo_u64 to = exo_min64(map->range[i].end, end);
        if (from < to) {
            frames_add(from, to);
        }
    }
}

static void start_memory(const struct start_info *info)
{
    struct memory_map unused;
    memory_map_read(&ram, info);
    make_holes(&ram);
    unused = ram;
    memory_map_remove(&unused, 0, LOW_MEMORY);
    memory_map_remove(&unused, (exo_u64)(exo_uptr)image_load, image_phys(image_end));
    add_frames(&unused, 0, BELOW_4_GIB); /* what boot.S has mapped */
    paging_kernel_init(&ram);
    add_frames(&unused, BELOW_4_GIB, DIRECT_BYTES);
}

static void first_thread(void *argument)
{
    (void)argument;
    machine_exit(kernel_main(command_line, &ram));
}

void kernel_start(exo_u64 start_info)
{
    const struct start_info *info = (const struct start_info *)direct(start_info);
    struct cpu *cpu = &cpus[0];
    exo_u32 ids[CPUS];
    exo_u32 found;
    struct thread *main_thread;

    cpu_init(cpu);
    console_init();
    idt_init();
    idt_load();
    if (info->magic != START_INFO_MAGIC || info->version < 1) {
        panic("the loader left no memory map");
    }
    pic_mask();
    read_command_line(info->command_line);
    found = acpi_processors(info->acpi_root, ids, CPUS);
    kernel_space.cpus = 1;
    start_memory(info);

    cpu_stacks_init(cpu);
    apic_init();
    apic_enable();
    clock_init();
    cpu->idle = thread_create_idle(cpu);
    cpu->online = 1;
    sched_init(cpu);
    smp_start(ids, found);
    nucleus_init();
    main_thread = thread_create("main", first_thread, EXO_NULL, CPUS_ANY);
    if (main_thread == EXO_NULL) {
        panic("no memory for the first thread");
    }
    thread_start(main_thread);
    cpu_kernel_stack_set(cpu, cpu->idle->stack_top);
    stack_begin(cpu->idle->stack_top, sched_idle);
}
