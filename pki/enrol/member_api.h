/* The broker's API, asked from a member's machine with a certificate of the wallet.
 *
 * Owns     The publisher is the caller's (publish/client.h).
 * Threads  One; blocks.
 * Errors   Those of publish/: FR_E_NET, FR_E_TIMEOUT, FR_E_AUTH, FR_E_DENIED (suspended, revoked, no
 *          right), FR_E_BUSY; FR_E_NOT_FOUND: the wallet does not say where the broker is.
 * Limits   FR_MEMBER_API_MS for one question.
 * Trust    Answers are the broker's, whose certificate was verified. */
#pragma once

#include "enrol/pairs.h"
#include "publish/client.h"

#define FR_MEMBER_API_MS 30000

/* The certificate to ask with: the one for look-ups where there is one. NULL: there is none. */
const struct fr_pair *fr_member_api_pair(const struct fr_pairs *pairs);

enum fr_err fr_member_api_open(const char *folder, const struct fr_wallet_entry *entry,
                               const struct fr_pair *pair, struct fr_diag *diag,
                               struct fr_publisher **out);

/* Both at FR_PUBLISH_API + path. What the broker refuses is an error, with its words in the diag. */
enum fr_err fr_member_api_post(struct fr_publisher *publisher, const char *path,
                               struct fr_diag *diag, struct fr_publish_answer *answer);
/* tag: of what we have already, or NULL; with it answer->status may be 304. */
enum fr_err fr_member_api_get(struct fr_publisher *publisher, const char *path, const char *tag,
                              struct fr_diag *diag, struct fr_publish_answer *answer);
