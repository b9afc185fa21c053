/* An enrolment token as the member who was given it reads it.
 *
 * Model    "FR1.<base64url of JSON>.<secret>": where to enrol, how to know the place (SHA-256 of the
 *          root certificate), and the secret. For HTTP Basic the user name is the id, the password
 *          the third part as it stands.
 * Owns     Nothing; a plain value. It holds a secret: fr_ticket_wipe when done.
 * Threads  Any.
 * Errors   FR_E_MALFORMED, FR_E_UNSUPPORTED (of a later form); diag never quotes it.
 * Limits   FR_TICKET_MAX bytes.
 * Trust    Came by mail or chat: every byte is checked. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "base/url.h"
#include "enrol/profile.h"
#include "names/member.h"

#include <stdint.h>

#define FR_TICKET_MAX 4096
#define FR_TICKET_ID 33
#define FR_TICKET_SECRET 64
#define FR_TICKET_URL 768
#define FR_TICKET_SHA256 32

struct fr_ticket {
    char fed[FR_FED_TEXT];
    char est[FR_TICKET_URL]; /* https://ca.<fed>[:port]/.well-known/est */
    struct fr_url est_url;
    char broker[FR_TICKET_URL]; /* "": not said */
    uint8_t root[FR_TICKET_SHA256];
    char id[FR_TICKET_ID];
    size_t n_profiles;
    enum fr_wallet_profile profiles[FR_WALLET_PROFILES];
    char secret[FR_TICKET_SECRET];
};

/* White space around it is fine. *out is untouched on failure. */
enum fr_err fr_ticket_parse(struct fr_span text, struct fr_diag *diag, struct fr_ticket *out);

void fr_ticket_wipe(struct fr_ticket *ticket);
