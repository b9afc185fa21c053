#include "ca/ca.h"

#include "base/mem.h"
#include "store/authority.h"
#include "store/cert.h"
#include "store/change.h"

#include <stdio.h>
#include <string.h>

struct fr_ca {
    char name[FR_HOST_MAX + 1];
    const char *federation; /* the store's */
    struct fr_cert *root;
    struct fr_cert *issuing;
    struct fr_key *key;
};

struct search {
    bool is_found;
    char name[FR_HOST_MAX + 1];
    uint8_t sha256[FR_DIGEST_SIZE];
};

static enum fr_err find_active(void *data, const struct fr_authority_row *row)
{
    struct search *s = data;

    if (row->kind != FR_AUTHORITY_ISSUING || row->state != FR_AUTHORITY_ACTIVE) return FR_OK;
    s->is_found = true; /* names sort by year: the last one is the newest */
    (void)snprintf(s->name, sizeof s->name, "%s", row->name);
    memcpy(s->sha256, row->sha256, sizeof s->sha256);
    return FR_OK;
}

static enum fr_err search(struct fr_snap *snap, struct fr_diag *diag, struct search *out)
{
    enum fr_err err = fr_authority_each(snap, find_active, out);

    if (!err && !out->is_found)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "the federation has no active issuing CA");
    return err;
}

static enum fr_err find_issuing(struct fr_store *store, struct fr_diag *diag, struct search *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = search(snap, diag, out);
    fr_snap_end(snap);
    return err;
}

enum fr_err fr_ca_find_active(struct fr_snap *snap, struct fr_diag *diag, char out[FR_HOST_MAX + 1])
{
    struct search found = {0};
    enum fr_err err = search(snap, diag, &found);

    if (!err) memcpy(out, found.name, sizeof found.name);
    return err;
}

/* Does what lies in the folder belong together, and to this store? A restored or mixed-up folder
 * must not sign. */
static enum fr_err check_parts(const struct fr_ca *ca, const struct search *want,
                               struct fr_diag *diag)
{
    struct fr_cert_fields fields;
    struct fr_key *certified = NULL;
    enum fr_err err = fr_cert_read_fields(ca->issuing, &fields);

    if (!err) err = fr_cert_dup_key(ca->issuing, &certified);
    if (err) return err;
    if (memcmp(fields.sha256, want->sha256, sizeof want->sha256) != 0)
        err = fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.pem is not the certificate of the store",
                           ca->name);
    else if (!fr_key_is_same(certified, ca->key))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.key does not fit ca/%s.pem", ca->name,
                           ca->name);
    else if (!fr_cert_is_issued_by(ca->issuing, ca->root))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "ca/%s.pem was not issued by root.pem", ca->name);
    fr_key_free(certified);
    return err;
}

static enum fr_err load_parts(const char *dir, struct fr_diag *diag, struct fr_ca *ca)
{
    char path[4096];
    enum fr_err err = FR_OK;

    if (strlen(dir) + sizeof ca->name + 16 > sizeof path)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path of the state directory is too long");
    (void)snprintf(path, sizeof path, "%s/root.pem", dir);
    err = fr_cert_load(path, diag, &ca->root);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca/%s.pem", dir, ca->name);
    err = fr_cert_load(path, diag, &ca->issuing);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca/%s.key", dir, ca->name);
    return fr_key_load(path, diag, &ca->key);
}

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
    err = fr_cert_row_each(snap, collect_intent, intents);
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

enum fr_err fr_ca_open(const char *dir, struct fr_store *store, const struct fr_change_by *by,
                       struct fr_diag *diag, struct fr_ca **out)
{
    struct fr_ca *ca = fr_calloc(1, sizeof *ca);
    struct search active = {0};
    enum fr_err err = ca == NULL ? FR_E_NOMEM : FR_OK;

    if (err) goto out;
    ca->federation = fr_store_federation(store);
    err = find_issuing(store, diag, &active);
    if (err) goto out;
    (void)snprintf(ca->name, sizeof ca->name, "%s", active.name);
    err = load_parts(dir, diag, ca);
    if (err) goto out;
    err = check_parts(ca, &active, diag);
    if (err) goto out;
    err = settle_intents(store, by, diag);
    if (err) goto out;
    *out = ca;
    ca = NULL;
out:
    fr_ca_close(ca);
    return err;
}

void fr_ca_close(struct fr_ca *ca)
{
    if (ca == NULL) return;
    fr_cert_free(ca->root);
    fr_cert_free(ca->issuing);
    fr_key_free(ca->key);
    fr_free(ca);
}

const char *fr_ca_name(const struct fr_ca *ca)
{
    return ca->name;
}

const struct fr_cert *fr_ca_root(const struct fr_ca *ca)
{
    return ca->root;
}

const struct fr_cert *fr_ca_issuing(const struct fr_ca *ca)
{
    return ca->issuing;
}

const struct fr_key *fr_ca_key(const struct fr_ca *ca)
{
    return ca->key;
}

const char *fr_ca_federation(const struct fr_ca *ca)
{
    return ca->federation;
}
