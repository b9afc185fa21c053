/* Making a federation: a state directory with store, root, issuing CA and the broker's certificate.
 *
 * Model    Everything is made in a folder beside the wanted one and renamed into place as the last
 *          act, so that there is a whole federation or none.
 * Owns     Options are borrowed.
 * Errors   FR_E_EXISTS (the directory is there and not empty, or root_out is), FR_E_INVALID (name,
 *          host, URL, pool), FR_E_CREATE, FR_E_PERM, FR_E_IO; after a failure nothing is left
 *          behind.
 * Trust    An administrator's own input. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#include <stdint.h>
#include <sys/types.h>

struct fr_ca_init_options {
    const char *dir; /* to be made; may exist when empty */
    const char *federation;
    const char *host;       /* label of the broker's host */
    const char *url;        /* or NULL */
    const char *netid_pool; /* "FIRST-LAST" or NULL */
    const char *root_out;   /* where the root key goes instead of dir/root.key; or NULL */
    struct fr_span issuing_passphrase, root_passphrase; /* lock the keys; empty: not locked */
    uint64_t map_size;                                  /* 0: the store's default */
    int64_t now_s;
    const char *actor;  /* for the journal */
    const char *reason; /* or NULL */
    bool gives_away;    /* files to uid and gid in the end (needs root) */
    uid_t uid;
    gid_t gid;
};

struct fr_ca_init_result {
    char issuing[64]; /* "2026a" */
    uint8_t root_sha256[FR_SHA256_SIZE];
    uint8_t issuing_sha256[FR_SHA256_SIZE];
    int64_t root_until_s;
    int64_t issuing_until_s;
    int64_t broker_until_s;
};

/* Checks everything that can be checked without writing: what --dry-run runs. */
enum fr_err fr_ca_init_check(const struct fr_ca_init_options *options, struct fr_diag *diag);

enum fr_err fr_ca_init(const struct fr_ca_init_options *options, struct fr_diag *diag,
                       struct fr_ca_init_result *out);
