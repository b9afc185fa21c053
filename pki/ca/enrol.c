#include "ca/enrol.h"

#include "base/mem.h"
#include "ca/subject.h"
#include "store/grace.h"
#include "x509/csr.h"
#include "x509/secret.h"

#include <string.h>

void fr_enrolled_deinit(struct fr_enrolled *enrolled)
{
    fr_buf_deinit(&enrolled->der);
}

/* A blocked key and another member's key are the same to whoever asks: it cannot be certified. */
static enum fr_err intend(struct fr_ca *ca, struct fr_change *change,
                          const struct fr_issue_request *request, struct fr_diag *diag,
                          struct fr_issue *issue)
{
    char owner[FR_MEMBER_ID_MAX + 1];
    bool is_blocked = false;
    enum fr_err err = fr_ca_intend(ca, change, request, diag, issue);

    if (err == FR_E_DENIED && issue->key != NULL &&
        fr_key_get(fr_change_snap(change), issue->row.spki, owner, &is_blocked) == FR_OK &&
        is_blocked)
        return FR_E_CONFLICT;
    return err;
}

/* --- the steps after the intent --- */

void fr_enrolment_deinit(struct fr_enrolment *enrolment)
{
    fr_issue_deinit(&enrolment->issue);
    fr_enrolled_deinit(&enrolment->out);
}

enum fr_err fr_ca_enrol_sign(struct fr_ca *ca, int64_t now_s, struct fr_diag *diag,
                             struct fr_enrolment *enrolment)
{
    switch (enrolment->step) {
    case FR_ENROL_ISSUE: return fr_ca_sign(ca, now_s, diag, &enrolment->issue);
    case FR_ENROL_WAIT: return fr_diag_fail(diag, FR_E_PENDING, "the request waits for approval");
    case FR_ENROL_REPEAT: break;
    }
    return FR_OK;
}

enum fr_err fr_ca_enrol_finish(struct fr_change *change, struct fr_diag *diag,
                               struct fr_enrolment *enrolment)
{
    struct fr_issue *issue = &enrolment->issue;
    enum fr_err err = fr_ca_finish(change, diag, issue);

    if (!err) err = fr_cert_write_der(issue->cert, &enrolment->out.der);
    if (!err) enrolment->out.row = issue->row;
    return err;
}

typedef enum fr_err (*intend_fn)(struct fr_ca *ca, struct fr_change *change, const void *request,
                                 struct fr_diag *diag, struct fr_enrolment *enrolment);

static enum fr_err commit_intent(struct fr_ca *ca, struct fr_store *store,
                                 const struct fr_change_by *by, intend_fn fn, const void *request,
                                 struct fr_diag *diag, struct fr_enrolment *enrolment)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = fn(ca, change, request, diag, enrolment);
    if (!err) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

static enum fr_err commit_finish(struct fr_store *store, const struct fr_change_by *by,
                                 struct fr_diag *diag, struct fr_enrolment *enrolment)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = fr_ca_enrol_finish(change, diag, enrolment);
    if (!err) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

/* All steps, each durable. */
static enum fr_err enrol_now(struct fr_ca *ca, struct fr_store *store,
                             const struct fr_change_by *by, intend_fn fn, const void *request,
                             struct fr_diag *diag, struct fr_enrolled *out)
{
    struct fr_enrolment enrolment = FR_ENROLMENT_INIT;
    enum fr_err err = commit_intent(ca, store, by, fn, request, diag, &enrolment);

    if (!err) err = fr_ca_enrol_sign(ca, by->now_s, diag, &enrolment);
    if (!err && enrolment.step == FR_ENROL_ISSUE) err = commit_finish(store, by, diag, &enrolment);
    if (!err) {
        fr_buf_deinit(&out->der);
        *out = enrolment.out;
        enrolment.out = (struct fr_enrolled)FR_ENROLLED_INIT;
    }
    fr_enrolment_deinit(&enrolment);
    return err;
}

/* --- with a token --- */

static enum fr_err no_entry(struct fr_diag *diag, const char *why)
{
    return fr_diag_fail(diag, FR_E_AUTH, "the token is not good: %s", why);
}

/* Nothing is said about a token to who does not know its secret. */
static enum fr_err find_token(struct fr_change *change, const struct fr_enrol_token *request,
                              struct fr_diag *diag, struct fr_token_row *out)
{
    enum fr_err err = fr_token_get(fr_change_snap(change), request->id, out);

    if (err == FR_E_NOT_FOUND) return no_entry(diag, "unknown");
    if (err) return err;
    if (!fr_secret_equal(out->secret, request->secret, sizeof out->secret))
        return no_entry(diag, "wrong secret");
    if (out->is_revoked) return no_entry(diag, "revoked");
    return FR_OK;
}

static struct fr_token_slot *find_slot(struct fr_token_row *token,
                                       const struct fr_enrol_token *request)
{
    if (!request->has_profile) return &token->slots[0];
    for (uint8_t i = 0; i < token->n_slots; i++) {
        if (token->slots[i].profile == request->profile) return &token->slots[i];
    }
    return NULL;
}

/* What a used slot still does: the answer to the same request may have been lost, or its
 * certificate was never finished. */
static enum fr_err reuse(struct fr_snap *snap, const struct fr_token_row *token,
                         const struct fr_token_slot *slot, int64_t now_s, struct fr_diag *diag,
                         enum fr_enrol_step *out)
{
    static const uint8_t NEVER[FR_DIGEST_SIZE] = {0};
    const bool is_in_time = now_s <= token->expires_s || now_s - slot->when_s <= FR_ENROL_REPEAT_S;
    struct fr_cert_row row;
    enum fr_err err = fr_cert_row_get(snap, slot->serial, &row);

    if (err) return err;
    if (memcmp(row.sha256, NEVER, sizeof NEVER) == 0)
        *out = FR_ENROL_ISSUE;
    else if (row.status == FR_CERT_ISSUED && is_in_time)
        *out = FR_ENROL_REPEAT;
    else
        return no_entry(diag, "it was used");
    return FR_OK;
}

static enum fr_err choose_step(struct fr_change *change, const struct fr_token_row *token,
                               const struct fr_token_slot *slot, const uint8_t *digest,
                               struct fr_diag *diag, enum fr_enrol_step *out)
{
    const int64_t now_s = fr_change_now(change);

    if (slot->state != FR_SLOT_OPEN && memcmp(slot->request, digest, FR_DIGEST_SIZE) != 0)
        return no_entry(diag, "it belongs to another request");
    if (slot->state == FR_SLOT_USED)
        return reuse(fr_change_snap(change), token, slot, now_s, diag, out);
    if (now_s > token->expires_s) return no_entry(diag, "it is over");
    *out =
        token->needs_approval && slot->state != FR_SLOT_APPROVED ? FR_ENROL_WAIT : FR_ENROL_ISSUE;
    return FR_OK;
}

static struct fr_issue_request issue_request(const struct fr_token_row *token,
                                             enum fr_profile profile, struct fr_span csr)
{
    return (struct fr_issue_request){
        .subject = {.profile = profile,
                    .member = token->member,
                    .netid = profile == FR_PROFILE_NS ? token->netid : 0,
                    .joineui = profile == FR_PROFILE_JS ? token->joineui : 0,
                    .host = token->host[0] != '\0' ? token->host : NULL},
        .rights = token->rights,
        .csr = csr,
    };
}

static void bind(struct fr_token_slot *slot, enum fr_slot_state state, const uint8_t *digest,
                 int64_t now_s)
{
    slot->state = state;
    slot->when_s = now_s;
    memcpy(slot->request, digest, sizeof slot->request);
}

/* What was given before. */
static enum fr_err give_again(struct fr_snap *snap, const struct fr_token_slot *slot,
                              struct fr_enrolled *out)
{
    uint8_t der[FR_CERT_MAX];
    size_t size = sizeof der;
    enum fr_err err = fr_cert_row_get(snap, slot->serial, &out->row);

    if (!err) err = fr_cert_row_get_der(snap, slot->serial, der, &size);
    if (err) return err;
    fr_buf_add(&out->der, der, size);
    out->is_repeat = true;
    return fr_buf_err(&out->der);
}

/* The first transaction: the token's step, and the intent when there is one. */
enum fr_err fr_ca_enrol_token_intend(struct fr_ca *ca, struct fr_change *change,
                                     const struct fr_enrol_token *request, struct fr_diag *diag,
                                     struct fr_enrolment *enrolment)
{
    struct fr_token_row token;
    uint8_t digest[FR_DIGEST_SIZE];
    const int64_t now_s = fr_change_now(change);
    enum fr_err err = find_token(change, request, diag, &token);

    if (err) return err;
    struct fr_token_slot *slot = find_slot(&token, request);
    if (slot == NULL)
        return fr_diag_fail(diag, FR_E_DENIED, "the token is not for profile %s",
                            fr_profile_text(request->profile));
    err = fr_sha256(request->csr, digest);
    if (!err) err = choose_step(change, &token, slot, digest, diag, &enrolment->step);
    if (err) return err;
    if (enrolment->step == FR_ENROL_REPEAT)
        return give_again(fr_change_snap(change), slot, &enrolment->out);
    if (enrolment->step == FR_ENROL_WAIT) {
        if (slot->state == FR_SLOT_WAITING) return FR_OK;
        bind(slot, FR_SLOT_WAITING, digest, now_s);
        return fr_token_put(change, &token);
    }
    const struct fr_issue_request wanted = issue_request(&token, slot->profile, request->csr);
    err = intend(ca, change, &wanted, diag, &enrolment->issue);
    if (err) return err;
    bind(slot, FR_SLOT_USED, digest, now_s);
    memcpy(slot->serial, enrolment->issue.row.serial, sizeof slot->serial);
    return fr_token_put(change, &token);
}

static enum fr_err intend_token(struct fr_ca *ca, struct fr_change *change, const void *request,
                                struct fr_diag *diag, struct fr_enrolment *enrolment)
{
    return fr_ca_enrol_token_intend(ca, change, request, diag, enrolment);
}

enum fr_err fr_ca_enrol_token(struct fr_ca *ca, struct fr_store *store,
                              const struct fr_change_by *by, const struct fr_enrol_token *request,
                              struct fr_diag *diag, struct fr_enrolled *out)
{
    return enrol_now(ca, store, by, intend_token, request, diag, out);
}

/* --- with a certificate --- */

static enum fr_err find_holder(struct fr_change *change, const struct fr_enrol_cert *request,
                               struct fr_diag *diag, struct fr_cert_row *out)
{
    enum fr_err err = fr_cert_row_get(fr_change_snap(change), request->serial, out);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, FR_E_AUTH, "unknown certificate");
    if (err) return err;
    if (out->status != FR_CERT_ISSUED)
        return fr_diag_fail(diag, FR_E_REVOKED, "the certificate is revoked");
    return FR_OK;
}

/* Is it the same key? Read again from the request, which is checked in a moment. */
static enum fr_err has_own_key(const struct fr_enrol_cert *request,
                               const struct fr_cert_row *holder, bool *out)
{
    struct fr_key *key = NULL;
    uint8_t spki[FR_DIGEST_SIZE];
    enum fr_err err = fr_csr_parse(request->csr, NULL, &key);

    if (!err) err = fr_key_spki_sha256(key, spki);
    fr_key_free(key);
    if (!err) *out = memcmp(spki, holder->spki, sizeof spki) == 0;
    return err;
}

/* A certificate that is over renews itself while its member has a grace, and does nothing else. */
static enum fr_err check_dates(struct fr_change *change, const struct fr_enrol_cert *request,
                               const struct fr_cert_row *holder, bool may_be_over,
                               struct fr_diag *diag)
{
    const int64_t now_s = fr_change_now(change);
    bool is_open = false, is_same_key = false;
    enum fr_err err = FR_OK;

    if (holder->not_after_s >= now_s) return FR_OK;
    if (may_be_over)
        err = fr_grace_is_open(fr_change_snap(change), holder->member, now_s, &is_open);
    if (err) return err;
    if (!is_open || holder->not_after_s + FR_GRACE_REACH_S < now_s)
        return fr_diag_fail(diag, FR_E_DENIED, "the certificate is over");
    err = has_own_key(request, holder, &is_same_key);
    if (err) return fr_diag_fail(diag, err, "the request cannot be read");
    if (!is_same_key)
        return fr_diag_fail(diag, FR_E_DENIED,
                            "the certificate is over: in its grace it renews with its own key");
    return FR_OK;
}

typedef enum fr_err (*describe_fn)(struct fr_change *change, const struct fr_enrol_cert *request,
                                   const struct fr_cert_row *holder, struct fr_diag *diag,
                                   struct fr_issue_request *out);

/* A broker's key is made on its own host and certified by the operator once; what comes over the network is about that key or
 * about none. */
static enum fr_err check_broker(const struct fr_enrol_cert *request,
                                const struct fr_cert_row *holder, struct fr_diag *diag)
{
    bool is_same_key = false;
    enum fr_err err = FR_OK;

    if (holder->profile != FR_PROFILE_BROKER) return FR_OK;
    if ((holder->rights & FR_RIGHT_REPLICA) == 0)
        return fr_diag_fail(diag, FR_E_DENIED, "the certificate has not the right replica");
    err = has_own_key(request, holder, &is_same_key);
    if (err) return fr_diag_fail(diag, err, "the request cannot be read");
    if (!is_same_key)
        return fr_diag_fail(diag, FR_E_DENIED, "a broker's certificate renews with its own key");
    return FR_OK;
}

static enum fr_err describe_successor(struct fr_change *change, const struct fr_enrol_cert *request,
                                      const struct fr_cert_row *holder, struct fr_diag *diag,
                                      struct fr_issue_request *out)
{
    enum fr_err err = check_broker(request, holder, diag);

    (void)change;
    if (err) return err;
    if (request->has_profile && request->profile != holder->profile)
        return fr_diag_fail(diag, FR_E_DENIED, "a certificate of profile %s renews only that",
                            fr_profile_text(holder->profile));
    out->subject.profile = holder->profile;
    out->subject.netid = holder->netid;
    out->subject.joineui = holder->joineui;
    out->rights = holder->rights;
    return FR_OK;
}

static enum fr_err describe_other(struct fr_change *change, const struct fr_enrol_cert *request,
                                  const struct fr_cert_row *holder, struct fr_diag *diag,
                                  struct fr_issue_request *out)
{
    if (holder->profile == FR_PROFILE_BROKER)
        return fr_diag_fail(diag, FR_E_DENIED, "a broker enrols nobody");
    if ((holder->rights & FR_RIGHT_ENROL) == 0)
        return fr_diag_fail(diag, FR_E_DENIED, "the certificate has not the right enrol");
    out->subject.profile = request->has_profile ? request->profile : holder->profile;
    if (out->subject.profile != FR_PROFILE_NS && out->subject.profile != FR_PROFILE_DOH)
        return fr_diag_fail(diag, FR_E_DENIED, "a certificate enrols for doh and ns only");
    out->subject.netid = holder->netid;
    if (out->subject.profile == FR_PROFILE_NS && holder->netid == 0)
        return fr_subject_only_netid(fr_change_snap(change), holder->member, diag,
                                     &out->subject.netid);
    return FR_OK;
}

static enum fr_err intend_holder(struct fr_ca *ca, struct fr_change *change,
                                 const struct fr_enrol_cert *request, describe_fn describe,
                                 bool may_be_over, struct fr_diag *diag,
                                 struct fr_enrolment *enrolment)
{
    struct fr_cert_row holder;
    struct fr_issue_request wanted = {.csr = request->csr, .subject = {.member = holder.member}};
    enum fr_err err = find_holder(change, request, diag, &holder);

    if (!err) err = check_dates(change, request, &holder, may_be_over, diag);
    if (!err) err = describe(change, request, &holder, diag, &wanted);
    if (err) return err;
    if (holder.member[0] == '\0') wanted.subject.member = NULL; /* a broker's */
    wanted.subject.host = holder.host[0] != '\0' ? holder.host : NULL;
    enrolment->step = FR_ENROL_ISSUE;
    return intend(ca, change, &wanted, diag, &enrolment->issue);
}

enum fr_err fr_ca_renew_intend(struct fr_ca *ca, struct fr_change *change,
                               const struct fr_enrol_cert *request, struct fr_diag *diag,
                               struct fr_enrolment *enrolment)
{
    return intend_holder(ca, change, request, describe_successor, true, diag, enrolment);
}

enum fr_err fr_ca_extend_intend(struct fr_ca *ca, struct fr_change *change,
                                const struct fr_enrol_cert *request, struct fr_diag *diag,
                                struct fr_enrolment *enrolment)
{
    return intend_holder(ca, change, request, describe_other, false, diag, enrolment);
}

static enum fr_err intend_renewal(struct fr_ca *ca, struct fr_change *change, const void *request,
                                  struct fr_diag *diag, struct fr_enrolment *enrolment)
{
    return fr_ca_renew_intend(ca, change, request, diag, enrolment);
}

static enum fr_err intend_extension(struct fr_ca *ca, struct fr_change *change, const void *request,
                                    struct fr_diag *diag, struct fr_enrolment *enrolment)
{
    return fr_ca_extend_intend(ca, change, request, diag, enrolment);
}

enum fr_err fr_ca_renew(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                        const struct fr_enrol_cert *request, struct fr_diag *diag,
                        struct fr_enrolled *out)
{
    return enrol_now(ca, store, by, intend_renewal, request, diag, out);
}

enum fr_err fr_ca_extend(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                         const struct fr_enrol_cert *request, struct fr_diag *diag,
                         struct fr_enrolled *out)
{
    return enrol_now(ca, store, by, intend_extension, request, diag, out);
}
