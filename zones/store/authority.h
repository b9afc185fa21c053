#pragma once
/*
 * Authorities: the federation's own CA certificates (root and issuing) and whether they are in use.
 *
 * Model: named rows ("root", "2026a"). The DER is kept in the row: it is all that is ever needed of them here. An issuing one is
 *   *prepared* (a key that waits for its certificate), *ready*, *active* (it signs; one at a time), *tainted* (signs no more; what
 *   it signed is good), and in the end *retired* or *revoked*: what it signed is refused. fr_authority_set_state allows what
 *   leads there and no way back.
 * Errors: FR_E_NOT_FOUND, FR_E_EXISTS, FR_E_LIMIT (DER above FR_AUTHORITY_DER_MAX), FR_E_CONFLICT (not from this state).
 */
#include "base/span.h"
#include "store/change.h"

#define FR_AUTHORITY_DER_MAX 4096

enum fr_authority_kind { FR_AUTHORITY_ROOT = 1, FR_AUTHORITY_ISSUING = 2 };
/* Numbers as they are stored. */
enum fr_authority_state {
    FR_AUTHORITY_ACTIVE = 1,
    FR_AUTHORITY_TAINTED = 2,
    FR_AUTHORITY_REVOKED = 3,
    FR_AUTHORITY_RETIRED = 4,
    FR_AUTHORITY_READY = 5,
    FR_AUTHORITY_PREPARED = 6, /* no certificate yet: no dates, der_size 0 */
};

struct fr_authority_row {
    char name[FR_HOST_MAX + 1];
    enum fr_authority_kind kind;
    enum fr_authority_state state;
    int64_t since_s; /* when it got into this state; 0: not known */
    uint8_t cause;   /* revoked: RFC 5280 CRLReason */
    int64_t not_before_s, not_after_s;
    uint8_t sha256[FR_DIGEST_SIZE]; /* of the DER; of the SubjectPublicKeyInfo while prepared */
    uint16_t der_size;
    uint8_t der[FR_AUTHORITY_DER_MAX];
};

const char *fr_authority_state_text(enum fr_authority_state state);

/* Whether what it signed is accepted: active, tainted, and ready (which has signed nothing). */
bool fr_authority_is_trusted(const struct fr_authority_row *row);

enum fr_err fr_authority_get(struct fr_snap *snap, const char *name, struct fr_authority_row *out);
typedef enum fr_err (*fr_authority_fn)(void *data, const struct fr_authority_row *row);
enum fr_err fr_authority_each(struct fr_snap *snap, fr_authority_fn fn, void *data);

/* A number that moves whenever an authority comes, goes, or changes its state; the same rows give the same number. */
enum fr_err fr_authority_digest(struct fr_snap *snap, uint64_t *out);

/* since_s is set here. */
enum fr_err fr_authority_add(struct fr_change *change, const struct fr_authority_row *row,
                             struct fr_diag *diag);
/* The certificate of a prepared one, which is ready then: dates, digest and DER of `row` are taken. */
enum fr_err fr_authority_certify(struct fr_change *change, const struct fr_authority_row *row,
                                 struct fr_diag *diag);
/* To the state it has: no change. */
enum fr_err fr_authority_set_state(struct fr_change *change, const char *name,
                                   enum fr_authority_state state, uint8_t cause,
                                   struct fr_diag *diag);

/* What hangs below an issuing one: certificates that are neither revoked nor over, intents among them. A walk over the live
 * certificates of the federation. */
struct fr_authority_load {
    uint64_t live;
    int64_t last_s;                         /* end of the last of them */
    uint8_t serial[FR_SERIAL_SIZE];         /* of that one */
    char last_member[FR_MEMBER_ID_MAX + 1]; /* "": the broker's */
};
enum fr_err fr_authority_load(struct fr_snap *snap, const char *name, int64_t now_s,
                              struct fr_authority_load *out);
