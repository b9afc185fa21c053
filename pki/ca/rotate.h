/* The life of issuing CAs: one follows another, and nobody is locked out meanwhile.
 *
 * Model    prepare makes a key and a request for it; the root signs that elsewhere (ca/root.h);
 *          install takes the certificate, activate lets it sign and taints the one before, retire
 *          ends one below which nothing lives. A revocation list of the root ends those it names.
 *          Every trust store holds the root alone, so the order of these steps locks nobody out.
 *          Functions work inside a change of the caller, and write files of dir/ca before it is
 *          committed: a file without its row is inert.
 * Owns     Nothing. Threads: as the store's changes.
 * Errors   FR_E_NOT_FOUND (name), FR_E_CONFLICT (state; live certificates; another federation's
 *          certificate), FR_E_EXPIRED (dates), FR_E_LIMIT (26 names a year), FR_E_CRYPTO (does not
 *          verify), those of keys and files.
 * Trust    Certificates and lists that are installed may come from anywhere: they count by their
 *          signature. */
#pragma once

#include "ca/ca.h"
#include "store/change.h"

struct fr_rotation {
    const char *dir;
    const char *federation;
    struct fr_change *change;
    const struct fr_passphrase *passphrase; /* may be NULL */
    bool dry_run;                           /* writes no file */
    struct fr_diag *diag;
};

/* A key of its own (locked where the active one is, or where a passphrase is at hand), the request
 * for the root, dir/ca/<name>.{key,csr}. csr (PEM) is empty in a dry run. */
enum fr_err fr_rotate_prepare(const struct fr_rotation *r, char name[FR_HOST_MAX + 1],
                              struct fr_buf *csr);
/* When the change of fr_rotate_prepare came to nothing. */
void fr_rotate_unprepare(const char *dir, const char *name);

/* The certificate (DER) of a prepared one, found by its key. */
enum fr_err fr_rotate_install(const struct fr_rotation *r, struct fr_span der,
                              char name[FR_HOST_MAX + 1]);

/* The one before becomes tainted: `before` is its name, "" when there was none. */
enum fr_err fr_rotate_activate(const struct fr_rotation *r, const char *name,
                               char before[FR_HOST_MAX + 1]);
enum fr_err fr_rotate_taint(const struct fr_rotation *r, const char *name);

/* force: whatever lives below it; fr_rotate_sweep is due then. *live is how much that is. */
enum fr_err fr_rotate_retire(const struct fr_rotation *r, const char *name, bool force,
                             uint64_t *live);

/* Revokes those issuing CAs that a list of the root names (checked by fr_crl_check_root); at most
 * FR_CA_SIGNERS_MAX names that were not revoked before. */
struct fr_revoked_names {
    size_t n;
    char names[FR_CA_SIGNERS_MAX][FR_HOST_MAX + 1];
};
enum fr_err fr_rotate_take_list(const struct fr_rotation *r, struct fr_span der,
                                struct fr_revoked_names *out);

/* Revokes up to max live certificates below `name`, so that their keys leave the zone. *n of them;
 * 0: none is left. */
enum fr_err fr_rotate_sweep(struct fr_change *change, const char *name, size_t max, uint8_t cause,
                            struct fr_diag *diag, size_t *n);
