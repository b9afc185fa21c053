/* A federation's certificate authority, open for work: root and issuing certificates, and the
 * issuing keys.
 *
 * Model    The state directory holds root.pem and ca/<name>.{key,pem}; the store's rows say which name
 *          signs certificates (active) and which only sign the lists of what they signed once
 *          (*signers*: active, tainted, retired; not revoked). Opening also settles what a crash left
 *          behind: an intent of more than a minute without a certificate becomes revoked (a
 *          younger one may be another process at work; it is no more valid than a revoked one).
 * Owns     The handle owns keys and certificates, borrows the store until closed.
 * Threads  One thread at a time.
 * Errors   FR_E_NOT_FOUND, FR_E_CONFIG (unsafe mode of the key), FR_E_MALFORMED, FR_E_CONFLICT
 *          (key, certificate and store disagree), FR_E_UNAVAILABLE (the key is locked), the store's
 *          own. A signer that is not active and cannot be loaded is left out.
 * Trust    Files of our own directory. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "store/authority.h"
#include "store/store.h"
#include "x509/cert.h"
#include "x509/key_uri.h"

struct fr_ca;

/* An intent younger than this may be the work of a process that is signing right now. It is not
 * valid before that is done either way. */
#define FR_SIGNING_TIME_S 60

#define FR_CA_SIGNERS_MAX 16

/* Opens the authority of the store in directory dir. by is who shall stand in the journal when
 * intents are settled; passphrase (borrowed for the call, may be NULL) unlocks keys. */
struct fr_change_by;
enum fr_err fr_ca_open_with(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                            const struct fr_passphrase *passphrase, struct fr_diag *diag,
                            struct fr_ca **out);
/* Where no key is locked. */
enum fr_err fr_ca_open(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                       struct fr_diag *diag, struct fr_ca **out);
void fr_ca_close(struct fr_ca *ca);

/* The name of the issuing CA that signs at this moment. FR_E_NOT_FOUND. */
enum fr_err fr_ca_find_active(struct fr_snap *snap, struct fr_diag *diag,
                              char out[FR_HOST_MAX + 1]);

const struct fr_cert *fr_ca_root(const struct fr_ca *ca);
const char *fr_ca_federation(const struct fr_ca *ca);

/* fr_authority_digest when it was opened: another one means that it must be opened anew. */
uint64_t fr_ca_generation(const struct fr_ca *ca);

/* Whether an issuing CA is active. Only then there are name, certificate and key of it. */
bool fr_ca_can_issue(const struct fr_ca *ca);
const char *fr_ca_name(const struct fr_ca *ca); /* "2026a"; borrowed until close */
const struct fr_cert *fr_ca_issuing(const struct fr_ca *ca);
const struct fr_key *fr_ca_key(const struct fr_ca *ca);

/* FR_E_UNAVAILABLE with words unless fr_ca_can_issue. */
enum fr_err fr_ca_expect_issuing(const struct fr_ca *ca, struct fr_diag *diag);

/* Who signs a list. The active one is the first. */
struct fr_ca_signer {
    char name[FR_HOST_MAX + 1];
    enum fr_authority_state state;
    struct fr_cert *cert;
    struct fr_key *key;
};
size_t fr_ca_signer_count(const struct fr_ca *ca);
const struct fr_ca_signer *fr_ca_signer_at(const struct fr_ca *ca, size_t i);

/* Whether an authority of this row signs lists at now_s. */
bool fr_ca_row_signs_lists(const struct fr_authority_row *row, int64_t now_s);

/* Whether this machine has the key of an authority; not whether it opens. A promoted replica has none before it is brought. */
bool fr_ca_has_key(const char *dir, const char *name);

/* dir/ca/<name>.<ending>: "key", "pem" or "csr". FR_E_LIMIT. */
#define FR_CA_PATH_MAX 4096
enum fr_err fr_ca_path(const char *dir, const char *name, const char *ending,
                       char out[FR_CA_PATH_MAX]);

/* Whether certificate and key of an issuing CA in dir belong together, to the row and to the root;
 * what is checked before one signs. *out (may be NULL) is the caller's to free with
 * fr_ca_signer_deinit. */
enum fr_err fr_ca_signer_load(const char *dir, const struct fr_authority_row *row,
                              const struct fr_cert *root, const struct fr_passphrase *passphrase,
                              struct fr_diag *diag, struct fr_ca_signer *out);
void fr_ca_signer_deinit(struct fr_ca_signer *signer);
