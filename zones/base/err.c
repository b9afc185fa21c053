#include "base/err.h"

#include <errno.h>

const char *fr_err_text(enum fr_err err)
{
    switch (err) {
    case FR_OK: return "no error";
    case FR_E_NOMEM: return "out of memory";
    case FR_E_LIMIT: return "a limit is reached";
    case FR_E_TRUNCATED: return "ends too early";
    case FR_E_MALFORMED: return "malformed";
    case FR_E_RANGE: return "out of range";
    case FR_E_INVALID: return "not allowed here";
    case FR_E_UNSUPPORTED: return "not supported";
    case FR_E_NOT_FOUND: return "not found";
    case FR_E_EXISTS: return "exists already";
    case FR_E_CONFLICT: return "conflict";
    case FR_E_AUTH: return "not authenticated";
    case FR_E_DENIED: return "not authorised";
    case FR_E_REVOKED: return "revoked or suspended";
    case FR_E_EXPIRED: return "expired or not yet valid";
    case FR_E_PENDING: return "pending";
    case FR_E_USAGE: return "wrong usage";
    case FR_E_CONFIG: return "bad configuration";
    case FR_E_PERM: return "permission denied";
    case FR_E_CREATE: return "cannot create";
    case FR_E_IO: return "input or output failed";
    case FR_E_FULL: return "no room left";
    case FR_E_NET: return "network failure";
    case FR_E_TIMEOUT: return "timed out";
    case FR_E_BUSY: return "busy";
    case FR_E_CLOSED: return "closed";
    case FR_E_CANCELLED: return "cancelled";
    case FR_E_UNAVAILABLE: return "service unavailable";
    case FR_E_SCHEMA: return "data of another version";
    case FR_E_CRYPTO: return "cryptographic check failed";
    case FR_E_INTERNAL: return "internal error";
    }
    return "unknown error";
}

enum fr_err fr_err_from_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM: return FR_E_NOMEM;
    case ENOENT:
    case ENOTDIR: return FR_E_NOT_FOUND;
    case EEXIST: return FR_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return FR_E_PERM;
    case EFBIG:
    case EMFILE:
    case ENFILE: return FR_E_LIMIT;
    case EAGAIN:
    case ENOSPC:
    case EDQUOT: return FR_E_FULL;
    case EBUSY: return FR_E_BUSY;
    case ETIMEDOUT: return FR_E_TIMEOUT;
    case EPIPE: return FR_E_CLOSED;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRINUSE:
    case EADDRNOTAVAIL: return FR_E_NET;
    default: return FR_E_IO;
    }
}
