/* SPDX-License-Identifier: MIT */
/* Frames of the Linux port: what their seals and rights keep others from, and what is handed to a client. */
#include "process_fixture.h"

#include <sys/resource.h>
#include <sys/stat.h>

#define PAGE ((exo_size)EXO_PORT_PAGE_BYTES)
#define STRANGER 65534u /* nobody */

static exo_u64 phys;

static int open_frame(void **state)
{
    (void)watchdog_start(state);
    phys = exo_port_frame_alloc(2 * PAGE);
    return phys == EXO_NO_FRAME ? -1 : 0;
}

static int close_frame(void **state)
{
    exo_port_frame_free(phys, 2 * PAGE);
    return watchdog_stop(state);
}

/* What a client of the daemon is given for these flags. */
static int handed_over(exo_u32 flags)
{
    struct exo_port_space client = {NULL, 0, NULL, 0, -1};
    exo_uptr at = 0;
    assert_int_equal(exo_port_map(&client, phys, 2 * PAGE, &at, flags), EXO_OK);
    assert_int_equal(at, 0);
    assert_true(client.descriptor >= 0);
    assert_int_equal(fcntl(client.descriptor, F_GETFD), FD_CLOEXEC);
    return client.descriptor;
}

static void a_frame_is_sealed_and_committed(void **state)
{
    int file = handed_over(EXO_MAP_READ | EXO_MAP_WRITE);
    int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat about;
    (void)state;
    assert_int_equal(fcntl(file, F_GET_SEALS) & wanted, wanted);
    assert_int_equal(ftruncate(file, (off_t)PAGE), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(file, (off_t)(3 * PAGE)), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), -1); /* nobody spoils it for the others */
    assert_int_equal(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)PAGE), 0);
    assert_int_equal(close(file), 0);
    assert_int_equal(fstat(exo_port_frame_descriptor_pvt(phys), &about), 0);
    assert_int_equal(about.st_size, 2 * PAGE);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void all_memory_is_there_from_the_start(void **state)
{
    struct stat about;
    (void)state;
    assert_int_equal(fstat(exo_port_frame_descriptor_pvt(phys), &about), 0);
    assert_int_equal((exo_u64)about.st_blocks * 512, 2 * PAGE);
}

static void a_descriptor_for_reading_maps_no_other_way(void **state)
{
    int file = handed_over(EXO_MAP_READ);
    void *at;
    (void)state;
    assert_int_equal(fcntl(file, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), MAP_FAILED);
    assert_int_equal(errno, EACCES);
    at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(mprotect(at, PAGE, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(errno, EACCES);
    assert_int_equal(pwrite(file, "x", 1, 0), -1);
    assert_int_equal(munmap(at, PAGE), 0);
    assert_int_equal(close(file), 0);
}

/* The client as another user: 0 if what it has cannot be opened for writing. */
static int reopened_by_a_stranger(int file)
{
    char path[40];
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0) {
            _exit(2);
        }
        (void)prctl(PR_SET_DUMPABLE, 1); /* else /proc/self belongs to root, and nothing is shown */
        _exit(open(path, O_RDWR | O_CLOEXEC) >= 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void another_user_cannot_open_it_for_writing(void **state)
{
    int file;
    (void)state;
    if (getuid() != 0) {
        skip();
    }
    file = handed_over(EXO_MAP_READ);
    assert_int_equal(reopened_by_a_stranger(file), 0);
    assert_int_equal(fchmod(exo_port_frame_descriptor_pvt(phys), 0666), 0); /* it is the mode that refuses */
    assert_int_equal(reopened_by_a_stranger(file), 1);
    assert_int_equal(close(file), 0);
}

static void a_descriptor_for_writing_shows_the_same_memory(void **state)
{
    int file = handed_over(EXO_MAP_READ | EXO_MAP_WRITE);
    exo_uptr own = 0;
    exo_u8 *at = (exo_u8 *)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)state;
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(exo_port_map(NULL, phys, 2 * PAGE, &own, EXO_MAP_READ), EXO_OK);
    at[PAGE + 1] = 21;
    assert_int_equal(((exo_u8 *)own)[PAGE + 1], 21);
    assert_int_equal(exo_port_unmap(NULL, own, 2 * PAGE), EXO_OK);
    assert_int_equal(munmap(at, 2 * PAGE), 0);
    assert_int_equal(close(file), 0);
}

static void a_frame_can_be_mapped_from_within_and_to_execute(void **state)
{
    exo_uptr whole = 0;
    exo_uptr second = 0;
    (void)state;
    assert_int_equal(exo_port_map(NULL, phys, 2 * PAGE, &whole, EXO_MAP_READ | EXO_MAP_WRITE), EXO_OK);
    ((exo_u8 *)whole)[PAGE + 64] = 0xC3;
    assert_int_equal(exo_port_map(NULL, phys + PAGE, PAGE, &second, EXO_MAP_READ | EXO_MAP_EXEC), EXO_OK);
    assert_int_equal(((exo_u8 *)second)[64], 0xC3);
#if defined(__x86_64__)
    ((void (*)(void))(second + 64))(); /* ret; sanitizers look in front of a function */
#endif
    assert_int_equal(exo_port_unmap(NULL, second, PAGE), EXO_OK);
    assert_int_equal(exo_port_unmap(NULL, whole, 2 * PAGE), EXO_OK);
}

static void a_client_maps_by_itself(void **state)
{
    struct exo_port_space client = {NULL, 0, NULL, 0, -1};
    (void)state;
    assert_int_equal(exo_port_unmap(&client, 0, PAGE), EXO_OK);
    assert_int_equal(exo_port_protect(&client, 0, PAGE, EXO_MAP_READ), EXO_OK);
}

static void without_descriptors_a_client_gets_none(void **state)
{
    struct exo_port_space client = {NULL, 0, NULL, 0, -1};
    struct rlimit old;
    struct rlimit few;
    exo_uptr at = 0;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    errno = 77;
    assert_int_equal(exo_port_map(&client, phys, PAGE, &at, EXO_MAP_READ), EXO_NO_MEMORY);
    assert_int_equal(errno, 77);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(client.descriptor, -1);
}

#define FRAME_CLAIM(name) cmocka_unit_test_setup_teardown(name, open_frame, close_frame)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRAME_CLAIM(a_frame_is_sealed_and_committed),
        FRAME_CLAIM(all_memory_is_there_from_the_start),
        FRAME_CLAIM(a_descriptor_for_reading_maps_no_other_way),
        FRAME_CLAIM(another_user_cannot_open_it_for_writing),
        FRAME_CLAIM(a_descriptor_for_writing_shows_the_same_memory),
        FRAME_CLAIM(a_frame_can_be_mapped_from_within_and_to_execute),
        FRAME_CLAIM(a_client_maps_by_itself),
        FRAME_CLAIM(without_descriptors_a_client_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
