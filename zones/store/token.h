#pragma once
/*
 * Enrolment tokens: leave for a member to get certificates by itself, once for each profile.
 *
 * Model: a row is what was allowed (member, profiles, NetID, rights, until when) and what came of it: a *slot* for each
 *   profile. Of the secret only its SHA-256 is kept. Rows stay when they are used or over: they say how a certificate came
 *   about.
 * Errors: FR_E_NOT_FOUND, FR_E_EXISTS (id), FR_E_INVALID (a row that cannot be).
 */
#include "store/cert.h"
#include "store/change.h"

#define FR_TOKEN_ID_SIZE 16
#define FR_TOKEN_SLOTS_MAX 3 /* doh, ns, js */

enum fr_slot_state {
    FR_SLOT_OPEN = 1,
    FR_SLOT_WAITING = 2,  /* a request came, and wants somebody's approval */
    FR_SLOT_APPROVED = 3, /* it has it: the same request gets its certificate */
    FR_SLOT_USED = 4,     /* bound to one request and one serial */
};

struct fr_token_slot {
    enum fr_profile profile;
    enum fr_slot_state state;
    uint8_t request[FR_DIGEST_SIZE]; /* of the request's DER; zero while open */
    uint8_t serial[FR_SERIAL_SIZE];  /* used */
    int64_t when_s;                  /* of the last step; 0 while open */
};

struct fr_token_row {
    uint8_t id[FR_TOKEN_ID_SIZE];
    uint8_t secret[FR_DIGEST_SIZE]; /* its SHA-256 */
    char member[FR_MEMBER_ID_MAX + 1];
    uint32_t netid;             /* of profile ns, else 0 */
    uint64_t joineui;           /* of profile js, else 0 */
    uint32_t rights;            /* enum fr_right, or-ed; 0: each profile's own */
    char host[FR_HOST_MAX + 1]; /* of the machine it is for, or "" */
    bool is_revoked, needs_approval;
    int64_t created_s, expires_s;
    uint8_t n_slots;
    struct fr_token_slot slots[FR_TOKEN_SLOTS_MAX]; /* in the order asked for */
};

const char *fr_slot_state_text(enum fr_slot_state state);

enum fr_err fr_token_get(struct fr_snap *snap, const uint8_t id[FR_TOKEN_ID_SIZE],
                         struct fr_token_row *out);
typedef enum fr_err (*fr_token_fn)(void *data, const struct fr_token_row *row);
enum fr_err fr_token_each(struct fr_snap *snap, fr_token_fn fn, void *data); /* by id */

enum fr_err fr_token_add(struct fr_change *change, const struct fr_token_row *row,
                         struct fr_diag *diag);
/* Replaces a row that is there. */
enum fr_err fr_token_put(struct fr_change *change, const struct fr_token_row *row);
