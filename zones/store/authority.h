#pragma once
/*
 * Authorities: the federation's own CA certificates (root and issuing) and whether they are in use.
 *
 * Model: named rows ("root", "2026a"). The DER is kept in the row: it is all that is ever needed of them here.
 * Errors: FR_E_NOT_FOUND, FR_E_EXISTS, FR_E_LIMIT (DER above FR_AUTHORITY_DER_MAX).
 */
#include "base/span.h"
#include "store/change.h"

#define FR_AUTHORITY_DER_MAX 4096

enum fr_authority_kind { FR_AUTHORITY_ROOT = 1, FR_AUTHORITY_ISSUING = 2 };
enum fr_authority_state {
    FR_AUTHORITY_ACTIVE = 1,  /* trusted; an issuing one signs */
    FR_AUTHORITY_RETIRED = 2, /* trusted, signs no more */
    FR_AUTHORITY_REVOKED = 3, /* not trusted */
};

struct fr_authority_row {
    char name[FR_HOST_MAX + 1];
    enum fr_authority_kind kind;
    enum fr_authority_state state;
    int64_t not_before_s, not_after_s;
    uint8_t sha256[FR_DIGEST_SIZE];
    uint16_t der_size;
    uint8_t der[FR_AUTHORITY_DER_MAX];
};

const char *fr_authority_state_text(enum fr_authority_state state);

enum fr_err fr_authority_get(struct fr_snap *snap, const char *name, struct fr_authority_row *out);
typedef enum fr_err (*fr_authority_fn)(void *data, const struct fr_authority_row *row);
enum fr_err fr_authority_each(struct fr_snap *snap, fr_authority_fn fn, void *data);
enum fr_err fr_authority_add(struct fr_change *change, const struct fr_authority_row *row,
                             struct fr_diag *diag);
enum fr_err fr_authority_set_state(struct fr_change *change, const char *name,
                                   enum fr_authority_state state, struct fr_diag *diag);
