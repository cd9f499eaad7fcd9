/* SPDX-License-Identifier: MIT */
/*
 * Frames of a video through a channel: the camera draws each where the screen will read it. The screen compares each
 * frame with the one before, and gives that one back only then; while all buffers are out, the camera waits.
 *
 *     $ frames
 *     camera: 30 frames of 8294400 bytes, checksum a6ca56d0f0380c00
 *     screen: 30 frames of 8294400 bytes, checksum a6ca56d0f0380c00, 29 times new, 0 bytes copied
 */
#include <exo_linux.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define WIDTH 1920
#define HEIGHT 1080
#define FRAME ((size_t)WIDTH * HEIGHT * sizeof(uint32_t))
#define FRAMES 30
#define BUFFERS 4 /* more than the screen keeps */

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

static uint64_t mix(uint64_t sum, uint32_t pixel)
{
    return (sum ^ pixel) * 0x100000001B3u;
}

static void be_the_camera(int socket, const struct exo_channel_config *config)
{
    struct exo_channel_end end;
    struct exo_message frame;
    uint64_t sum = 0;
    check(exo_channel_open(&end, socket, config, EXO_FOREVER), "camera: open");
    for (uint32_t i = 0; i < FRAMES; i++) {
        check(exo_channel_loan_blocking(&end.channel, &frame, NULL, FRAME, EXO_FOREVER), "camera: loan");
        uint32_t *pixels = exo_message_payload(&frame);
        for (uint32_t at = 0; at < WIDTH * HEIGHT; at++) {
            pixels[at] = at * (i + 1);
            sum = mix(sum, at * (i + 1));
        }
        check(exo_channel_send_message_blocking(&end.channel, &frame, EXO_FOREVER), "camera: send");
    }
    printf("camera: %d frames of %zu bytes, checksum %" PRIx64 "\n", FRAMES, FRAME, sum);
    fflush(stdout);
    check(exo_channel_send_blocking(&end.channel, NULL, "end", 3, EXO_FOREVER), "camera: send");
    exo_channel_end_close(&end);
}

/* Whether an address lies in shared memory of another process, which this one may only read. */
static int is_the_cameras(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    uintptr_t begin, end, at = (uintptr_t)address;
    char line[512], rights[5];
    int found = 0;
    while (maps != NULL && !found && fgets(line, sizeof(line), maps) != NULL) {
        found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, rights) == 3 && at >= begin &&
                at + FRAME <= end && strcmp(rights, "r--s") == 0;
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    return found;
}

static void be_the_screen(int socket)
{
    struct exo_channel_end end;
    struct exo_message frames[2]; /* this one and the one before, by turns */
    size_t copied = 0;
    uint64_t sum = 0;
    int n, changes = 0;
    check(exo_channel_open(&end, socket, NULL, EXO_FOREVER), "screen: open");
    for (n = 0;; n++) {
        struct exo_message *frame = &frames[n % 2];
        struct exo_message *before = &frames[(n + 1) % 2];
        check(exo_channel_recv_blocking(&end.channel, frame, EXO_FOREVER), "screen: receive");
        if (exo_message_size(frame) != FRAME) {
            break;
        }
        const uint32_t *pixels = exo_message_payload(frame);
        for (uint32_t at = 0; at < WIDTH * HEIGHT; at++) {
            sum = mix(sum, pixels[at]);
        }
        copied += is_the_cameras(pixels) ? 0 : FRAME;
        if (n > 0) {
            changes += memcmp(pixels, exo_message_payload(before), FRAME) != 0;
            check(exo_channel_release(&end.channel, before), "screen: release");
        }
    }
    printf("screen: %d frames of %zu bytes, checksum %" PRIx64 ", %d times new, %zu bytes copied\n", n, FRAME, sum,
           changes, copied);
    exo_channel_end_close(&end); /* and with it the last frame */
}

int main(void)
{
    static const struct exo_channel_config config = {.ring.arena_size = BUFFERS * FRAME};
    int sockets[2] = {-1, -1};
    int fate = 0;
    check(exo_pair(sockets), "pair");
    pid_t camera = fork();
    check(camera < 0 ? EXO_SYSTEM_ERROR : EXO_OK, "fork");
    (void)close(sockets[camera != 0]); /* the other process's */
    if (camera == 0) {
        be_the_camera(sockets[1], &config);
        return 0;
    }
    be_the_screen(sockets[0]);
    return waitpid(camera, &fate, 0) != camera || fate != 0;
}
