/* SPDX-License-Identifier: MIT */
/*
 * Runs every file of a folder through a fuzzer's function, built by any compiler: inputs that were found once are
 * tests for ever.
 */
#include <dirent.h>

#include "fuzz.h"

#define INPUT_MOST 65536u

static exo_bool replay(const char *folder, const char *name)
{
    static exo_u8 whole[INPUT_MOST];
    char path[1024];
    exo_u8 *data;
    exo_size size;
    FILE *file;
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = length < 0 || (exo_size)length >= sizeof(path) ? NULL : fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "cannot read %s/%s\n", folder, name);
        return EXO_FALSE;
    }
    size = fread(whole, 1, sizeof(whole), file);
    (void)fclose(file);
    data = (exo_u8 *)malloc(size == 0 ? 1 : size); /* its end is watched */
    if (data == NULL) {
        return EXO_FALSE;
    }
    memcpy(data, whole, size);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return EXO_TRUE;
}

int main(int count, char **arguments)
{
    const struct dirent *entry;
    exo_u32 replayed = 0;
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    if (folder == NULL) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            if (!replay(arguments[1], entry->d_name)) {
                return 1;
            }
            replayed++;
        }
    }
    (void)closedir(folder);
    (void)printf("%u inputs replayed\n", replayed);
    return replayed == 0;
}
