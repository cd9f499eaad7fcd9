/* SPDX-License-Identifier: MIT */
/*
 * An owner of shared memory, a reader who was given it, and a stranger; started as root, the stranger is another user. They
 * have nothing in common but the daemon, which this program starts on a socket of its own (exo-ipcd from PATH, or $EXO_IPCD).
 *
 *     $ three_processes
 *     stranger: open frames: PermissionDenied
 *     reader: map to read: Ok: it says "frame 1"
 *     reader: map to write: PermissionDenied
 *     reader: make the mapping writable: PermissionDenied
 *     owner: revoked, 1 capability ended
 *     reader: map again: NotFound
 */
#include <exo_client.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static char path[64];

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
    exit(1);
}

#define SAY(what, result) printf("%s: %s\n", what, exo_status_text(result))

/* Wait for the next message of a channel. Returns the handle that was passed along, or 0. */
static exo_u64 next_passed(struct exo_door *door, exo_u64 channel)
{
    struct exo_sys_event event;
    struct exo_sys_letter letter;
    char text[16];
    exo_u64 queue, source;
    exo_i64 got;
    check(exo_sys_queue_create(door, 1, &queue), "queue");
    check(exo_sys_queue_bind(door, queue, channel, 0, EXO_READABLE, &source), "bind");
    while ((got = exo_sys_channel_recv_letter(door, channel, &letter, text, sizeof(text))) == EXO_EMPTY)
        check(exo_sys_wait(door, queue, &event, 1, EXO_FOREVER), "wait");
    check(got, "receive");
    check(exo_sys_close(door, queue), "close");
    return letter.passed;
}

static void be_stranger(struct exo_client *client)
{
    exo_u64 region;
    SAY("stranger: open frames", exo_sys_shm_open(&client->door, "frames", 6, EXO_RIGHT_MAP_READ, &region));
}

static void be_reader(struct exo_client *client)
{
    struct exo_door *door = &client->door;
    exo_u64 channel, region;
    void *at, *other;
    check(exo_sys_channel_open(door, "desk", 4, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE, &channel), "reader: channel");
    region = next_passed(door, channel);
    exo_status status = exo_sys_shm_map(door, region, NULL, EXO_MAP_READ, &at);
    printf("reader: map to read: %s: it says \"%s\"\n", exo_status_text(status), status == EXO_OK ? (char *)at : "");
    SAY("reader: map to write", exo_sys_shm_map(door, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &other));
    SAY("reader: make the mapping writable", exo_sys_shm_protect(door, at, EXO_MAP_READ | EXO_MAP_WRITE));
    check(exo_sys_channel_send(door, channel, "done", 4), "reader: send");
    next_passed(door, channel);
    SAY("reader: map again", exo_sys_shm_map(door, region, NULL, EXO_MAP_READ, &other));
}

static pid_t start(void (*body)(struct exo_client *), uid_t user)
{
    static struct exo_client client;
    pid_t child = fork();
    if (child == 0) {
        check(geteuid() == 0 && user != 0 && setuid(user) != 0 ? EXO_SYSTEM_ERROR : EXO_OK, "user");
        check(exo_client_open(&client, path, EXO_FOREVER), "open");
        body(&client);
        exo_client_close(&client);
        exit(0);
    }
    return child;
}

static void be_owner(struct exo_client *client)
{
    struct exo_door *door = &client->door;
    struct exo_sys_letter letter = {.rights = EXO_RIGHT_MAP_READ, .header = {.msg_type = EXO_MESSAGE_DATA}};
    exo_u64 region, channel, ended;
    void *at;
    check(exo_sys_shm_create(door, "frames", 6, 4096, 0, &region), "owner: region"); /* to be opened by nobody */
    check(exo_sys_shm_map(door, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at), "owner: map");
    strcpy((char *)at, "frame 1");
    waitpid(start(be_stranger, 65534), NULL, 0);
    check(exo_sys_channel_create(door, "desk", 4, EXO_PERMS(EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE, 0), 0, 0, &channel), "desk");
    letter.passed = region;
    check(exo_sys_channel_send_letter(door, channel, &letter, "frames", 6), "owner: pass");
    pid_t reader = start(be_reader, 0);
    next_passed(door, channel);
    check(exo_sys_revoke(door, region, EXO_FALSE, &ended), "owner: revoke");
    printf("owner: revoked, %llu capability ended\n", (unsigned long long)ended);
    check(exo_sys_channel_send(door, channel, "revoked", 7), "owner: send");
    waitpid(reader, NULL, 0);
}

int main(void)
{
    static struct exo_client client;
    const char *program = getenv("EXO_IPCD");
    snprintf(path, sizeof(path), "/tmp/three_processes-%d", (int)getpid());
    setvbuf(stdout, NULL, _IOLBF, 0);
    pid_t daemon = fork();
    if (daemon == 0) {
        execlp(program != NULL ? program : "exo-ipcd", "exo-ipcd", "--system", "--socket", path, (char *)NULL);
        _exit(127);
    }
    exo_status status; /* at first nobody listens yet */
    while ((status = exo_client_open(&client, path, EXO_FOREVER)) == EXO_NOT_FOUND && waitpid(daemon, NULL, WNOHANG) == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    check(status, "exo-ipcd");
    be_owner(&client);
    exo_client_close(&client);
    kill(daemon, SIGTERM);
    waitpid(daemon, NULL, 0);
    return 0;
}
