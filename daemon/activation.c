/* SPDX-License-Identifier: MIT */
/*
 * What a service manager says by the environment, without its library: sockets that it listens at for us (LISTEN_FDS, from
 * descriptor 3 on), and where it wants to hear that we are ready (NOTIFY_SOCKET). As sd_listen_fds(3) and sd_notify(3).
 */
#include "daemon.h"

#include <stdlib.h>

#define FIRST_DESCRIPTOR 3

static exo_u64 environment_number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static exo_bool socket_option_is(int socket, int option, int expected)
{
    int value = 0;
    socklen_t bytes = sizeof(value);
    return getsockopt(socket, SOL_SOCKET, option, &value, &bytes) == 0 && value == expected;
}

/* The listener that was handed to us; EXO_NOT_FOUND if none was. Its file is the manager's, and stays. */
exo_status activation_take(struct exo_listener *listener)
{
    int flags = fcntl(FIRST_DESCRIPTOR, F_GETFL);
    if (environment_number("LISTEN_PID") != (exo_u64)getpid() || environment_number("LISTEN_FDS") == 0) {
        return EXO_NOT_FOUND;
    }
    if (environment_number("LISTEN_FDS") != 1 || flags < 0 ||
        !socket_option_is(FIRST_DESCRIPTOR, SO_DOMAIN, AF_UNIX) ||
        !socket_option_is(FIRST_DESCRIPTOR, SO_TYPE, SOCK_SEQPACKET) ||
        !socket_option_is(FIRST_DESCRIPTOR, SO_ACCEPTCONN, 1)) {
        return EXO_TYPE_MISMATCH;
    }
    if (fcntl(FIRST_DESCRIPTOR, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(FIRST_DESCRIPTOR, F_SETFL, flags | O_NONBLOCK) != 0) {
        return EXO_SYSTEM_ERROR;
    }
    memset(listener, 0, sizeof(*listener));
    listener->socket = FIRST_DESCRIPTOR;
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return EXO_OK;
}

/* Tell the manager that clients can connect. Nobody has to listen. */
void activation_ready(void)
{
    static const char ready[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t bytes = 0;
    int socket_of_ours;
    if (path == NULL || exo_address_make_pvt(&address, &bytes, path) != EXO_OK) {
        return;
    }
    socket_of_ours = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_of_ours >= 0) {
        (void)sendto(socket_of_ours, ready, sizeof(ready) - 1, MSG_NOSIGNAL, (struct sockaddr *)&address, bytes);
        (void)close(socket_of_ours);
    }
}
