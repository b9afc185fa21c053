#include "ca/ca.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/cert.h"
#include "store/change.h"

#include <stdio.h>
#include <string.h>

struct fr_ca {
    const char *federation; /* the store's */
    uint64_t generation;
    struct fr_cert *root;
    size_t count;
    bool can_issue; /* the first signer is the active one */
    struct fr_ca_signer signers[FR_CA_SIGNERS_MAX];
};

/* --- which ones there are --- */

struct listing {
    int64_t now_s;
    size_t count;
    struct fr_authority_row *rows; /* FR_CA_SIGNERS_MAX of them */
};

bool fr_ca_row_signs_lists(const struct fr_authority_row *row, int64_t now_s)
{
    if (row->kind != FR_AUTHORITY_ISSUING || row->der_size == 0) return false;
    if (row->state == FR_AUTHORITY_ACTIVE) return true;
    return (row->state == FR_AUTHORITY_TAINTED || row->state == FR_AUTHORITY_RETIRED) &&
           row->not_after_s >= now_s;
}

/* The active one goes in front; when there are too many, the oldest of the others go first. */
static enum fr_err list_signer(void *data, const struct fr_authority_row *row)
{
    struct listing *l = data;
    size_t at = l->count;

    if (!fr_ca_row_signs_lists(row, l->now_s)) return FR_OK;
    if (at == FR_CA_SIGNERS_MAX) at = FR_CA_SIGNERS_MAX - 1;
    if (row->state == FR_AUTHORITY_ACTIVE) {
        memmove(&l->rows[1], &l->rows[0], at * sizeof l->rows[0]);
        at = 0;
    }
    l->rows[at] = *row;
    if (l->count < FR_CA_SIGNERS_MAX) l->count++;
    return FR_OK;
}

static enum fr_err list_signers(struct fr_store *store, struct listing *l, uint64_t *generation)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = fr_authority_each(snap, list_signer, l);
    if (!err) err = fr_authority_digest(snap, generation);
    fr_snap_end(snap);
    return err;
}

struct search {
    bool is_found;
    char name[FR_HOST_MAX + 1];
};

static enum fr_err find_active(void *data, const struct fr_authority_row *row)
{
    struct search *s = data;

    if (row->kind != FR_AUTHORITY_ISSUING || row->state != FR_AUTHORITY_ACTIVE) return FR_OK;
    s->is_found = true;
    (void)snprintf(s->name, sizeof s->name, "%s", row->name);
    return FR_OK;
}

static enum fr_err no_active(struct fr_diag *diag, enum fr_err err)
{
    (void)fr_diag_fail(diag, err, "the federation has no active issuing CA");
    fr_diag_hint(diag, "fedroam ca list; then: fedroam ca intermediate activate NAME");
    return err;
}

enum fr_err fr_ca_find_active(struct fr_snap *snap, struct fr_diag *diag, char out[FR_HOST_MAX + 1])
{
    struct search found = {0};
    enum fr_err err = fr_authority_each(snap, find_active, &found);

    if (err) return err;
    if (!found.is_found) return no_active(diag, FR_E_NOT_FOUND);
    memcpy(out, found.name, sizeof found.name);
    return FR_OK;
}

/* --- files --- */

enum fr_err fr_ca_path(const char *dir, const char *name, const char *ending,
                       char out[FR_CA_PATH_MAX])
{
    int n = snprintf(out, FR_CA_PATH_MAX, "%s/ca/%s.%s", dir, name, ending);

    return n > 0 && n < FR_CA_PATH_MAX ? FR_OK : FR_E_LIMIT;
}

bool fr_ca_has_key(const char *dir, const char *name)
{
    char path[FR_CA_PATH_MAX];

    return fr_ca_path(dir, name, "key", path) == FR_OK && fr_file_exists(path);
}

/* Does what lies in the folder belong together, and to this store? A restored or mixed-up folder
 * must not sign. */
static enum fr_err check_parts(const struct fr_ca_signer *signer,
                               const struct fr_authority_row *row, const struct fr_cert *root,
                               struct fr_diag *diag)
{
    struct fr_cert_fields fields;
    struct fr_key *certified = NULL;
    enum fr_err err = fr_cert_read_fields(signer->cert, &fields);

    if (!err) err = fr_cert_dup_key(signer->cert, &certified);
    if (err) return err;
    if (memcmp(fields.sha256, row->sha256, sizeof row->sha256) != 0)
        err = fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.pem is not the certificate of the store",
                           signer->name);
    else if (!fr_key_is_same(certified, signer->key))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.key does not fit ca/%s.pem", signer->name,
                           signer->name);
    else if (!fr_cert_is_issued_by(signer->cert, root))
        err =
            fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.pem was not issued by root.pem", signer->name);
    fr_key_free(certified);
    return err;
}

enum fr_err fr_ca_signer_load(const char *dir, const struct fr_authority_row *row,
                              const struct fr_cert *root, const struct fr_passphrase *passphrase,
                              struct fr_diag *diag, struct fr_ca_signer *out)
{
    struct fr_ca_signer signer = {.state = row->state};
    char path[FR_CA_PATH_MAX];
    enum fr_err err = fr_ca_path(dir, row->name, "pem", path);

    memcpy(signer.name, row->name, sizeof signer.name);
    if (!err && fr_file_exists(path))
        err = fr_cert_load(path, diag, &signer.cert);
    else if (!err) /* only its key was brought to a promoted replica */
        err = fr_cert_parse(fr_span(row->der, row->der_size), &signer.cert);
    if (!err) err = fr_ca_path(dir, row->name, "key", path);
    if (!err) err = fr_key_open(path, passphrase, diag, &signer.key);
    if (!err) err = check_parts(&signer, row, root, diag);
    if (err || out == NULL)
        fr_ca_signer_deinit(&signer);
    else
        *out = signer;
    return err;
}

void fr_ca_signer_deinit(struct fr_ca_signer *signer)
{
    fr_cert_free(signer->cert);
    fr_key_free(signer->key);
    *signer = (struct fr_ca_signer){0};
}

/* A list that cannot be signed any more is missed by its date; the others must not wait for it. */
static enum fr_err load_signers(const char *dir, const struct listing *l,
                                const struct fr_passphrase *passphrase, struct fr_diag *diag,
                                struct fr_ca *ca)
{
    char path[FR_CA_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/root.pem", dir);
    enum fr_err err = n > 0 && n < (int)sizeof path ? FR_OK : FR_E_LIMIT;

    if (err) return fr_diag_fail(diag, err, "the path of the state directory is too long");
    err = fr_cert_load(path, diag, &ca->root);
    for (size_t i = 0; !err && i < l->count; i++) {
        const bool is_active = l->rows[i].state == FR_AUTHORITY_ACTIVE;
        err = fr_ca_signer_load(dir, &l->rows[i], ca->root, passphrase, is_active ? diag : NULL,
                                &ca->signers[ca->count]);
        if (!err) ca->count++;
        if (!err && is_active) ca->can_issue = true;
        if (err != FR_E_NOMEM && !is_active) err = FR_OK;
    }
    return err;
}

/* --- what a crash left --- */

enum { INTENTS_MAX = 100000 };

struct intents {
    int64_t before_s;
    struct fr_buf serials;
};

static enum fr_err collect_intent(void *data, const struct fr_cert_row *row)
{
    struct intents *intents = data;

    if (row->status == FR_CERT_INTENT && row->created_s < intents->before_s)
        fr_buf_add(&intents->serials, row->serial, FR_SERIAL_SIZE);
    return fr_buf_err(&intents->serials);
}

static enum fr_err find_intents(struct fr_store *store, struct intents *intents)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = fr_cert_row_each_unissued(snap, collect_intent, intents);
    fr_snap_end(snap);
    return err;
}

/* Looks once more, now that nobody else can write: the certificate may have been finished
 * meanwhile. */
static enum fr_err settle_intent(struct fr_change *change, const uint8_t *serial,
                                 struct fr_diag *diag)
{
    struct fr_cert_row row;
    enum fr_err err = fr_cert_row_get(fr_change_snap(change), serial, &row);

    if (err || row.status != FR_CERT_INTENT) return err;
    return fr_cert_row_revoke(change, serial, 0, diag);
}

static enum fr_err settle_intents(struct fr_store *store, const struct fr_change_by *by,
                                  struct fr_diag *diag)
{
    struct intents found = {.before_s = by->now_s - FR_SIGNING_TIME_S,
                            .serials = FR_BUF_INIT(INTENTS_MAX * FR_SERIAL_SIZE)};
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = find_intents(store, &found);

    if (err || found.serials.n == 0) goto out;
    err = fr_store_change(store, by, diag, &change);
    for (size_t at = 0; !err && at < found.serials.n; at += FR_SERIAL_SIZE)
        err = settle_intent(change, found.serials.p + at, diag);
    if (!err) {
        err = fr_change_commit(change, diag, &sequence);
        change = NULL;
    }
out:
    fr_change_cancel(change);
    fr_buf_deinit(&found.serials);
    return err;
}

/* --- handle --- */

enum fr_err fr_ca_open_with(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                            const struct fr_passphrase *passphrase, struct fr_diag *diag,
                            struct fr_ca **out)
{
    struct fr_ca *ca = fr_calloc(1, sizeof *ca);
    struct listing l = {.now_s = by->now_s, .rows = fr_calloc(FR_CA_SIGNERS_MAX, sizeof *l.rows)};
    enum fr_err err = ca == NULL || l.rows == NULL ? FR_E_NOMEM : FR_OK;

    if (err) goto out;
    ca->federation = fr_store_federation(store);
    err = list_signers(store, &l, &ca->generation);
    if (!err && l.count == 0) err = no_active(diag, FR_E_NOT_FOUND);
    if (!err) err = load_signers(dir, &l, passphrase, diag, ca);
    if (!err) err = settle_intents(store, by, diag);
    if (err) goto out;
    *out = ca;
    ca = NULL;
out:
    fr_free(l.rows);
    fr_ca_close(ca);
    return err;
}

enum fr_err fr_ca_open(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                       struct fr_diag *diag, struct fr_ca **out)
{
    return fr_ca_open_with(dir, store, by, NULL, diag, out);
}

void fr_ca_close(struct fr_ca *ca)
{
    if (ca == NULL) return;
    for (size_t i = 0; i < ca->count; i++) fr_ca_signer_deinit(&ca->signers[i]);
    fr_cert_free(ca->root);
    fr_free(ca);
}

const struct fr_cert *fr_ca_root(const struct fr_ca *ca)
{
    return ca->root;
}

const char *fr_ca_federation(const struct fr_ca *ca)
{
    return ca->federation;
}

uint64_t fr_ca_generation(const struct fr_ca *ca)
{
    return ca->generation;
}

bool fr_ca_can_issue(const struct fr_ca *ca)
{
    return ca->can_issue;
}

enum fr_err fr_ca_expect_issuing(const struct fr_ca *ca, struct fr_diag *diag)
{
    return ca->can_issue ? FR_OK : no_active(diag, FR_E_UNAVAILABLE);
}

const char *fr_ca_name(const struct fr_ca *ca)
{
    return ca->can_issue ? ca->signers[0].name : NULL;
}

const struct fr_cert *fr_ca_issuing(const struct fr_ca *ca)
{
    return ca->can_issue ? ca->signers[0].cert : NULL;
}

const struct fr_key *fr_ca_key(const struct fr_ca *ca)
{
    return ca->can_issue ? ca->signers[0].key : NULL;
}

size_t fr_ca_signer_count(const struct fr_ca *ca)
{
    return ca->count;
}

const struct fr_ca_signer *fr_ca_signer_at(const struct fr_ca *ca, size_t i)
{
    return i < ca->count ? &ca->signers[i] : NULL;
}
