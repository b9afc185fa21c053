/* The federation's revocation lists: made from the store, kept as dir/crl/<name>.crl.
 *
 * Model    One full list for each issuing CA that still has a say (fr_ca_signer_at): its revoked
 *          certificates, also those whose signing was never finished, until one list after their
 *          end. The root's list (dir/crl/root.crl) is signed where the root's key is and only
 *          installed here. The published file itself remembers the last CRLNumber; the next one is
 *          greater, and at least the time in milliseconds, so that it never goes back, whether the
 *          clock does or a backup is restored.
 * Owns     Nothing. Threads: as the CA.
 * Errors   FR_E_NOT_FOUND (reading: no list yet), FR_E_MALFORMED (reading), FR_E_IO, FR_E_LIMIT
 *          (more than FR_CRL_MAX bytes), FR_E_CRYPTO, the store's.
 * Trust    The file of our own directory, read as if it were a stranger's.
 * See      RFC 5280 §5. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "ca/ca.h"
#include "x509/crl.h"

#define FR_CRL_LIFETIME_S 86400LL /* thisUpdate → nextUpdate */
#define FR_CRL_REFRESH_S 3600LL   /* a new one is made this often */
#define FR_CRL_PATH_MAX 4096

/* dir/crl/<name>.crl; FR_E_LIMIT. */
enum fr_err fr_crl_path(const char *dir, const char *name, char out[FR_CRL_PATH_MAX]);

/* What the published list of CA `name` says. */
enum fr_err fr_crl_load(const char *dir, const char *name, struct fr_diag *diag,
                        struct fr_crl_fields *out);

/* Puts a finished list in the place of the last one. */
enum fr_err fr_crl_put(const char *dir, const char *name, struct fr_span der, struct fr_diag *diag);

struct fr_crl_made {
    char name[FR_HOST_MAX + 1];
    struct fr_crl_fields fields;
};

struct fr_crl_set {
    size_t n;
    struct fr_crl_made lists[FR_CA_SIGNERS_MAX]; /* the active CA's is the first */
};

/* Makes the present list of every signer of ca and publishes it. */
enum fr_err fr_crl_publish(struct fr_ca *ca, struct fr_store *store, const char *dir,
                           int64_t now_ms, struct fr_diag *diag, struct fr_crl_set *out);

/* Whether the published list of `name` is this one, byte for byte. */
bool fr_crl_is_published(const char *dir, const char *name, struct fr_span der);

/* Whether der is a list that root signed, that is not over, and newer than the one published, or
 * that one itself. FR_E_CRYPTO, FR_E_EXPIRED, FR_E_CONFLICT. */
enum fr_err fr_crl_check_root(const char *dir, const struct fr_cert *root, struct fr_span der,
                              int64_t now_s, struct fr_diag *diag, struct fr_crl_fields *out);
