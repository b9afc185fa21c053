/* Taking certificates back, and changing what they allow.
 *
 * Model    Revoking one certificate ends it and its TLSA record and nothing else. A *selection*
 *          names one or many: a serial, all of a key, of a member, of a NetID, or all issued before
 *          a time. A member or a NetID is also suspended: that is one state bit, which takes names,
 *          devices and every certificate away at once; the rows follow, slice by slice. A run that
 *          was cut short is completed by the same one again.
 * Errors   FR_E_NOT_FOUND, the store's own.
 * Units    Causes are CRLReason numbers (RFC 5280 §5.3.1). */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "store/cert.h"
#include "store/change.h"

#include <stddef.h>
#include <stdint.h>

/* "key-compromise" → 1 and so on; FR_E_INVALID names the words. "unspecified" is 0. */
enum fr_err fr_revoke_cause_parse(const char *text, struct fr_diag *diag, uint8_t *out);
const char *fr_revoke_cause_text(uint8_t cause);

/* 32 hex digits, upper or lower case, colons between bytes allowed. FR_E_MALFORMED. */
enum fr_err fr_serial_parse(struct fr_span text, struct fr_diag *diag, uint8_t out[FR_SERIAL_SIZE]);

/* One certificate. Already revoked: FR_OK and the change stays empty. */
enum fr_err fr_ca_revoke(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                         uint8_t cause, struct fr_diag *diag);

/* Every certificate of a member or a NetID that is not revoked yet and not over; *n of them. None
 * is not an error. */
enum fr_err fr_ca_revoke_member(struct fr_change *change, const char *member, uint8_t cause,
                                struct fr_diag *diag, size_t *n);
enum fr_err fr_ca_revoke_netid(struct fr_change *change, uint32_t netid, uint8_t cause,
                               struct fr_diag *diag, size_t *n);

struct fr_revoke_selection {
    const uint8_t *serial; /* FR_SERIAL_SIZE bytes; or */
    const uint8_t *spki;   /* FR_DIGEST_SIZE bytes; or */
    bool has_netid;        /* or */
    uint32_t netid;
    const char *member; /* or NULL; */
    int64_t before_s;   /* 0: any time. Alone, or of the member: those issued before; the
                              broker's own certificates are not among them */
};

/* What comes first, in a change of its own: is there such a thing (FR_E_NOT_FOUND), its state bit,
 * the key's block. */
enum fr_err fr_ca_revoke_mark(struct fr_change *change, const struct fr_revoke_selection *selection,
                              uint8_t cause, struct fr_diag *diag);

#define FR_REVOKE_SLICE 200

/* A part of a selection. Start from zero. */
struct fr_revoke_slice {
    size_t n;
    struct fr_cert_row rows[FR_REVOKE_SLICE]; /* not revoked, nor past any grace (store/grace.h) */
    bool is_last;
    bool has_after; /* where the next one begins */
    uint8_t after[FR_SERIAL_SIZE];
};

/* Finds the next ones. One that was named by its serial is found whatever its dates. */
enum fr_err fr_ca_revoke_find(struct fr_snap *snap, const struct fr_revoke_selection *selection,
                              int64_t now_s, struct fr_revoke_slice *slice);
/* Revokes them. */
enum fr_err fr_ca_revoke_slice(struct fr_change *change, const struct fr_revoke_slice *slice,
                               uint8_t cause, struct fr_diag *diag);

/* Replaces the rights of an issued certificate. FR_E_REVOKED when it is not issued (any more). */
enum fr_err fr_ca_set_rights(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                             uint32_t rights, struct fr_diag *diag);
