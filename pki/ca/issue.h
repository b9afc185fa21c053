/* Issuing a certificate so that no crash can leave one that the store does not know.
 *
 * Model    Three steps: *intend* writes serial, names and key as an intent (commit it!), *sign*
 *          makes the certificate from the intent and checks it against its profile, *finish*
 *          stores it as issued (commit it, and only then hand it out). fr_ca_issue does all three
 *          with two durable commits of its own. A process that dies between them leaves an intent,
 *          which counts as revoked.
 * Owns     struct fr_issue belongs to the caller: start from FR_ISSUE_INIT, end with
 *          fr_issue_deinit whatever happened.
 * Threads  As the store's changes.
 * Errors   FR_E_NOT_FOUND (member, NetID), FR_E_DENIED (member not active, blocked key, key
 *          policy), FR_E_CONFLICT (NetID, JoinEUI or key of another member), FR_E_INVALID (subject
 *          does not fit the profile), FR_E_CRYPTO and FR_E_MALFORMED (CSR), FR_E_EXPIRED (issuing
 *          CA is over), FR_E_RANGE (lifetime), the store's own.
 * Trust    The CSR is a stranger's; only its public key is used. */
#pragma once

#include "base/span.h"
#include "ca/ca.h"
#include "ca/profile.h"
#include "store/cert.h"
#include "store/change.h"

struct fr_issue_request {
    struct fr_subject subject;
    uint32_t rights;     /* 0: the profile's default */
    uint32_t lifetime_s; /* 0: the federation's policy; never longer than it */
    struct fr_span csr;  /* PEM or DER */
};

struct fr_issue {
    struct fr_cert_row row; /* as stored so far */
    struct fr_key *key;     /* the subject's public key */
    struct fr_cert *cert;   /* after sign */
    struct fr_profile_names names;
    struct fr_cert_spec spec; /* borrows from names */
};

#define FR_ISSUE_INIT                                                                              \
    {                                                                                              \
        0                                                                                          \
    }

enum fr_err fr_ca_intend(struct fr_ca *ca, struct fr_change *change,
                         const struct fr_issue_request *request, struct fr_diag *diag,
                         struct fr_issue *issue);
enum fr_err fr_ca_sign(struct fr_ca *ca, int64_t now_s, struct fr_diag *diag,
                       struct fr_issue *issue);
enum fr_err fr_ca_finish(struct fr_change *change, struct fr_diag *diag, struct fr_issue *issue);

/* All three, durable on return. */
enum fr_err fr_ca_issue(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                        const struct fr_issue_request *request, struct fr_diag *diag,
                        struct fr_issue *issue);

/* The rest of it, for an intent that is committed already. */
enum fr_err fr_ca_complete(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                           struct fr_diag *diag, struct fr_issue *issue);

/* Appends leaf and issuing certificate as PEM: what goes into <profile>-<id>.chain.pem. */
enum fr_err fr_issue_write_chain(const struct fr_issue *issue, const struct fr_ca *ca,
                                 struct fr_buf *out);

void fr_issue_deinit(struct fr_issue *issue);
