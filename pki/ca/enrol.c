#include "ca/enrol.h"

#include "base/mem.h"
#include "ca/subject.h"
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

/* Signs what was intended and committed, and hands it over. */
static enum fr_err complete(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                            struct fr_diag *diag, struct fr_issue *issue, struct fr_enrolled *out)
{
    enum fr_err err = fr_ca_complete(ca, store, by, diag, issue);

    if (!err) err = fr_cert_write_der(issue->cert, &out->der);
    if (!err) out->row = issue->row;
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

enum step {
    STEP_ISSUE,
    STEP_WAIT,   /* tell it to come again */
    STEP_REPEAT, /* give what was given */
};

/* What a used slot still does: the answer to the same request may have been lost, or its
 * certificate was never finished. */
static enum fr_err reuse(struct fr_snap *snap, const struct fr_token_slot *slot, int64_t now_s,
                         struct fr_diag *diag, enum step *out)
{
    static const uint8_t NEVER[FR_DIGEST_SIZE] = {0};
    struct fr_cert_row row;
    enum fr_err err = fr_cert_row_get(snap, slot->serial, &row);

    if (err) return err;
    if (memcmp(row.sha256, NEVER, sizeof NEVER) == 0)
        *out = STEP_ISSUE;
    else if (row.status == FR_CERT_ISSUED && now_s - slot->when_s <= FR_ENROL_REPEAT_S)
        *out = STEP_REPEAT;
    else
        return no_entry(diag, "it was used");
    return FR_OK;
}

static enum fr_err choose_step(struct fr_change *change, const struct fr_token_row *token,
                               const struct fr_token_slot *slot, const uint8_t *digest,
                               struct fr_diag *diag, enum step *out)
{
    const int64_t now_s = fr_change_now(change);

    if (slot->state != FR_SLOT_OPEN && memcmp(slot->request, digest, FR_DIGEST_SIZE) != 0)
        return no_entry(diag, "it belongs to another request");
    if (slot->state == FR_SLOT_USED) return reuse(fr_change_snap(change), slot, now_s, diag, out);
    if (now_s > token->expires_s) return no_entry(diag, "it is over");
    *out = token->needs_approval && slot->state != FR_SLOT_APPROVED ? STEP_WAIT : STEP_ISSUE;
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

/* The first transaction: the token's step, and the intent when there is one. */
static enum fr_err take_slot(struct fr_ca *ca, struct fr_change *change,
                             const struct fr_enrol_token *request, struct fr_diag *diag,
                             struct fr_issue *issue, struct fr_enrolled *out, enum step *step)
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
    if (!err) err = choose_step(change, &token, slot, digest, diag, step);
    if (err) return err;
    if (*step == STEP_REPEAT)
        return fr_cert_row_get(fr_change_snap(change), slot->serial, &out->row);
    if (*step == STEP_WAIT) {
        if (slot->state == FR_SLOT_WAITING) return FR_OK;
        bind(slot, FR_SLOT_WAITING, digest, now_s);
        return fr_token_put(change, &token);
    }
    const struct fr_issue_request wanted = issue_request(&token, slot->profile, request->csr);
    err = intend(ca, change, &wanted, diag, issue);
    if (err) return err;
    bind(slot, FR_SLOT_USED, digest, now_s);
    memcpy(slot->serial, issue->row.serial, sizeof slot->serial);
    return fr_token_put(change, &token);
}

static enum fr_err give_again(struct fr_store *store, struct fr_enrolled *out)
{
    struct fr_snap *snap = NULL;
    uint8_t der[FR_CERT_MAX];
    size_t size = sizeof der;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = fr_cert_row_get_der(snap, out->row.serial, der, &size);
    fr_snap_end(snap);
    if (err) return err;
    fr_buf_add(&out->der, der, size);
    out->is_repeat = true;
    return fr_buf_err(&out->der);
}

enum fr_err fr_ca_enrol_token(struct fr_ca *ca, struct fr_store *store,
                              const struct fr_change_by *by, const struct fr_enrol_token *request,
                              struct fr_diag *diag, struct fr_enrolled *out)
{
    struct fr_change *change = NULL;
    struct fr_issue issue = FR_ISSUE_INIT;
    enum step step = STEP_ISSUE;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = take_slot(ca, change, request, diag, &issue, out, &step);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, diag, &sequence);
    if (!err && step == STEP_ISSUE) err = complete(ca, store, by, diag, &issue, out);
    if (!err && step == STEP_REPEAT) err = give_again(store, out);
    if (!err && step == STEP_WAIT)
        err = fr_diag_fail(diag, FR_E_PENDING, "the request waits for approval");
    fr_issue_deinit(&issue);
    return err;
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
    if (out->not_after_s < fr_change_now(change))
        return fr_diag_fail(diag, FR_E_DENIED, "the certificate is over");
    if (out->profile == FR_PROFILE_BROKER)
        return fr_diag_fail(diag, FR_E_DENIED, "a broker's certificate is issued on its own host");
    return FR_OK;
}

typedef enum fr_err (*describe_fn)(struct fr_change *change, const struct fr_enrol_cert *request,
                                   const struct fr_cert_row *holder, struct fr_diag *diag,
                                   struct fr_issue_request *out);

static enum fr_err describe_successor(struct fr_change *change, const struct fr_enrol_cert *request,
                                      const struct fr_cert_row *holder, struct fr_diag *diag,
                                      struct fr_issue_request *out)
{
    (void)change;
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

static enum fr_err enrol_holder(struct fr_ca *ca, struct fr_store *store,
                                const struct fr_change_by *by, const struct fr_enrol_cert *request,
                                describe_fn describe, struct fr_diag *diag, struct fr_enrolled *out)
{
    struct fr_change *change = NULL;
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_cert_row holder;
    struct fr_issue_request wanted = {.csr = request->csr, .subject = {.member = holder.member}};
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = find_holder(change, request, diag, &holder);
    if (!err) err = describe(change, request, &holder, diag, &wanted);
    if (!err) {
        wanted.subject.host = holder.host[0] != '\0' ? holder.host : NULL;
        err = intend(ca, change, &wanted, diag, &issue);
    }
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, diag, &sequence);
    if (!err) err = complete(ca, store, by, diag, &issue, out);
    fr_issue_deinit(&issue);
    return err;
}

enum fr_err fr_ca_renew(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                        const struct fr_enrol_cert *request, struct fr_diag *diag,
                        struct fr_enrolled *out)
{
    return enrol_holder(ca, store, by, request, describe_successor, diag, out);
}

enum fr_err fr_ca_extend(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                         const struct fr_enrol_cert *request, struct fr_diag *diag,
                         struct fr_enrolled *out)
{
    return enrol_holder(ca, store, by, request, describe_other, diag, out);
}
