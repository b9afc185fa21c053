/* Certificates that members get by themselves: with a token, or with one they have.
 *
 * Model    Three ways, each in two durable steps as every certificate (ca/issue.h):
 *          - *token*: a slot of the token is bound to the request and the serial in the same
 *            transaction as the intent, so that of many requests with one token exactly one gets a
 *            certificate. The same request again, while the token lives (and FR_ENROL_REPEAT_S at
 *            least), gets the same certificate: the answer was lost, or who asked was; a slot whose certificate was never finished serves the same
 *            request once more.
 *          - *renew*: a certificate gets its successor: same subject, rights and host by its row,
 *            with the same key or another; a broker's only with the same, while it has the right replica. One that is over renews only while its member has a
 *            grace (store/grace.h), and only with the same key.
 *          - *extend*: a certificate with the right enrol gets its member another profile.
 *          Of the request (CSR) only the key counts, as ever.
 * Owns     struct fr_enrolled belongs to the caller: from FR_ENROLLED_INIT to fr_enrolled_deinit.
 * Threads  As the CA.
 * Errors   FR_E_AUTH: no such token, wrong secret, used by another request, over or revoked.
 *          FR_E_DENIED: not for this profile, no right, member not active. FR_E_CONFLICT: the key
 *          is another member's or blocked. FR_E_PENDING: waits for approval. FR_E_REVOKED: the
 *          certificate is. Those of issuing.
 * Trust    Everything in a request is a stranger's. */
#pragma once

#include "ca/issue.h"
#include "store/token.h"

#define FR_ENROL_REPEAT_S 600

struct fr_enrolled {
    struct fr_cert_row row;
    struct fr_buf der;
    bool is_repeat; /* it was issued before */
};

#define FR_ENROLLED_INIT                                                                           \
    {                                                                                              \
        .der = FR_BUF_INIT(FR_CERT_MAX)                                                            \
    }

/* An enrolment between its steps, for who puts many into one commit: *intend* in a change (commit
 * it), *sign*, *finish* in another change when something was signed. Plain value from
 * FR_ENROLMENT_INIT to fr_enrolment_deinit. */
enum fr_enrol_step {
    FR_ENROL_ISSUE,
    FR_ENROL_WAIT,   /* tell it to come again: sign gives FR_E_PENDING */
    FR_ENROL_REPEAT, /* out is what was issued before */
};

struct fr_enrolment {
    enum fr_enrol_step step;
    struct fr_issue issue;
    struct fr_enrolled out; /* complete after finish */
};

#define FR_ENROLMENT_INIT                                                                          \
    {                                                                                              \
        .issue = FR_ISSUE_INIT, .out = FR_ENROLLED_INIT                                            \
    }

struct fr_enrol_token {
    uint8_t id[FR_TOKEN_ID_SIZE];
    uint8_t secret[FR_DIGEST_SIZE]; /* SHA-256 of what was shown */
    bool has_profile;               /* no: the first of the token */
    enum fr_profile profile;
    struct fr_span csr; /* DER */
};

enum fr_err fr_ca_enrol_token(struct fr_ca *ca, struct fr_store *store,
                              const struct fr_change_by *by, const struct fr_enrol_token *request,
                              struct fr_diag *diag, struct fr_enrolled *out);

enum fr_err fr_ca_enrol_token_intend(struct fr_ca *ca, struct fr_change *change,
                                     const struct fr_enrol_token *request, struct fr_diag *diag,
                                     struct fr_enrolment *enrolment);

struct fr_enrol_cert {
    uint8_t serial[FR_SERIAL_SIZE]; /* of the certificate that was shown */
    bool has_profile;               /* renew: must be the certificate's own */
    enum fr_profile profile;
    struct fr_span csr; /* DER */
};

enum fr_err fr_ca_renew(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                        const struct fr_enrol_cert *request, struct fr_diag *diag,
                        struct fr_enrolled *out);
enum fr_err fr_ca_extend(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                         const struct fr_enrol_cert *request, struct fr_diag *diag,
                         struct fr_enrolled *out);

enum fr_err fr_ca_renew_intend(struct fr_ca *ca, struct fr_change *change,
                               const struct fr_enrol_cert *request, struct fr_diag *diag,
                               struct fr_enrolment *enrolment);
enum fr_err fr_ca_extend_intend(struct fr_ca *ca, struct fr_change *change,
                                const struct fr_enrol_cert *request, struct fr_diag *diag,
                                struct fr_enrolment *enrolment);

enum fr_err fr_ca_enrol_sign(struct fr_ca *ca, int64_t now_s, struct fr_diag *diag,
                             struct fr_enrolment *enrolment);
enum fr_err fr_ca_enrol_finish(struct fr_change *change, struct fr_diag *diag,
                               struct fr_enrolment *enrolment);

void fr_enrolled_deinit(struct fr_enrolled *enrolled);
void fr_enrolment_deinit(struct fr_enrolment *enrolment);
