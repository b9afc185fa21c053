/* A federation's certificate authority, open for work: root and issuing certificates, and the
 * issuing key.
 *
 * Model    The state directory holds root.pem and ca/<name>.{key,pem}; the store's row of kind
 *          issuing and state active says which name signs. Opening also settles what a crash left
 *          behind: an intent of more than a minute without a certificate becomes revoked (a
 *          younger one may be another process at work; it is no more valid than a revoked one).
 * Owns     The handle owns keys and certificates, borrows the store until closed.
 * Threads  One thread at a time.
 * Errors   FR_E_NOT_FOUND, FR_E_CONFIG (unsafe mode of the key), FR_E_MALFORMED, FR_E_CONFLICT
 *          (key, certificate and store disagree), the store's own.
 * Trust    Files of our own directory. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "store/store.h"
#include "x509/cert.h"

struct fr_ca;

/* An intent younger than this may be the work of a process that is signing right now. It is not
 * valid before that is done either way. */
#define FR_SIGNING_TIME_S 60

/* Opens the authority of the store in directory dir. by is who shall stand in the journal when
 * intents are settled. */
struct fr_change_by;
enum fr_err fr_ca_open(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                       struct fr_diag *diag, struct fr_ca **out);
void fr_ca_close(struct fr_ca *ca);

/* The name of the issuing CA that signs at this moment. FR_E_NOT_FOUND. */
enum fr_err fr_ca_find_active(struct fr_snap *snap, struct fr_diag *diag,
                              char out[FR_HOST_MAX + 1]);

const char *fr_ca_name(const struct fr_ca *ca); /* "2026a"; borrowed until close */
const struct fr_cert *fr_ca_root(const struct fr_ca *ca);
const struct fr_cert *fr_ca_issuing(const struct fr_ca *ca);
const struct fr_key *fr_ca_key(const struct fr_ca *ca);
const char *fr_ca_federation(const struct fr_ca *ca);
