/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tests/unit ask of a C library, threads and files, for an image of the kernel: so they run in it
 * as they are. The headers in this folder, but for cmocka.h, are all this one.
 */
#ifndef HOSTED_H
#define HOSTED_H

#include "exo_ipc/base/types.h"

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT64_TYPE__ int64_t;
typedef __builtin_va_list va_list;

#define INT64_MAX __INT64_MAX__
#define INT64_MIN (-INT64_MAX - 1)
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *one, const void *other, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *one, const char *other);
char *strrchr(const char *text, int what);

void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *memory);
void abort(void) __attribute__((noreturn));
int rand_r(unsigned *seed);

struct timespec {
    long tv_sec;
    long tv_nsec;
};
#define CLOCK_REALTIME 0 /* from when the machine began */
int clock_gettime(int clock, struct timespec *now);
int nanosleep(const struct timespec *pause, struct timespec *left);
int usleep(unsigned microseconds);
unsigned alarm(unsigned seconds); /* whoever runs the image has a limit */

/* Threads of the kernel. */
typedef struct hosted_thread *pthread_t;
int pthread_create(pthread_t *thread, const void *attributes, void *(*run)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until);
void sched_yield(void); /* the kernel's */
#ifndef HOSTED_ITSELF
#define sched_yield() (sched_yield(), 0)
#endif

#define SYS_gettid 1
long syscall(long number);

/* One kind of file: /proc/self/task/ID/stat, of which no more is there than the state of the thread. */
typedef struct hosted_file FILE;
int snprintf(char *text, size_t bytes, const char *format, exo_u32 id);
FILE *fopen(const char *path, const char *mode);
char *fgets(char *text, int bytes, FILE *file);
int fscanf(FILE *file, const char *format, char *state);
int fclose(FILE *file);

#endif
