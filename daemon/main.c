/* SPDX-License-Identifier: MIT */
/*
 * exo-ipcd: capabilities, quotas and shared memory for the processes of a machine, or of one user.
 *
 *     $ exo-ipcd                   for this user, at $XDG_RUNTIME_DIR/exo-ipcd
 *     $ exo-ipcd --system          for all users, at /run/exo-ipcd/socket
 *     $ exo-ipcd --report          what there is in the one that runs
 */
#include "daemon.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>

/* Sanitizers make calls of their own, whenever they like. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_FIRST EXO_FALSE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_FIRST EXO_FALSE
#endif
#endif
#ifndef SANDBOX_FIRST
#define SANDBOX_FIRST EXO_TRUE
#endif

enum { KEY_SYSTEM = 256, KEY_GID, KEY_CLIENTS, KEY_NO_SANDBOX, KEY_REPORT, KEY_LIMIT };

const char *argp_program_version = "exo-ipcd " EXO_IPCD_VERSION;

static const struct argp_option options_table[] = {
    {"socket", 's', "PATH", 0, "Listen there", 0},
    {"system", KEY_SYSTEM, NULL, 0, "Let other users in too", 0},
    {"allow-gid", KEY_GID, "GID", 0, "With --system: only members of this group (up to 32 times)", 0},
    {"max-clients", KEY_CLIENTS, "N", 0, "Connections of one user", 0},
    {"limit-bytes", KEY_LIMIT + EXO_QUOTA_BYTES, "N", 0, "Of one user: bytes of regions and channels", 1},
    {"limit-regions", KEY_LIMIT + EXO_QUOTA_REGIONS, "N", 0, "Regions", 1},
    {"limit-channels", KEY_LIMIT + EXO_QUOTA_CHANNELS, "N", 0, "Channels", 1},
    {"limit-capabilities", KEY_LIMIT + EXO_QUOTA_CAPABILITIES, "N", 0, "Capabilities", 1},
    {"limit-messages", KEY_LIMIT + EXO_QUOTA_MESSAGES, "N", 0, "Messages that nobody has received yet", 1},
    {"limit-slots", KEY_LIMIT + EXO_QUOTA_SLOTS, "N", 0, "Sources of queues", 1},
    {"no-sandbox", KEY_NO_SANDBOX, NULL, 0, "Do not give up system calls", 2},
    {"report", KEY_REPORT, NULL, 0, "Print what there is in the daemon that runs, and end", 2},
    {NULL, 0, NULL, 0, NULL, 0},
};

struct arguments {
    struct options options;
    exo_bool report;
};

static exo_u64 number(struct argp_state *state, const char *text, exo_u64 most)
{
    char *end = NULL;
    unsigned long long value;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || value > most) {
        argp_error(state, "not a number here: %s", text);
    }
    return value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = (struct arguments *)state->input;
    struct options *options = &arguments->options;
    if (key >= KEY_LIMIT && key < KEY_LIMIT + (int)EXO_SYS_QUOTAS) {
        options->limit[key - KEY_LIMIT] = number(state, argument, EXO_FOREVER);
        return 0;
    }
    switch (key) {
    case 's':
        options->socket = argument;
        return 0;
    case KEY_SYSTEM:
        options->system = EXO_TRUE;
        return 0;
    case KEY_GID:
        if (options->groups == GROUPS_MAX) {
            argp_error(state, "too many groups");
        }
        options->group[options->groups++] = (gid_t)number(state, argument, 0xFFFFFFFEu);
        return 0;
    case KEY_CLIENTS:
        options->clients = (exo_u32)number(state, argument, 1u << 20);
        return 0;
    case KEY_NO_SANDBOX:
        options->sandbox = EXO_FALSE;
        return 0;
    case KEY_REPORT:
        arguments->report = EXO_TRUE;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Where it listens, or is asked, when nobody says. */
static const char *default_socket(exo_bool system)
{
    static char own[108];
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (system) {
        return EXO_CLIENT_SYSTEM_PATH;
    }
    if (folder == NULL || folder[0] == 0 ||
        (exo_size)snprintf(own, sizeof(own), "%s%s", folder, EXO_CLIENT_USER_FILE) >= sizeof(own)) {
        return NULL;
    }
    return own;
}

static int print_report(const char *path)
{
    static const char *const names[] = {"bytes",    "regions",   "channels", "capabilities", "messages",
                                        "slots",    "clients",   "processes", "regions held", "channels held",
                                        "queues",   "groups",    "waiting",  "links",        "refused"};
    static struct exo_client client;
    struct exo_daemon_report report;
    exo_word64 values[sizeof(names) / sizeof(names[0])];
    exo_size i;
    exo_status status = exo_client_open(&client, path, exo_port_now_ns() + 5000000000ull);
    EXO_STATIC_ASSERT(sizeof(values) == sizeof(report), "a name for each");
    if (status == EXO_OK) {
        status = exo_client_report(&client, &report);
        exo_client_close(&client);
    }
    if (status != EXO_OK) {
        (void)fprintf(stderr, "exo-ipcd: %s\n", exo_status_text(status));
        return 1;
    }
    memcpy(values, &report, sizeof(values));
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)printf("%-14s %llu\n", names[i], (unsigned long long)values[i]);
    }
    return 0;
}

static int run(struct daemon *daemon)
{
    exo_status status = loop_begin(daemon);
    if (status == EXO_OK && daemon->options.sandbox) {
        activation_ready();
        status = sandbox_enter();
    } else if (status == EXO_OK) {
        activation_ready();
    }
    if (status != EXO_OK) {
        (void)fprintf(stderr, "exo-ipcd: %s: %s\n", daemon->options.socket == NULL ? "socket" : daemon->options.socket,
                      exo_status_text(status));
        exo_listener_close(&daemon->listener);
        return 1;
    }
    loop_run(daemon);
    loop_end(daemon);
    return 0;
}

int main(int count, char **words)
{
    static const struct argp argp = {options_table, parse, NULL,
                                     "Capabilities, quotas and shared memory for the processes of this machine.", NULL,
                                     NULL, NULL};
    static const exo_u64 limits[EXO_SYS_QUOTAS] = {0, 0, 1u << 14, 1u << 18, 1u << 16, 1u << 16};
    static struct daemon daemon;
    static struct arguments arguments;
    arguments.options.sandbox = SANDBOX_FIRST;
    memcpy(arguments.options.limit, limits, sizeof(limits));
    if (argp_parse(&argp, count, words, 0, NULL, &arguments) != 0) {
        return 2;
    }
    if (arguments.report) {
        return print_report(arguments.options.socket != NULL ? arguments.options.socket
                            : arguments.options.system       ? EXO_CLIENT_SYSTEM_PATH
                                                             : NULL);
    }
    daemon.options = arguments.options;
    if (daemon.options.socket == NULL) {
        daemon.options.socket = default_socket(daemon.options.system);
    }
    return run(&daemon);
}
