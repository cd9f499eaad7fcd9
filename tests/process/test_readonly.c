/* SPDX-License-Identifier: MIT */
/* Neither side of a pair can write the other's segments, whatever it tries. */
#include "handshake_fixture.h"

static sigjmp_buf after_fault;
static int fault_code;

static void on_fault(int signal_number, siginfo_t *about, void *context)
{
    (void)signal_number;
    (void)context;
    fault_code = about->si_code;
    siglongjmp(after_fault, 1);
}

/* What a store to the byte comes to: 0 if it was made, else why the page refused it (SEGV_ACCERR). */
static int try_store(exo_u8 *byte)
{
    struct sigaction act;
    struct sigaction old;
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO;
    (void)sigaction(SIGSEGV, &act, &old);
    fault_code = 0;
    if (sigsetjmp(after_fault, 1) == 0) {
        __atomic_store_n(byte, (exo_u8)0x5A, __ATOMIC_RELAXED);
    }
    (void)sigaction(SIGSEGV, &old, NULL);
    return fault_code;
}

/* How the mapping that begins at `memory` is mapped, "r--s" for instance. */
static exo_bool is_mapped_as(const exo_u8 *memory, const char *rights)
{
    static struct mapping mappings[4096];
    exo_size count = read_mappings(mappings, COUNT(mappings));
    exo_size i;
    for (i = 0; i < count; i++) {
        if (mappings[i].begin == (exo_uptr)memory) {
            return strcmp(mappings[i].rights, rights) == 0;
        }
    }
    return EXO_FALSE;
}

/* By the process's own memory file, which ignores the rights of private mappings. */
static exo_bool memory_file_writes(exo_u8 *memory)
{
    int file = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    exo_u8 byte = 0x5A;
    ssize_t wrote = file < 0 ? -1 : pwrite(file, &byte, 1, (off_t)(exo_uptr)memory);
    if (file >= 0) {
        (void)close(file);
    }
    return wrote == 1;
}

/* By the file behind a mapping, for those who may open it. */
static exo_bool reopened_file_maps(const exo_u8 *memory, exo_size bytes)
{
    char path[96];
    int file;
    void *at;
    (void)snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)(exo_uptr)memory,
                   (unsigned long)(exo_uptr)(memory + bytes));
    file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return EXO_FALSE;
    }
    at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    return at != MAP_FAILED;
}

/* Everything that whoever has mapped the other side's segment can do with the mapping. */
static void tries_to_write(const struct exo_segment *segment)
{
    exo_u8 *memory = segment->memory;
    exo_u8 last = memory[segment->bytes - 1];
    void *moved;
    CHECK(is_mapped_as(memory, "r--s"));
    CHECK(try_store(memory) == SEGV_ACCERR);
    CHECK(try_store(memory + segment->bytes - 1) == SEGV_ACCERR);
    CHECK(mprotect(memory, segment->bytes, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    CHECK(mprotect(memory, 4096, PROT_WRITE) == -1 && errno == EACCES);
    CHECK(!memory_file_writes(memory));
    CHECK(!reopened_file_maps(memory, segment->bytes));
    CHECK(madvise(memory, segment->bytes, MADV_REMOVE) == -1);
    moved = mremap(memory, 0, segment->bytes, MREMAP_MAYMOVE); /* a second mapping of the same */
    CHECK(moved == MAP_FAILED || mprotect(moved, segment->bytes, PROT_READ | PROT_WRITE) == -1);
    CHECK(memory[segment->bytes - 1] == last);
    CHECK(memory[0] != 0x5A);
}

static void attacks(struct meeting *meeting)
{
    exo_u32 number = 0;
    child_opens(meeting);
    CHECK(exo_recv_blocking(&meeting->end.rx, &number, 4, EXO_FOREVER) == 4);
    CHECK(is_mapped_as(meeting->end.link.own_tx.memory, "rw-s"));
    tries_to_write(&meeting->end.link.peer_tx);
    tries_to_write(&meeting->end.link.peer_rx);
    CHECK(exo_send_blocking(&meeting->end.tx, &number, 4, EXO_FOREVER) == EXO_OK);
    CHECK(exo_wait_readable(&meeting->end.rx, EXO_FOREVER) == EXO_CLOSED);
}

static exo_u64 sum_of(const struct exo_segment *segment, exo_size from)
{
    exo_u64 sum = 0;
    exo_size i;
    for (i = from; i < segment->bytes; i++) {
        sum = sum * 31 + segment->memory[i];
    }
    return sum;
}

static void the_other_process_cannot_write_this_ones_segments(void **state)
{
    exo_u32 profile;
    (void)state;
    for (profile = EXO_CRASH_SAFE; profile <= EXO_HOSTILE; profile++) {
        struct exo_ring_config config = {0};
        struct meeting meeting = {.sockets = {-1, -1}, .body = attacks, .config = &config};
        exo_u32 number = 0x12345678;
        exo_u64 before[2];
        pid_t child;
        config.profile = profile;
        child = meet(&meeting);
        assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
        assert_int_equal(exo_send_inline(&meeting.end.tx, &number, 4), EXO_OK);
        before[0] = sum_of(&meeting.end.link.own_tx, 0);
        before[1] = sum_of(&meeting.end.link.own_rx, sizeof(struct exo_rx_segment));
        number = 0;
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &number, 4, in_seconds(20)), 4);
        assert_int_equal(number, 0x12345678);
        assert_true(before[0] == sum_of(&meeting.end.link.own_tx, 0));
        assert_true(before[1] == sum_of(&meeting.end.link.own_rx, sizeof(struct exo_rx_segment)));
        exo_close(&meeting.end);
        assert_int_equal(join_child(child), 0);
    }
}

/* A peer that keeps the descriptors it is given, as no honest one does. */
static void keeps_descriptors(void *argument)
{
    const int *sockets = (const int *)argument;
    struct exo_credentials from;
    struct exo_hello hello;
    char path[64];
    int descriptor = -1;
    int again;
    (void)close(sockets[0]);
    CHECK(exo_socket_recv_pvt(sockets[1], &hello, sizeof(hello), &descriptor, &from, in_seconds(10)) == EXO_OK);
    CHECK(descriptor >= 0);
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), descriptor);
    again = open(path, O_RDWR | O_CLOEXEC);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) == MAP_FAILED);
    CHECK(again < 0 || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
    CHECK(pwrite(descriptor, "x", 1, 0) == -1 && errno == EPERM);
    CHECK(again < 0 || (pwrite(again, "x", 1, 0) == -1 && errno == EPERM));
    CHECK(ftruncate(descriptor, 0) == -1);
    CHECK(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == -1);
}

static void a_kept_descriptor_is_of_no_use_to_a_writer(void **state)
{
    struct held before = count_held();
    int sockets[2] = {-1, -1};
    struct exo_end end;
    pid_t child;
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    child = start_child(keeps_descriptors, sockets);
    assert_int_equal(close(sockets[1]), 0);
    assert_int_equal(exo_open(&end, sockets[0], NULL, in_seconds(20)), EXO_PEER_DIED);
    assert_int_equal(join_child(child), 0);
    assert_held(before);
}

/* The test of the tests: a store that is allowed is seen. */
static void a_store_to_ones_own_segment_is_made(void **state)
{
    struct exo_segment segment;
    (void)state;
    assert_int_equal(exo_segment_create(&segment, "exo_ipc test", 4096, 0), EXO_OK);
    assert_int_equal(try_store(segment.memory), 0);
    assert_int_equal(segment.memory[0], 0x5A);
    assert_true(memory_file_writes(segment.memory + 1));
    assert_int_equal(segment.memory[1], 0x5A);
    exo_segment_destroy(&segment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(the_other_process_cannot_write_this_ones_segments),
        CLAIM(a_kept_descriptor_is_of_no_use_to_a_writer),
        CLAIM(a_store_to_ones_own_segment_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
