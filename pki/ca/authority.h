/* The two certificates a federation begins with, root and issuing CA, as they are made: the
 * insides of ca/init.
 *
 * Model    Made in memory, then written to files, then entered into the store.
 * Owns     Start from zero, end with fr_authority_pair_deinit.
 * Errors   FR_E_NOMEM, FR_E_INTERNAL, FR_E_CRYPTO (lint), those of files and store. */
#pragma once

#include "base/diag.h"
#include "store/change.h"
#include "x509/build.h"

struct fr_authority_pair {
    char issuing_name[FR_HOST_MAX + 1]; /* "2026a" */
    struct fr_key *root_key;
    struct fr_key *issuing_key;
    struct fr_cert *root;
    struct fr_cert *issuing;
    struct fr_cert_fields root_fields;
    struct fr_cert_fields issuing_fields;
};

enum fr_err fr_authority_pair_make(const char *federation, int64_t now_s, struct fr_diag *diag,
                                   struct fr_authority_pair *out);

struct fr_authority_places {
    const char *dir;
    const char *root_key;                               /* path */
    struct fr_span issuing_passphrase, root_passphrase; /* empty: not locked */
    int64_t now_s;
};

/* dir/root.pem, dir/ca/<name>.{key,pem}, dir/crl/root.crl, and the root key at its path. New files
 * all, 0600; folders 0700. After a failure nothing is at root_key. */
enum fr_err fr_authority_pair_save(const struct fr_authority_pair *pair,
                                   const struct fr_authority_places *places, struct fr_diag *diag);

/* Rows "root" and the issuing CA's. */
enum fr_err fr_authority_pair_enter(const struct fr_authority_pair *pair, struct fr_change *change,
                                    struct fr_diag *diag);

void fr_authority_pair_deinit(struct fr_authority_pair *pair);
