#include "ca/root.h"

#include "base/mem.h"
#include "ca/profile.h"
#include "x509/csr.h"

#include <string.h>

struct fr_root {
    struct fr_cert *cert;
    struct fr_key *key;
    struct fr_cert_fields fields;
};

/* --- handle --- */

static enum fr_err check_pair(const struct fr_root *root, const char *pem_path,
                              struct fr_diag *diag)
{
    struct fr_key *certified = NULL;
    enum fr_err err = fr_cert_dup_key(root->cert, &certified);

    if (err) return err;
    if (!fr_key_is_same(certified, root->key))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "this is not the key of %s", pem_path);
    else if (!root->fields.is_ca || !fr_cert_is_issued_by(root->cert, root->cert))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s is not the certificate of a root", pem_path);
    fr_key_free(certified);
    return err;
}

enum fr_err fr_root_open(const char *pem_path, const char *key_uri,
                         const struct fr_passphrase *passphrase, struct fr_diag *diag,
                         struct fr_root **out)
{
    struct fr_root *root = fr_calloc(1, sizeof *root);
    enum fr_err err = root == NULL ? FR_E_NOMEM : fr_cert_load(pem_path, diag, &root->cert);

    if (!err) err = fr_cert_read_fields(root->cert, &root->fields);
    if (!err) err = fr_key_open(key_uri, passphrase, diag, &root->key);
    if (!err) err = check_pair(root, pem_path, diag);
    if (err) {
        fr_root_close(root);
        return err;
    }
    *out = root;
    return FR_OK;
}

void fr_root_close(struct fr_root *root)
{
    if (root == NULL) return;
    fr_cert_free(root->cert);
    fr_key_free(root->key);
    fr_free(root);
}

const struct fr_cert *fr_root_cert(const struct fr_root *root)
{
    return root->cert;
}

const struct fr_cert_fields *fr_root_fields(const struct fr_root *root)
{
    return &root->fields;
}

/* Another root is a mistake that costs the next ceremony: it is noticed before anything is signed. */
enum fr_err fr_root_check_federation(const struct fr_root *root, const char *fed,
                                     struct fr_diag *diag)
{
    char organisation[FR_CERT_CN_MAX + 1] = "";
    enum fr_err err = fr_cert_read_organisation(root->cert, organisation);

    if (!err && strcmp(organisation, fr_profile_organisation(fed)) == 0) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_CONFLICT, "this root is of the federation %s, not of %s",
                       organisation, fed);
    return FR_E_CONFLICT;
}

/* --- certificates --- */

static enum fr_err sign(const struct fr_root *root, const struct fr_key *key,
                        const struct fr_cert_spec *spec, struct fr_diag *diag, struct fr_cert **out)
{
    struct fr_cert *cert = NULL;
    enum fr_err err = fr_cert_sign(spec, key, root->cert, root->key, &cert);

    if (!err) err = fr_cert_lint(cert, spec, key, diag);
    if (!err && !fr_cert_is_issued_by(cert, root->cert))
        err = fr_diag_fail(diag, FR_E_CRYPTO, "the new certificate does not verify under the root");
    if (!err)
        err = fr_cert_verify(cert, NULL, root->cert, FR_CERT_FOR_SERVER,
                             spec->not_before_s + FR_BACKDATE_S, diag);
    if (err) {
        fr_cert_free(cert);
        return err;
    }
    *out = cert;
    return FR_OK;
}

enum fr_err fr_root_sign(const struct fr_root *root, const struct fr_root_order *order,
                         struct fr_diag *diag, struct fr_cert **out)
{
    struct fr_authority_texts texts;
    struct fr_cert_spec spec;
    struct fr_key *key = NULL;
    enum fr_err err = fr_root_check_federation(root, order->federation, diag);

    if (!err) err = fr_csr_parse(order->csr, diag, &key);
    if (err) return err;
    err = fr_issuing_fill(order->federation, order->name, order->dates, &root->fields,
                          order->has_point, &texts, &spec);
    if (err == FR_E_EXPIRED)
        (void)fr_diag_fail(diag, err, "the root is not valid when %s would begin", order->name);
    else if (err == FR_E_INVALID)
        (void)fr_diag_fail(diag, err, "an issuing CA cannot be called %s", order->name);
    if (!err) err = fr_serial_make(spec.serial);
    if (!err) err = sign(root, key, &spec, diag, out);
    fr_key_free(key);
    return err;
}

/* --- the list --- */

static enum fr_err carry(void *data, const struct fr_crl_entry *entry)
{
    return fr_crl_draft_add(data, entry);
}

struct looking {
    const uint8_t *serial;
    bool is_there;
};

static enum fr_err look(void *data, const struct fr_crl_entry *entry)
{
    struct looking *l = data;

    if (memcmp(entry->serial, l->serial, sizeof entry->serial) == 0) l->is_there = true;
    return FR_OK;
}

static enum fr_err is_listed(struct fr_span previous, const struct fr_crl_entry *entry, bool *out)
{
    struct looking l = {.serial = entry->serial};
    enum fr_err err = previous.n > 0 ? fr_crl_each(previous, look, &l) : FR_OK;

    if (!err) *out = l.is_there;
    return err;
}

/* What is listed again with `more` is not listed twice: the first date and cause stay. */
static enum fr_err fill(const struct fr_root_list *list, struct fr_crl_draft *draft)
{
    enum fr_err err = list->previous.n > 0 ? fr_crl_each(list->previous, carry, draft) : FR_OK;

    for (size_t i = 0; !err && i < list->n_more; i++) {
        bool is_there = false;
        err = is_listed(list->previous, &list->more[i], &is_there);
        if (!err && !is_there) err = fr_crl_draft_add(draft, &list->more[i]);
    }
    return err;
}

static enum fr_err check_previous(const struct fr_root *root, struct fr_span previous,
                                  struct fr_diag *diag, uint64_t *number)
{
    struct fr_crl_fields fields;

    if (previous.n == 0) return FR_OK;
    enum fr_err err = fr_crl_verify(previous, root->cert);
    if (!err) err = fr_crl_read_fields(previous, &fields);
    if (err) return fr_diag_fail(diag, err, "the previous list is not one of this root");
    *number = fields.number;
    return FR_OK;
}

enum fr_err fr_root_sign_list(const struct fr_root *root, const struct fr_root_list *list,
                              struct fr_diag *diag, struct fr_buf *der,
                              struct fr_crl_fields *fields)
{
    const int64_t now_s = list->now_ms / 1000;
    struct fr_crl_spec spec = {.number = list->now_ms > 0 ? (uint64_t)list->now_ms : 1,
                               .this_update_s = now_s,
                               .next_update_s = now_s + list->lifetime_s};
    struct fr_crl_draft *draft = NULL;
    uint64_t last = 0;
    enum fr_err err = check_previous(root, list->previous, diag, &last);

    if (!err && last >= INT64_MAX)
        err = fr_diag_fail(diag, FR_E_RANGE, "the previous list's number is the last there is");
    if (last >= spec.number) spec.number = last + 1;
    if (!err) err = fr_crl_draft_new(&draft);
    if (!err) err = fill(list, draft);
    if (err) {
        fr_crl_draft_free(draft);
        return err;
    }
    return fr_crl_sign(draft, &spec, root->cert, root->key, diag, der, fields);
}
