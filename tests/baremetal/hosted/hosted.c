/* SPDX-License-Identifier: MIT */
/*
 * The C library, threads and files of hosted.h, and the run of a test program of cmocka in an image of the kernel.
 *
 * These programs want more stack than threads of the kernel have: the first thing that a thread does is to go to another one.
 */
#define HOSTED_ITSELF
#include "cmocka.h"
#include "../../../port/x86_64-baremetal/console.h"
#include "../../../port/x86_64-baremetal/task.h"

#define STACK 0x40000u

/* None for ring 3. */
const struct program programs[1] = {{NULL, NULL, NULL}};
const exo_u32 program_count = 0;

struct hosted_thread {
    struct thread *thread;
    void *(*run)(void *argument);
    void *argument;
    void *result;
    exo_u8 *stack;
};

struct hosted_file {
    struct thread *thread;
};

int __popcountdi2(exo_i64 value);

static struct hosted_file tasks[THREADS + 1]; /* by id */
static void *after_skip[5];
static const char *claim = "the setup of all";

size_t strlen(const char *text)
{
    size_t bytes = 0;
    while (text[bytes] != 0) {
        bytes++;
    }
    return bytes;
}

int strcmp(const char *one, const char *other)
{
    while (*one != 0 && *one == *other) {
        one++;
        other++;
    }
    return (int)(exo_u8)*one - (int)(exo_u8)*other;
}

char *strrchr(const char *text, int what)
{
    size_t at = strlen(text) + 1;
    while (at > 0 && text[at - 1] != (char)what) {
        at--;
    }
    return at == 0 ? (char *)NULL : (char *)(exo_uptr)&text[at - 1];
}

/* A page in front of what is lent says how much that is. */
void *aligned_alloc(size_t alignment, size_t bytes)
{
    exo_u8 *memory = alignment > PAGE_BYTES ? NULL : (exo_u8 *)exo_port_page_alloc(bytes + PAGE_BYTES);
    if (memory == NULL) {
        return NULL;
    }
    *(exo_size *)(void *)memory = bytes + PAGE_BYTES;
    return memory + PAGE_BYTES;
}

void *malloc(size_t bytes)
{
    return aligned_alloc(16, bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return malloc(count * bytes); /* pages come zeroed */
}

void free(void *memory)
{
    if (memory != NULL) {
        exo_u8 *first = (exo_u8 *)memory - PAGE_BYTES;
        exo_port_page_free(first, *(exo_size *)(void *)first);
    }
}

void abort(void)
{
    print("aborted\n");
    machine_exit(EXIT_FAILED);
}

/* What gcc makes of __builtin_popcountll(). */
int __popcountdi2(exo_i64 value)
{
    exo_u64 bits = (exo_u64)value;
    int count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* A linear congruence, of which the upper bits are used. */
int rand_r(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int)(*seed >> 8);
}

static exo_u64 nanoseconds(const struct timespec *time)
{
    return (exo_u64)time->tv_sec * 1000000000u + (exo_u64)time->tv_nsec;
}

int clock_gettime(int clock, struct timespec *now)
{
    exo_u64 now_ns = exo_port_now_ns();
    (void)clock;
    now->tv_sec = (long)(now_ns / 1000000000u);
    now->tv_nsec = (long)(now_ns % 1000000000u);
    return 0;
}

int nanosleep(const struct timespec *pause, struct timespec *left)
{
    exo_u64 until = exo_port_now_ns() + nanoseconds(pause);
    (void)left;
    while (exo_port_now_ns() < until) {
        exo_port_block_current(until);
    }
    return 0;
}

int usleep(unsigned microseconds)
{
    const struct timespec pause = {0, (long)microseconds * 1000};
    return nanosleep(&pause, (struct timespec *)NULL);
}

unsigned alarm(unsigned seconds)
{
    (void)seconds;
    return 0;
}

static void on_its_stack(void)
{
    struct hosted_thread *self = (struct hosted_thread *)cpu_thread()->argument;
    self->result = self->run(self->argument);
    thread_exit();
}

static void begin(void *argument)
{
    stack_begin((exo_uptr)((struct hosted_thread *)argument)->stack + STACK, on_its_stack);
}

int pthread_create(pthread_t *thread, const void *attributes, void *(*run)(void *), void *argument)
{
    struct hosted_thread *made = (struct hosted_thread *)malloc(sizeof(*made));
    (void)attributes;
    if (made == NULL) {
        return 12;
    }
    made->run = run;
    made->argument = argument;
    made->stack = (exo_u8 *)malloc(STACK);
    made->thread = made->stack == NULL ? (struct thread *)NULL : thread_create("hosted", begin, made, CPUS_ANY);
    if (made->thread == NULL) {
        free(made->stack);
        free(made);
        return 12;
    }
    tasks[made->thread->id].thread = made->thread;
    *thread = made;
    thread_start(made->thread);
    return 0;
}

static int join(pthread_t thread, void **result, exo_u64 deadline_ns)
{
    exo_u32 id = thread->thread->id;
    if (!thread_join(thread->thread, deadline_ns)) {
        return 110;
    }
    tasks[id].thread = (struct thread *)NULL;
    if (result != NULL) {
        *result = thread->result;
    }
    free(thread->stack);
    free(thread);
    return 0;
}

int pthread_join(pthread_t thread, void **result)
{
    return join(thread, result, EXO_FOREVER);
}

int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until)
{
    return join(thread, result, nanoseconds(until));
}

long syscall(long number)
{
    (void)number;
    return (long)exo_port_self();
}

/* The format is a path with %u in it. */
int snprintf(char *text, size_t bytes, const char *format, exo_u32 id)
{
    char digits[10];
    size_t at = 0;
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + id % 10);
        id /= 10;
    } while (id != 0);
    for (; *format != 0 && at + sizeof(digits) < bytes; format++) {
        if (format[0] != '%') {
            text[at++] = *format;
            continue;
        }
        while (count != 0) {
            text[at++] = digits[--count];
        }
        format++;
    }
    text[at] = 0;
    return (int)at;
}

FILE *fopen(const char *path, const char *mode)
{
    exo_u32 id = 0;
    (void)mode;
    for (; *path != 0; path++) {
        if (*path >= '0' && *path <= '9') {
            id = id * 10 + (exo_u32)(*path - '0');
        }
    }
    return id > THREADS || tasks[id].thread == NULL ? (FILE *)NULL : &tasks[id];
}

static char state_of(const FILE *file)
{
    const volatile enum thread_state *state = &file->thread->state;
    return *state == THREAD_BLOCKED ? 'S' : 'R';
}

char *fgets(char *text, int bytes, FILE *file)
{
    const char line[] = {')', ' ', state_of(file), 0};
    if (bytes < (int)sizeof(line)) {
        return (char *)NULL;
    }
    memcpy(text, line, sizeof(line));
    return text;
}

int fscanf(FILE *file, const char *format, char *state)
{
    (void)format;
    *state = state_of(file);
    return 1;
}

int fclose(FILE *file)
{
    (void)file;
    return 0;
}

void hosted_message(const char *format, ...)
{
    char text[2] = {0, 0};
    va_list arguments;
    __builtin_va_start(arguments, format);
    for (; *format != 0; format++) {
        if (format[0] != '%') {
            text[0] = *format;
            print("%s", text);
            continue;
        }
        format++;
        if (*format == 's') {
            print("%s", __builtin_va_arg(arguments, const char *));
        } else {
            print("%u", NUMBER(__builtin_va_arg(arguments, exo_u32)));
        }
    }
    __builtin_va_end(arguments);
}

void hosted_fail(const char *what, exo_u64 is, exo_u64 wanted, const char *file, int line)
{
    print("%s:%u: %s: %x, %x\n[  FAILED  ] %s\n", file, NUMBER(line), what, is, wanted, claim);
    machine_exit(EXIT_FAILED);
}

void hosted_skip(void)
{
    __builtin_longjmp(after_skip, 1);
}

static void run_one(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    claim = test->name;
    print("[ RUN      ] %s\n", test->name);
    if (test->setup_func != NULL && test->setup_func(&state) != 0) {
        hosted_fail("its setup", 0, 0, test->name, 0);
    }
    if (__builtin_setjmp(after_skip) == 0) {
        test->test_func(&state);
        print("[       OK ] %s\n", test->name);
    } else {
        print("[  SKIPPED ] %s\n", test->name);
    }
    if (test->teardown_func != NULL && test->teardown_func(&state) != 0) {
        hosted_fail("its teardown", 0, 0, test->name, 0);
    }
}

int hosted_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **), int (*teardown)(void **))
{
    void *state = NULL;
    size_t i;
    if (setup != NULL && setup(&state) != 0) {
        hosted_fail("the setup of all", 0, 0, "", 0);
    }
    for (i = 0; i < count; i++) {
        run_one(&tests[i]);
    }
    if (teardown != NULL && teardown(&state) != 0) {
        hosted_fail("the teardown of all", 0, 0, "", 0);
    }
    print("%u claims, none failed\n", NUMBER(count));
    return 0;
}

static void run_all(void)
{
    machine_exit(unit_main() == 0 ? EXIT_PASSED : EXIT_FAILED);
}

exo_u8 kernel_main(const char *command_line, const struct memory_map *ram)
{
    exo_u8 *stack = (exo_u8 *)malloc(STACK);
    (void)command_line;
    (void)ram;
    if (stack == NULL) {
        panic("no memory for the tests");
    }
    stack_begin((exo_uptr)stack + STACK, run_all);
}
