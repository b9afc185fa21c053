#include "base/exit.h"

enum fr_exit fr_exit_from_err(enum fr_err err)
{
    switch (err) {
    case FR_OK: return FR_EXIT_OK;
    case FR_E_AUTH: return FR_EXIT_AUTH;
    case FR_E_DENIED: return FR_EXIT_DENIED;
    case FR_E_PENDING: return FR_EXIT_PENDING;
    case FR_E_NOT_FOUND: return FR_EXIT_NOT_FOUND;
    case FR_E_REVOKED:
    case FR_E_EXPIRED: return FR_EXIT_REVOKED;
    case FR_E_EXISTS:
    case FR_E_CONFLICT: return FR_EXIT_CONFLICT;
    case FR_E_NET:
    case FR_E_TIMEOUT:
    case FR_E_BUSY:
    case FR_E_CLOSED: return FR_EXIT_TEMPORARY;
    case FR_E_USAGE: return FR_EXIT_USAGE;
    case FR_E_TRUNCATED:
    case FR_E_MALFORMED:
    case FR_E_RANGE:
    case FR_E_INVALID:
    case FR_E_UNSUPPORTED:
    case FR_E_CRYPTO:
    case FR_E_SCHEMA: return FR_EXIT_DATA;
    case FR_E_UNAVAILABLE: return FR_EXIT_DOWN;
    case FR_E_CREATE: return FR_EXIT_CREATE;
    case FR_E_FULL:
    case FR_E_IO: return FR_EXIT_IO;
    case FR_E_PERM: return FR_EXIT_PERM;
    case FR_E_CONFIG: return FR_EXIT_CONFIG;
    case FR_E_NOMEM:
    case FR_E_LIMIT:
    case FR_E_CANCELLED:
    case FR_E_INTERNAL: break;
    }
    return FR_EXIT_INTERNAL;
}
