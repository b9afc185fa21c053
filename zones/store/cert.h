#pragma once
/*
 * Certificates of a federation: what was issued to whom, with which rights, and whether it is still good.
 *
 * Model: a row is an *intent* before anything is signed, *issued* once the DER is stored beside it, *revoked* at the end. The
 *   row is what access is decided by. Indexes by member and by expiry, the owner of each key, and the TLSA pins of live `ns`
 *   certificates are kept in the same transaction by these functions.
 * Errors: FR_E_NOT_FOUND, FR_E_EXISTS (serial), FR_E_CONFLICT (the key belongs to another member, a state that does not fit),
 *   FR_E_DENIED (blocked key).
 * Units and limits: serial FR_SERIAL_SIZE bytes, big-endian, leading zeros kept; dates Unix seconds, both inclusive.
 */
#include "base/span.h"
#include "store/change.h"

enum fr_cert_status { FR_CERT_INTENT = 1, FR_CERT_ISSUED = 2, FR_CERT_REVOKED = 3 };

enum fr_profile { FR_PROFILE_BROKER = 1, FR_PROFILE_DOH = 2, FR_PROFILE_NS = 3, FR_PROFILE_JS = 4 };

enum fr_right {
    FR_RIGHT_LOOKUP = 1,
    FR_RIGHT_PUBLISH = 2,
    FR_RIGHT_ROAM = 4,
    FR_RIGHT_ENROL = 8,
    FR_RIGHT_REPLICA = 16,
    FR_RIGHT_SECONDARY = 32,
};
#define FR_RIGHTS_ALL 63u

struct fr_cert_row {
    uint8_t serial[FR_SERIAL_SIZE];
    enum fr_cert_status status;
    enum fr_profile profile;
    char member[FR_MEMBER_ID_MAX + 1]; /* "" for the broker's own */
    uint32_t netid;                    /* profile ns, else 0 */
    uint64_t joineui;                  /* profile js, else 0 */
    char host[FR_HOST_MAX + 1];        /* the machine it is on; "" where that was not said */
    uint32_t rights;                   /* enum fr_right, or-ed */
    uint8_t n_names;
    char names[FR_ROW_NAMES_MAX][FR_DNS_NAME_MAX + 1]; /* dNSNames */
    int64_t not_before_s, not_after_s;
    uint8_t sha256[FR_DIGEST_SIZE];  /* of the DER; zero while an intent */
    uint8_t spki[FR_DIGEST_SIZE];    /* SHA-256 of the SubjectPublicKeyInfo */
    char authority[FR_HOST_MAX + 1]; /* name of the issuing CA's row */
    int64_t created_s;
    int64_t revoked_s;     /* 0 unless revoked */
    uint8_t revoked_cause; /* RFC 5280 CRLReason */
};

const char *fr_cert_status_text(enum fr_cert_status status);
const char *fr_profile_text(enum fr_profile profile);
enum fr_err fr_profile_parse(const char *text, enum fr_profile *out);
uint32_t fr_profile_rights(enum fr_profile profile); /* the default rights of design */
const char *fr_right_text(enum fr_right right);
enum fr_err fr_right_parse(const char *text, enum fr_right *out);

enum fr_err fr_cert_row_get(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                            struct fr_cert_row *out);
/* Copies the DER: *size in is the room at `der`, out its length; FR_E_LIMIT when it does not fit. */
enum fr_err fr_cert_row_get_der(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                                uint8_t *der, size_t *size);

typedef enum fr_err (*fr_cert_row_fn)(void *data, const struct fr_cert_row *row);
enum fr_err fr_cert_row_each(struct fr_snap *snap, fr_cert_row_fn fn, void *data); /* by serial */
/* Intents and revoked ones alone, by serial: what a revocation list is made of. */
enum fr_err fr_cert_row_each_unissued(struct fr_snap *snap, fr_cert_row_fn fn, void *data);
enum fr_err fr_cert_row_each_of(struct fr_snap *snap, const char *member, fr_cert_row_fn fn,
                                void *data);
/* Which certificates: all, a member's ("": the broker's own), or those of profile ns for a NetID, whoever held it. */
struct fr_cert_scope {
    const char *member; /* NULL: not by member */
    bool has_netid;
    uint32_t netid;
};
/* By serial, from the first above `after` (NULL: from the first). */
enum fr_err fr_cert_row_each_after(struct fr_snap *snap, const struct fr_cert_scope *scope,
                                   const uint8_t *after, fr_cert_row_fn fn, void *data);
/* Ending in [from_s, to_s], soonest first. */
enum fr_err fr_cert_row_each_ending(struct fr_snap *snap, int64_t from_s, int64_t to_s,
                                    fr_cert_row_fn fn, void *data);

/* Row with status intent: before signing. Claims the key for the member. created_s is set here. */
enum fr_err fr_cert_row_intend(struct fr_change *change, const struct fr_cert_row *row,
                               struct fr_diag *diag);
/* The signed certificate of an intent; its dates, digest and DER. Publishes the pin of an `ns` certificate. */
enum fr_err fr_cert_row_issue(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                              struct fr_span der, const uint8_t sha256[FR_DIGEST_SIZE],
                              int64_t not_before_s, int64_t not_after_s, struct fr_diag *diag);
/* Intent or issued → revoked; takes the pin away. Already revoked: FR_OK without a trace. `cause` is an RFC 5280 CRLReason;
 * keyCompromise (1) also blocks the key for good. */
enum fr_err fr_cert_row_revoke(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                               uint8_t cause, struct fr_diag *diag);
/* Moves with every certificate that is revoked: a revocation list made at the same number is still
 * complete. */
enum fr_err fr_cert_revocations(struct fr_snap *snap, uint64_t *out);
enum fr_err fr_cert_row_set_rights(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                                   uint32_t rights, struct fr_diag *diag);

/* TLSA 3 1 1 pins of a NetID: keys of its issued `ns` certificates that are not over at now_s. Each hash once, ascending by serial. */
typedef enum fr_err (*fr_pin_fn)(void *data, const uint8_t spki[FR_DIGEST_SIZE],
                                 int64_t not_after_s);
enum fr_err fr_pin_each(struct fr_snap *snap, uint32_t netid, int64_t now_s, fr_pin_fn fn,
                        void *data);

/* Whose key it is: member id, "" for the broker's; *is_blocked when it may never be certified again. */
enum fr_err fr_key_get(struct fr_snap *snap, const uint8_t spki[FR_DIGEST_SIZE],
                       char member[FR_MEMBER_ID_MAX + 1], bool *is_blocked);
enum fr_err fr_key_block(struct fr_change *change, const uint8_t spki[FR_DIGEST_SIZE]);
