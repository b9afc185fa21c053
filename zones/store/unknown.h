#pragma once
/*
 * Certificates that verify under a key of this federation and that nobody has issued here, as far as the store knows; and since
 * when there may be such: the backup that the store was restored from.
 *
 * Model: a row is noted when somebody shows such a certificate, once for each serial, and goes when the certificate is adopted
 *   (ca/adopt.h). After a restore they are what was issued after the backup; otherwise somebody else signs with our key.
 *   A *barred* certificate is one that is known by its serial alone, from a revocation list: it stays revoked for good.
 * Errors: FR_E_NOT_FOUND; FR_E_LIMIT: FR_UNKNOWN_MAX rows are there.
 * Units and limits: Unix seconds; der_size 0 where only the certificate's fields were seen.
 * Trust: the certificates are strangers', but for the signature.
 */
#include "base/span.h"
#include "store/change.h"

#define FR_UNKNOWN_MAX 1000
#define FR_UNKNOWN_DER_MAX 4096
#define FR_UNKNOWN_SUBJECT_MAX 127

struct fr_unknown_row {
    uint8_t serial[FR_SERIAL_SIZE];
    int64_t seen_s; /* first */
    int64_t not_before_s, not_after_s;
    uint8_t sha256[FR_DIGEST_SIZE]; /* of the DER */
    char subject[FR_UNKNOWN_SUBJECT_MAX + 1];
    uint16_t der_size;
    uint8_t der[FR_UNKNOWN_DER_MAX];
};

enum fr_err fr_unknown_get(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                           struct fr_unknown_row *out);
typedef enum fr_err (*fr_unknown_fn)(void *data, const struct fr_unknown_row *row);
enum fr_err fr_unknown_each(struct fr_snap *snap, fr_unknown_fn fn, void *data);

/* seen_s is set here. One that is there is not noted again, unless its DER comes for the first time. When all rows are taken, those
 * whose certificates are over make room. */
enum fr_err fr_unknown_note(struct fr_change *change, const struct fr_unknown_row *row,
                            struct fr_diag *diag);
enum fr_err fr_unknown_forget(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE]);

/* Whether it may have been issued after the backup that the store was restored from. */
enum fr_err fr_unknown_is_after_backup(struct fr_snap *snap, int64_t not_before_s, bool *out);

/* When that backup was made; 0: the store was never restored. */
enum fr_err fr_restored_get(struct fr_snap *snap, int64_t *backup_s);
enum fr_err fr_restored_set(struct fr_change *change, int64_t backup_s);

/* Numbers of changes go on at `to` or, where they are there already, at the next: what was given out under a number since the
 * backup was made is never given out otherwise under the same. The record is an image, so that who follows by numbers (secondaries,
 * members, a rollback) does not step over it. Durable. */
enum fr_err fr_restored_skip(struct fr_store *store, const struct fr_change_by *by, uint64_t to,
                             struct fr_diag *diag);

struct fr_cert_bar {
    uint8_t serial[FR_SERIAL_SIZE];
    const char *authority; /* name of the CA that issued it */
    int64_t not_after_s;   /* it is listed as revoked until then */
    int64_t revoked_s;
    uint8_t cause; /* RFC 5280 CRLReason */
};
/* A certificate of which nothing is known but its serial: revoked, without having been issued. FR_E_EXISTS: there is a row. */
enum fr_err fr_cert_row_bar(struct fr_change *change, const struct fr_cert_bar *bar,
                            struct fr_diag *diag);
