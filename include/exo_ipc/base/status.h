/* SPDX-License-Identifier: MIT */
/*
 * Results. Values are fixed for ever; each has one meaning. Calls that yield a count return it as a
 * signed 64-bit number and an error as the same negative value.
 *
 *   flow      Full, Empty, Timeout, WouldBlock, Closed, Overflow, Interrupted, Cancelled: try again or stop
 *   peer      PeerDied, Corrupt, VersionMismatch, TypeMismatch: the other side's doing
 *   misuse    InvalidArgument, InvalidSize, BufferTooSmall, NotFound, NotSupported: the caller's doing
 *   limits    NoMemory, QuotaExceeded, PermissionDenied, AlreadyExists: the system's answer
 */
#ifndef EXO_IPC_BASE_STATUS_H
#define EXO_IPC_BASE_STATUS_H

#include "types.h"

typedef enum exo_status {
    EXO_OK = 0,
    EXO_NOT_FOUND = -1,         /* the name or handle denotes nothing that exists (any more) */
    EXO_FULL = -2,              /* no free slot, or no free block in the arena */
    EXO_EMPTY = -3,             /* no message */
    EXO_PERMISSION_DENIED = -4, /* the right is missing */
    EXO_INVALID_SIZE = -5,      /* a length or capacity that this object can never take */
    EXO_OVERFLOW = -6,          /* messages were overwritten before this receiver took them */
    EXO_TIMEOUT = -7,           /* the deadline passed first */
    EXO_WOULD_BLOCK = -8,       /* the call was told not to wait and would have had to */
    EXO_INVALID_ARGUMENT = -9,  /* null, misaligned, unknown flag or mode, or out of order */
    EXO_NO_MEMORY = -10,        /* memory could not be had, or the memory given is too little */
    EXO_QUOTA_EXCEEDED = -11,   /* the account's limit */
    EXO_ALREADY_EXISTS = -12,   /* the name is taken */
    EXO_CLOSED = -13,           /* the peer closed in order; nothing more will come or be taken */
    EXO_PEER_DIED = -14,        /* the peer vanished without closing */
    EXO_CORRUPT = -15,          /* the peer broke the protocol; the handle stays refused */
    EXO_VERSION_MISMATCH = -16, /* a layout of another version */
    EXO_TYPE_MISMATCH = -17,    /* another mode, profile, type or kind than expected */
    EXO_INTERRUPTED = -18,      /* a signal or an explicit interruption ended the wait */
    EXO_NOT_SUPPORTED = -19,    /* this port or mode does not offer it */
    EXO_CANCELLED = -20,        /* cancelled by the caller */
    EXO_BUFFER_TOO_SMALL = -21, /* the next message is longer than the buffer; it stays */
    EXO_SYSTEM_ERROR = -22      /* the operating system refused for a reason of its own */
} exo_status;

/**
 * exo_status_text - name a status.
 * @status: any value, also a count or an unknown one
 *
 * Returns: a constant string, never null: the name of the status, "Ok" for 0 and above,
 * "Unknown" for values that are none.
 * Context: any, interrupts included. Progress: wait-free.
 */
EXO_INLINE const char *exo_status_text(exo_i64 status)
{
    static const char *const text[] = {
        "Ok",            "NotFound",        "Full",         "Empty",        "PermissionDenied",
        "InvalidSize",   "Overflow",        "Timeout",      "WouldBlock",   "InvalidArgument",
        "NoMemory",      "QuotaExceeded",   "AlreadyExists", "Closed",      "PeerDied",
        "Corrupt",       "VersionMismatch", "TypeMismatch", "Interrupted",  "NotSupported",
        "Cancelled",     "BufferTooSmall",  "SystemError",
    };
    if (status >= 0) {
        return text[0];
    }
    return status < -22 ? "Unknown" : text[-status];
}

#endif
