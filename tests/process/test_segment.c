/* SPDX-License-Identifier: MIT */
/* Segments: committed, sealed, and believed only after a look. */
#include "process_fixture.h"

#include <sys/resource.h>
#include <sys/uio.h>

#define BYTES 10000u
#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

static struct exo_segment sealed_segment(void)
{
    struct exo_segment segment;
    assert_int_equal(exo_segment_create(&segment, "exo_ipc test", BYTES, 100), EXO_OK);
    assert_int_equal(exo_segment_seal(&segment), EXO_OK);
    return segment;
}

static void creating_commits_whole_zeroed_pages(void **state)
{
    struct held before = count_held();
    struct exo_segment segment;
    struct stat about;
    exo_size i;
    (void)state;
    assert_int_equal(exo_segment_create(&segment, "exo_ipc test", BYTES, 100), EXO_OK);
    assert_int_equal(fstat(segment.descriptor, &about), 0);
    assert_int_equal(about.st_size, segment.bytes);
    assert_true(segment.bytes >= BYTES + EXO_LIFE_RESERVED_BYTES);
    assert_int_equal(segment.bytes % exo_page_bytes(), 0);
    assert_true((exo_u64)about.st_blocks * 512 >= segment.bytes);
    assert_ptr_equal(segment.private_memory, segment.memory + segment.bytes);
    assert_true(segment.private_bytes >= 100 + EXO_LIFE_PRIVATE_BYTES);
    for (i = 0; i < segment.bytes + segment.private_bytes; i++) {
        assert_int_equal(segment.memory[i], 0);
    }
    assert_int_equal(fcntl(segment.descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    exo_segment_destroy(&segment);
    exo_segment_destroy(&segment); /* harmless on a cleared one */
    assert_held(before);
}

static void private_memory_behind_a_segment_is_not_shared(void **state)
{
    struct exo_segment segment = sealed_segment();
    struct exo_segment seen;
    (void)state;
    memset(segment.memory, 1, segment.bytes);
    memset(segment.private_memory, 2, segment.private_bytes);
    assert_int_equal(exo_segment_attach(&seen, dup(segment.descriptor), BYTES), EXO_OK);
    assert_int_equal(seen.bytes, segment.bytes);
    assert_int_equal(seen.memory[0], 1);
    assert_int_equal(seen.memory[seen.bytes - 1], 1);
    exo_segment_destroy(&seen);
    exo_segment_destroy(&segment);
}

/* Everything by which a descriptor of a sealed segment could change it. Also tried on reopened files. */
static void assert_cannot_change(int descriptor, exo_size bytes)
{
    exo_u8 data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct iovec part = {data, sizeof(data)};
    void *at;
    assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    assert_int_equal(errno, EPERM);
    assert_ptr_equal(mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED);
    at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(mprotect(at, bytes, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(errno, EACCES);
    assert_int_equal(munmap(at, bytes), 0);
    assert_int_equal(pwrite(descriptor, data, sizeof(data), 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(pwritev(descriptor, &part, 1, 0), -1);
    assert_int_equal(ftruncate(descriptor, (off_t)bytes / 2), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(descriptor, (off_t)bytes * 2), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fallocate(descriptor, 0, (off_t)bytes, 4096), -1);
    assert_int_equal(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void a_sealed_segment_cannot_be_changed_through_its_descriptor(void **state)
{
    struct exo_segment segment = sealed_segment();
    char path[64];
    int again;
    (void)state;
    memset(segment.memory, 7, segment.bytes);
    assert_int_equal(fcntl(segment.descriptor, F_GET_SEALS) & ALL_SEALS, ALL_SEALS);
    assert_cannot_change(segment.descriptor, segment.bytes);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", segment.descriptor);
    again = open(path, O_RDWR | O_CLOEXEC);
    if (again >= 0) {
        assert_cannot_change(again, segment.bytes);
        (void)close(again);
    }
    assert_int_equal(open(path, O_RDWR | O_TRUNC | O_CLOEXEC), -1);
    assert_int_equal(segment.memory[0], 7);
    assert_int_equal(segment.memory[segment.bytes - 1], 7);
    exo_segment_destroy(&segment);
}

static void the_maker_still_writes_and_cannot_punch_holes(void **state)
{
    struct exo_segment segment = sealed_segment();
    struct exo_segment seen;
    (void)state;
    assert_int_equal(exo_segment_attach(&seen, dup(segment.descriptor), BYTES), EXO_OK);
    segment.memory[5000] = 9;
    assert_int_equal(seen.memory[5000], 9);
    assert_int_equal(madvise(segment.memory, segment.bytes, MADV_REMOVE), -1);
    assert_int_equal(seen.memory[5000], 9);
    exo_segment_destroy(&segment);
    assert_int_equal(seen.memory[5000], 9); /* lives on with its reader */
    exo_segment_destroy(&seen);
}

/* Attach to the descriptor, which must be refused with `wanted` and stay the caller's. */
static void assert_refused(int descriptor, exo_size bytes_min, exo_status wanted)
{
    struct exo_segment segment;
    struct held before = count_held();
    exo_segment_clear(&segment);
    assert_int_equal(exo_segment_attach(&segment, descriptor, bytes_min), wanted);
    assert_null(segment.memory);
    assert_int_equal(segment.descriptor, -1);
    assert_held(before);
    if (descriptor >= 0 && wanted != EXO_INVALID_ARGUMENT) {
        assert_int_equal(close(descriptor), 0);
    }
}

static void what_is_no_memfd_is_refused(void **state)
{
    int sides[2];
    int closed;
    FILE *file = tmpfile();
    struct held before = count_held();
    (void)state;
    assert_non_null(file);
    assert_refused(-1, 0, EXO_INVALID_ARGUMENT);
    closed = dup(0);
    assert_int_equal(close(closed), 0);
    assert_refused(closed, 0, EXO_INVALID_ARGUMENT);
    assert_int_equal(ftruncate(fileno(file), 4096), 0);
    assert_refused(dup(fileno(file)), 0, EXO_TYPE_MISMATCH);
    assert_int_equal(pipe(sides), 0);
    assert_refused(sides[0], 0, EXO_TYPE_MISMATCH);
    assert_refused(sides[1], 0, EXO_TYPE_MISMATCH);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sides), 0);
    assert_refused(sides[0], 0, EXO_TYPE_MISMATCH);
    assert_refused(sides[1], 0, EXO_TYPE_MISMATCH);
    assert_refused(open("/proc/self", O_RDONLY | O_DIRECTORY), 0, EXO_TYPE_MISMATCH);
    assert_held(before);
    (void)fclose(file);
}

/* A memfd of that size, with its memory or without, under these seals. */
static int memfd_of(exo_size bytes, exo_bool committed, int seals)
{
    int made = (int)syscall(SYS_memfd_create, "exo_ipc test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(made >= 0);
    assert_int_equal(ftruncate(made, (off_t)bytes), 0);
    if (committed && bytes != 0) {
        assert_int_equal(fallocate(made, 0, 0, (off_t)bytes), 0);
    }
    if (seals != 0) {
        assert_int_equal(fcntl(made, F_ADD_SEALS, seals), 0);
    }
    return made;
}

static void a_missing_seal_is_refused(void **state)
{
    static const int seals[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE};
    exo_u32 some;
    (void)state;
    for (some = 0; some < 8; some++) {
        int add = ((some & 1) != 0 ? seals[0] : 0) | ((some & 2) != 0 ? seals[1] : 0) |
                  ((some & 4) != 0 ? seals[2] : 0);
        struct exo_segment segment;
        int made = memfd_of(8192, EXO_TRUE, add);
        exo_segment_clear(&segment);
        if (some != 7) {
            assert_refused(made, 0, EXO_PERMISSION_DENIED);
            continue;
        }
        assert_int_equal(exo_segment_attach(&segment, made, 8192), EXO_OK);
        exo_segment_destroy(&segment);
    }
    assert_refused(memfd_of(8192, EXO_TRUE, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0,
                   EXO_PERMISSION_DENIED);
}

static void a_wrong_size_is_refused(void **state)
{
    (void)state;
    assert_refused(memfd_of(0, EXO_TRUE, ALL_SEALS), 0, EXO_INVALID_SIZE);
    assert_refused(memfd_of(4096, EXO_TRUE, ALL_SEALS), 4097, EXO_INVALID_SIZE);
    assert_refused(memfd_of(8192, EXO_TRUE, ALL_SEALS), EXO_SIZE_MAX, EXO_INVALID_SIZE);
    assert_refused(memfd_of(4095, EXO_TRUE, ALL_SEALS), 0, EXO_INVALID_SIZE);
    assert_refused(memfd_of(4097, EXO_TRUE, ALL_SEALS), 0, EXO_INVALID_SIZE);
}

static void memory_that_is_not_committed_is_refused(void **state)
{
    int half = memfd_of(1u << 20, EXO_FALSE, 0);
    (void)state;
    assert_refused(memfd_of(1u << 20, EXO_FALSE, ALL_SEALS), 0, EXO_NO_MEMORY);
    assert_int_equal(fallocate(half, 0, 0, 1 << 19), 0);
    assert_int_equal(fcntl(half, F_ADD_SEALS, ALL_SEALS), 0);
    assert_refused(half, 0, EXO_NO_MEMORY);
}

/* Runs out of memory as the first of all processes, should it come to that. */
static void asks_for_too_much(void *argument)
{
    static const exo_size sizes[] = {(exo_size)1 << 45, (exo_size)1 << 61, EXO_SIZE_MAX / 4 + 1, EXO_SIZE_MAX};
    struct exo_segment segment;
    struct held before = count_held();
    FILE *first = fopen("/proc/self/oom_score_adj", "w");
    exo_size i;
    (void)argument;
    CHECK(first != NULL && fputs("1000", first) >= 0 && fclose(first) == 0);
    exo_segment_clear(&segment);
    for (i = 0; i < COUNT(sizes); i++) {
        struct held after;
        exo_status status = exo_segment_create(&segment, "exo_ipc test", sizes[i], 0);
        CHECK(status == EXO_NO_MEMORY || status == EXO_INVALID_SIZE);
        status = exo_segment_create(&segment, "exo_ipc test", 1, i == 0 ? (exo_size)1 << 60 : sizes[i]);
        CHECK(status == EXO_NO_MEMORY || status == EXO_INVALID_SIZE);
        after = count_held();
        CHECK(after.descriptors == before.descriptors && after.segments == before.segments);
        CHECK(segment.memory == NULL && segment.descriptor == -1);
    }
}

static void memory_that_cannot_be_had_is_an_error_and_no_signal(void **state)
{
    (void)state;
    assert_int_equal(join_child(start_child(asks_for_too_much, NULL)), 0);
}

static void a_file_size_limit_is_an_error(void **state)
{
    struct rlimit old;
    struct rlimit low;
    struct exo_segment segment;
    struct held before = count_held();
    exo_status status;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 4096;
    (void)signal(SIGXFSZ, SIG_IGN); /* the kernel sends it besides the error */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    status = exo_segment_create(&segment, "exo_ipc test", 1u << 20, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, EXO_INVALID_SIZE);
    assert_held(before);
}

static void no_descriptor_left_is_quota_exceeded(void **state)
{
    struct held before = count_held();
    struct rlimit old;
    struct rlimit low;
    struct exo_segment segment;
    exo_status created;
    exo_status paired;
    int sockets[2] = {-7, -7};
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    created = exo_segment_create(&segment, "exo_ipc test", BYTES, 0);
    paired = exo_pair(sockets);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(created, EXO_QUOTA_EXCEEDED);
    assert_int_equal(paired, EXO_QUOTA_EXCEEDED);
    assert_int_equal(sockets[0], -1);
    assert_int_equal(sockets[1], -1);
    assert_held(before);
}

static void sees_no_segment(void *argument)
{
    CHECK(count_segments() == 0);
    (void)argument;
}

static void segments_are_not_inherited_by_fork(void **state)
{
    struct exo_segment segment = sealed_segment();
    struct exo_segment seen;
    (void)state;
    assert_int_equal(exo_segment_attach(&seen, dup(segment.descriptor), BYTES), EXO_OK);
    assert_int_equal(count_segments(), 2);
    assert_int_equal(join_child(start_child(sees_no_segment, NULL)), 0);
    exo_segment_destroy(&segment);
    exo_segment_destroy(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(creating_commits_whole_zeroed_pages),
        CLAIM(private_memory_behind_a_segment_is_not_shared),
        CLAIM(a_sealed_segment_cannot_be_changed_through_its_descriptor),
        CLAIM(the_maker_still_writes_and_cannot_punch_holes),
        CLAIM(what_is_no_memfd_is_refused),
        CLAIM(a_missing_seal_is_refused),
        CLAIM(a_wrong_size_is_refused),
        CLAIM(memory_that_is_not_committed_is_refused),
        CLAIM(memory_that_cannot_be_had_is_an_error_and_no_signal),
        CLAIM(a_file_size_limit_is_an_error),
        CLAIM(no_descriptor_left_is_quota_exceeded),
        CLAIM(segments_are_not_inherited_by_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
