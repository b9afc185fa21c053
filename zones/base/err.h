#pragma once
/* The one list of error codes of every library of the house.
 *
 * Model: a fallible function returns enum fr_err; FR_OK is 0; outputs are untouched otherwise. A
 * code says what kind of thing went wrong; the sentence for a human is in struct fr_diag
 * (base/diag.h). */

enum [[nodiscard]] fr_err{
    FR_OK = 0,        FR_E_NOMEM, /* out of memory */
    FR_E_LIMIT,                   /* a configured cap was hit: buffer, queue, count */
    FR_E_TRUNCATED,               /* input ends too early */
    FR_E_MALFORMED,               /* input breaks its format */
    FR_E_RANGE,                   /* a number is outside its bounds */
    FR_E_INVALID,     /* well formed, but not allowed here (human input, names, values) */
    FR_E_UNSUPPORTED, /* well formed, but of a kind or version we do not speak */
    FR_E_NOT_FOUND,   /* no such thing */
    FR_E_EXISTS,      /* it is there already, or there differently */
    FR_E_CONFLICT,    /* belongs to another, or the state forbids it now */
    FR_E_AUTH,        /* who the peer is was not proved */
    FR_E_DENIED,      /* the peer is known, and may not */
    FR_E_REVOKED,     /* certificate or member revoked or suspended */
    FR_E_EXPIRED,     /* outside its dates */
    FR_E_PENDING,     /* accepted, not decided yet */
    FR_E_USAGE,       /* command line */
    FR_E_CONFIG,      /* configuration file, or unsafe file mode */
    FR_E_PERM,        /* the operating system refuses */
    FR_E_CREATE,      /* a file cannot be created */
    FR_E_IO,          /* reading or writing failed */
    FR_E_FULL,        /* no room: the disk, or the map of a store */
    FR_E_NET,         /* connection refused, reset, unreachable */
    FR_E_TIMEOUT,     /* deadline over */
    FR_E_BUSY,        /* try again soon: locked, over budget, queue full */
    FR_E_CLOSED,      /* the other side, or we, closed it */
    FR_E_CANCELLED,   /* the caller gave up */
    FR_E_UNAVAILABLE, /* the service is down */
    FR_E_SCHEMA,      /* data on disk is of another version */
    FR_E_CRYPTO,      /* a cryptographic check failed: MIC, signature, unwrap */
    FR_E_INTERNAL,    /* cannot happen, and did */
};

/* A few words for the code, lower case, no full stop; never NULL, static. */
const char *fr_err_text(enum fr_err err);

/* The code for a system errno; never FR_OK. */
enum fr_err fr_err_from_errno(int errnum);
