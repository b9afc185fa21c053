#include "base/exit.h"

#include <stddef.h>

const struct fr_exit_word fr_exit_words[] = {
    {FR_EXIT_OK, "Done, or true."},
    {FR_EXIT_FALSE, "A predicate is false; the user said no."},
    {FR_EXIT_WARNINGS, "Doctor: warnings."},
    {FR_EXIT_CRITICAL, "Doctor: critical."},
    {FR_EXIT_AUTH, "Refused by the peer: authentication."},
    {FR_EXIT_DENIED, "Refused: authorisation or policy."},
    {FR_EXIT_PENDING, "Waiting for approval."},
    {FR_EXIT_NOT_FOUND, "Not found."},
    {FR_EXIT_REVOKED, "Revoked or expired."},
    {FR_EXIT_CONFLICT, "Conflict, or already there differently."},
    {FR_EXIT_TEMPORARY, "Network, busy, clock: a retry makes sense."},
    {FR_EXIT_USAGE, "A wrong command line."},
    {FR_EXIT_DATA, "Bad input file."},
    {FR_EXIT_DOWN, "Service down."},
    {FR_EXIT_INTERNAL, "Internal error."},
    {FR_EXIT_CREATE, "Cannot create."},
    {FR_EXIT_IO, "Input or output failed."},
    {FR_EXIT_PERM, "Permission."},
    {FR_EXIT_CONFIG, "Bad configuration, or unsafe file mode."},
    {FR_EXIT_OK, NULL},
};

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
