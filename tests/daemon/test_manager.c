/* SPDX-License-Identifier: MIT */
/* A service manager: the socket that it hands over, and where it hears that the daemon is ready. */
#include "daemon_fixture.h"

/* In the place of a service manager: a socket that it listens at, and one on which it wants to hear. */
static void managed(int listening, const char *notify)
{
    char number[16];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)snprintf(number, sizeof(number), "%d", (int)getpid());
    if (listening == 3) {
        (void)fcntl(3, F_SETFD, 0);
    } else {
        (void)dup2(listening, 3);
    }
    (void)setenv("LISTEN_PID", number, 1);
    (void)setenv("LISTEN_FDS", "1", 1);
    (void)setenv("NOTIFY_SOCKET", notify, 1);
    (void)execl(getenv("EXO_IPCD"), "exo-ipcd", (char *)NULL);
    _exit(127);
}

static void a_socket_from_a_service_manager_is_served(void **state)
{
    static struct exo_client client;
    struct exo_listener listener;
    struct sockaddr_un address;
    char name[64];
    char notify[64];
    char said[16];
    exo_u64 number = 0;
    socklen_t bytes = 0;
    int hears = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    pid_t daemon;
    (void)state;
    (void)snprintf(name, sizeof(name), "@exo_managed_%d", (int)getpid());
    (void)snprintf(notify, sizeof(notify), "@exo_notify_%d", (int)getpid());
    assert_int_equal(exo_listen(&listener, name, NULL), EXO_OK);
    assert_int_equal(exo_address_make_pvt(&address, &bytes, notify), EXO_OK);
    assert_int_equal(bind(hears, (struct sockaddr *)&address, bytes), 0);
    daemon = fork();
    assert_true(daemon >= 0);
    if (daemon == 0) {
        managed(exo_listener_fd(&listener), notify);
    }
    exo_listener_close(&listener);
    assert_int_equal(recv(hears, said, sizeof(said), 0), 7);
    assert_memory_equal(said, "READY=1", 7);
    assert_int_equal(exo_client_open(&client, name, in_seconds(20)), EXO_OK);
    assert_int_equal(exo_sys_version(&client.door, &number), EXO_OK);
    exo_client_close(&client);
    assert_int_equal(kill(daemon, SIGTERM), 0);
    assert_int_equal(join_child(daemon), 0);
    (void)close(hears);
}

/* What the manager hands over must be a socket that listens, for whole packets. */
static void another_socket_from_a_service_manager_is_refused(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    exo_u32 i;
    (void)state;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int other = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;
        char name[64];
        socklen_t bytes = 0;
        int status;
        pid_t daemon;
        (void)snprintf(name, sizeof(name), "@exo_other_%d_%u", (int)getpid(), i);
        assert_int_equal(exo_address_make_pvt(&address, &bytes, name), EXO_OK);
        assert_int_equal(bind(other, (struct sockaddr *)&address, bytes), 0);
        assert_true(types[i] != SOCK_STREAM || listen(other, 8) == 0);
        daemon = fork();
        assert_true(daemon >= 0);
        if (daemon == 0) {
            managed(other, "");
        }
        status = join_child(daemon);
        assert_true(status > 0 && status != 127);
        (void)close(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_socket_from_a_service_manager_is_served),
        CLAIM(another_socket_from_a_service_manager_is_refused),
    };
    return cmocka_run_group_tests_name("manager", tests, NULL, NULL);
}
