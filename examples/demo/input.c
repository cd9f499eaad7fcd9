/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a compiler keeps what is large; the last two exist everywhere. */
static const char *const well_known[] = {
    "/usr/lib/gcc/*/*/cc1",
    "/usr/libexec/gcc/*/*/cc1",
    "/usr/lib/llvm*/bin/clang*",
    "/usr/lib/llvm*/lib/libLLVM*.so*",
    "/usr/lib*/libLLVM*.so*",
    "/usr/bin/clang*",
    "/bin/sh",
    "/proc/self/exe",
};

static off_t size_of(const char *name)
{
    struct stat about;
    return stat(name, &about) == 0 && S_ISREG(about.st_mode) && access(name, R_OK) == 0
               ? about.st_size
               : -1;
}

/* The compiler proper, as the driver names it. */
static char *ask_driver(void)
{
    static char name[4096];
    FILE *answer = popen("gcc -print-prog-name=cc1 2>/dev/null", "r");
    if (answer == NULL) {
        return NULL;
    }
    if (fgets(name, sizeof(name), answer) == NULL) {
        name[0] = 0;
    }
    name[strcspn(name, "\n")] = 0;
    (void)pclose(answer);
    return name[0] == '/' && size_of(name) > 0 ? strdup(name) : NULL;
}

static char *largest_known(void)
{
    char *best = NULL;
    off_t most = -1;
    size_t i;
    size_t j;
    for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++) {
        glob_t found;
        if (glob(well_known[i], 0, NULL, &found) != 0) {
            continue;
        }
        for (j = 0; j < found.gl_pathc; j++) {
            if (size_of(found.gl_pathv[j]) > most) {
                most = size_of(found.gl_pathv[j]);
                free(best);
                best = strdup(found.gl_pathv[j]);
            }
        }
        globfree(&found);
    }
    return best;
}

static int complain(const char *name, const char *why)
{
    fprintf(stderr, "demo: %s: %s\n", name, why);
    return -1;
}

static int map(struct input *input, int descriptor)
{
    struct stat about;
    void *at;
    if (fstat(descriptor, &about) != 0) {
        return complain(input->name, strerror(errno));
    }
    if (!S_ISREG(about.st_mode)) {
        return complain(input->name,
                        S_ISDIR(about.st_mode) ? "is a directory" : "is no regular file");
    }
    input->data = (const unsigned char *)"";
    input->bytes = (size_t)about.st_size;
    if (input->bytes == 0) {
        return 0;
    }
    at = mmap(NULL, input->bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (at == MAP_FAILED || madvise(at, input->bytes, MADV_DONTFORK) != 0) {
        return complain(input->name, strerror(errno));
    }
    input->data = at;
    return 0;
}

int input_open(struct input *input, const char *name)
{
    int descriptor;
    int result;
    input->name = name != NULL ? strdup(name) : ask_driver();
    if (input->name == NULL) {
        input->name = largest_known();
    }
    if (input->name == NULL) {
        return complain("no file", "give one as the argument");
    }
    descriptor =
        open(input->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (descriptor < 0) {
        return complain(input->name, strerror(errno));
    }
    result = map(input, descriptor);
    (void)close(descriptor);
    return result;
}

static void shrunk(int signal)
{
    static const char text[] = "demo: the file was truncated while it was read\n";
    (void)signal;
    _exit(write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ? 2 : 1);
}

void input_guard(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = shrunk;
    (void)sigaction(SIGBUS, &action, NULL);
}
