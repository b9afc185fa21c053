/* Giving out enrolment tokens: the rules, and the text that a member gets.
 *
 * Model    "FR1.<base64url of JSON>.<base64url of the secret>". The JSON says where to enrol and
 *          how to know the place (SHA-256 of the root), so that a member trusts nothing on first
 *          use: {"fed", "est", "broker"?, "root", "id", "profiles"[]}. The secret has 256 random
 *          bits and is not kept; for HTTP Basic the user name is the id in hex, the password the
 *          third part as it stands.
 * Owns     Nothing. Threads: as the store's changes.
 * Errors   FR_E_INVALID (profiles, host, subject), FR_E_NOT_FOUND (member, NetID, token),
 *          FR_E_DENIED (member not active), FR_E_CONFLICT (NetID or JoinEUI of another member),
 *          FR_E_RANGE (life), FR_E_MALFORMED (id).
 * Units    Seconds. Limits: FR_TOKEN_LIFE_MAX_S. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "store/token.h"

#define FR_TOKEN_SECRET_SIZE 32
#define FR_TOKEN_LIFE_DEFAULT_S (72 * 3600)
#define FR_TOKEN_LIFE_MIN_S 60
#define FR_TOKEN_LIFE_MAX_S (30 * 86400)
#define FR_TOKEN_TEXT_MAX 4096

struct fr_token_request {
    const char *member;
    enum fr_profile profiles[FR_TOKEN_SLOTS_MAX]; /* doh, ns, js; each once */
    size_t n_profiles;
    uint32_t netid;   /* of ns; 0: the member's only network */
    uint64_t joineui; /* of js */
    uint32_t rights;  /* 0: each profile's own */
    const char *host; /* NULL: not said */
    uint32_t life_s;  /* 0: the default */
    bool needs_approval;
};

enum fr_err fr_token_create(struct fr_change *change, const struct fr_token_request *request,
                            struct fr_diag *diag, struct fr_token_row *out,
                            uint8_t secret[FR_TOKEN_SECRET_SIZE]);

/* Unused slots stay unused for ever. Already revoked: FR_OK and the change stays empty. */
enum fr_err fr_token_revoke(struct fr_change *change, const uint8_t id[FR_TOKEN_ID_SIZE],
                            struct fr_diag *diag);

/* Lets the requests that wait on a token have their certificates; *n of them. */
enum fr_err fr_token_approve(struct fr_change *change, const uint8_t id[FR_TOKEN_ID_SIZE],
                             struct fr_diag *diag, size_t *n);

/* The only time the secret is seen: appends the token's text to out. */
enum fr_err fr_token_print(struct fr_snap *snap, const struct fr_token_row *row,
                           const uint8_t secret[FR_TOKEN_SECRET_SIZE], struct fr_buf *out);

/* 32 hex digits. FR_E_MALFORMED. */
enum fr_err fr_token_parse_id(struct fr_span text, struct fr_diag *diag,
                              uint8_t out[FR_TOKEN_ID_SIZE]);
