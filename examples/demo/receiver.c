/* SPDX-License-Identifier: MIT */
/*
 * The receiving process. It has neither the file nor a mapping of it: all it knows came by the path that is being
 * shown.
 */
#include "receiver.h"

#include "paths.h"

static exo_status say(struct link *link, const struct answer *answer)
{
    return exo_send_blocking(&link->end.tx, answer, sizeof(*answer), EXO_FOREVER);
}

static exo_status transfer(struct link *link, const struct command *command, struct sink *sink)
{
    const struct path *path = &paths[command->path];
    exo_status status = EXO_OK;
    exo_u64 i;
    for (i = 0; i < command->times && status == EXO_OK; i++) {
        status = path->receive(link, (size_t)command->bytes, (size_t)command->frame, sink);
        if (status == EXO_OK && command->what == ECHO) {
            status = path->send(link, pattern(), (size_t)command->bytes, (size_t)command->frame);
        }
    }
    return status;
}

static exo_status obey(struct link *link, const struct command *command)
{
    struct answer answer = {0, {0}};
    struct sink sink = {NULL, 0};
    exo_status status;
    if (command->what == HASH) {
        sink.hash = EVP_MD_CTX_new();
        if (sink.hash == NULL || EVP_DigestInit_ex(sink.hash, EVP_sha256(), NULL) != 1) {
            EVP_MD_CTX_free(sink.hash);
            return EXO_NO_MEMORY;
        }
    }
    path_prepare(link, command->path);
    status = say(link, &answer);
    if (status == EXO_OK) {
        status = transfer(link, command, &sink);
    }
    answer.sum = sink.sum;
    if (sink.hash != NULL) {
        (void)EVP_DigestFinal_ex(sink.hash, answer.digest, NULL);
        EVP_MD_CTX_free(sink.hash);
    }
    return status == EXO_OK ? say(link, &answer) : status;
}

exo_status receiver_run(struct link *link)
{
    for (;;) {
        struct command command;
        exo_i64 len = exo_recv_blocking(&link->end.rx, &command, sizeof(command), EXO_FOREVER);
        exo_status status;
        if (len != sizeof(command)) {
            return len < 0 ? (exo_status)len : EXO_CORRUPT;
        }
        if (command.what == QUIT || command.path >= PATHS) {
            return command.what == QUIT ? EXO_OK : EXO_CORRUPT;
        }
        status = obey(link, &command);
        if (status != EXO_OK) {
            return status;
        }
    }
}
