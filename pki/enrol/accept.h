/* What a federation gives is believed only after these checks.
 *
 * Model    The root is known by its digest from the token; everything else must lead to the root.
 * Owns     Texts are appended to the caller's buffers.
 * Threads  Any.
 * Errors   FR_E_AUTH (no such root), FR_E_CRYPTO (does not verify), FR_E_CONFLICT (another key, name
 *          or kind than asked for); diag says which.
 * Trust    Bags and leaves are a stranger's until FR_OK. */
#pragma once

#include "enrol/est_client.h"
#include "enrol/pairs.h"

/* The root with that SHA-256 (of its DER) among the certificates, as PEM. */
enum fr_err fr_accept_root(const struct fr_est_bag *bag, const uint8_t sha256[FR_SHA256_SIZE],
                           struct fr_diag *diag, struct fr_buf *pem);

struct fr_accept {
    const char *fed;
    const char *root;         /* path of root.pem */
    const struct fr_key *key; /* that was asked with */
    const char *name;         /* "ns-000013" it must be for; NULL: any of the profile */
    enum fr_wallet_profile profile;
    int64_t now_s;
};

/* The chain to keep, as PEM: leaf, issuing CA. Verified for every use that the profile has. */
enum fr_err fr_accept_leaf(const struct fr_accept *want, const struct fr_cert *leaf,
                           const struct fr_est_bag *authorities, struct fr_diag *diag,
                           struct fr_buf *pem);
