#include "ca/rotate.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "ca/issuing.h"
#include "store/cert.h"
#include "x509/csr.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_A_YEAR = 26 };

static enum fr_err load_root(const char *dir, struct fr_diag *diag, struct fr_cert **out)
{
    char path[FR_CA_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/root.pem", dir);

    if (n < 0 || n >= (int)sizeof path) return FR_E_LIMIT;
    return fr_cert_load(path, diag, out);
}

static enum fr_err find(const struct fr_rotation *r, const char *name, struct fr_authority_row *out)
{
    enum fr_err err = fr_authority_get(fr_change_snap(r->change), name, out);

    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(r->diag, err, "there is no issuing CA %s", name);
        fr_diag_hint(r->diag, "fedroam ca list");
    }
    return err;
}

/* --- prepare --- */

/* A name with neither a row nor a key on disk: what a crash left behind is never written over. */
static enum fr_err choose_name(const struct fr_rotation *r, char out[FR_HOST_MAX + 1])
{
    char name[FR_HOST_MAX + 1], path[FR_CA_PATH_MAX];
    struct fr_authority_row row;

    for (unsigned letter = 0; letter < NAMES_A_YEAR; letter++) {
        enum fr_err err = fr_issuing_name(fr_change_now(r->change), letter, name);
        if (!err) err = fr_ca_path(r->dir, name, "key", path);
        if (err) return err;
        err = fr_authority_get(fr_change_snap(r->change), name, &row);
        if (err != FR_OK && err != FR_E_NOT_FOUND) return err;
        if (err == FR_OK || fr_file_exists(path)) continue;
        memcpy(out, name, sizeof name);
        return FR_OK;
    }
    return fr_diag_fail(r->diag, FR_E_LIMIT, "%d issuing CAs were made this year: no name is left",
                        NAMES_A_YEAR);
}

/* What locks the new key: the passphrase that opens the active one. A wrong one must be noticed
 * now, not when the new key is needed. */
static enum fr_err choose_lock(const struct fr_rotation *r, struct fr_buf *out)
{
    char name[FR_HOST_MAX + 1], path[FR_CA_PATH_MAX];
    struct fr_key *key = NULL;
    bool is_locked = false;
    enum fr_err err = fr_ca_find_active(fr_change_snap(r->change), NULL, name);

    if (err == FR_E_NOT_FOUND) {
        err = FR_OK;
    } else if (!err && fr_ca_has_key(r->dir, name)) { /* not on a promoted replica */
        err = fr_ca_path(r->dir, name, "key", path);
        if (!err) err = fr_key_file_is_locked(path, r->diag, &is_locked);
        if (!err) err = fr_key_open(path, r->passphrase, r->diag, &key);
        fr_key_free(key);
    }
    if (err) return err;
    if (!is_locked && (r->passphrase == NULL || !r->passphrase->is_at_hand)) return FR_OK;
    return r->passphrase->ask(r->passphrase->data, "ca", r->diag, out);
}

static enum fr_err save_pair(const struct fr_rotation *r, const char *name,
                             const struct fr_key *key, struct fr_span csr)
{
    char path[FR_CA_PATH_MAX];
    struct fr_buf passphrase = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    enum fr_err err = choose_lock(r, &passphrase);

    if (!err) err = fr_ca_path(r->dir, name, "key", path);
    if (!err) err = fr_key_save_locked(key, path, fr_buf_span(&passphrase), r->diag);
    fr_buf_deinit_secret(&passphrase);
    if (!err) err = fr_ca_path(r->dir, name, "csr", path);
    if (!err) err = fr_file_write(path, 0600, csr, r->diag);
    return err;
}

static enum fr_err add_prepared(const struct fr_rotation *r, const char *name,
                                const struct fr_key *key)
{
    struct fr_authority_row *row = fr_calloc(1, sizeof *row);
    enum fr_err err = row == NULL ? FR_E_NOMEM : fr_key_spki_sha256(key, row->sha256);

    if (!err) {
        (void)snprintf(row->name, sizeof row->name, "%s", name);
        row->kind = FR_AUTHORITY_ISSUING;
        row->state = FR_AUTHORITY_PREPARED;
        err = fr_authority_add(r->change, row, r->diag);
    }
    fr_free(row);
    return err;
}

enum fr_err fr_rotate_prepare(const struct fr_rotation *r, char name[FR_HOST_MAX + 1],
                              struct fr_buf *csr)
{
    char common_name[FR_CERT_CN_MAX + 1], made[FR_HOST_MAX + 1];
    struct fr_key *key = NULL;
    enum fr_err err = choose_name(r, made);

    if (err) return err;
    fr_issuing_print_name(r->federation, made, common_name);
    err = fr_key_generate(&key);
    if (!err && !r->dry_run) {
        err = fr_csr_build(key, common_name, csr);
        if (!err) err = save_pair(r, made, key, fr_buf_span(csr));
    }
    if (!err) err = add_prepared(r, made, key);
    fr_key_free(key);
    if (err)
        fr_rotate_unprepare(r->dir, made);
    else
        memcpy(name, made, sizeof made);
    return err;
}

void fr_rotate_unprepare(const char *dir, const char *name)
{
    char path[FR_CA_PATH_MAX];

    /* Best effort: without a row they are inert, and their name is not used again. */
    if (fr_ca_path(dir, name, "key", path) == FR_OK) (void)unlink(path);
    if (fr_ca_path(dir, name, "csr", path) == FR_OK) (void)unlink(path);
}

/* --- install --- */

struct by_key {
    uint8_t spki[FR_SHA256_SIZE];
    bool is_found;
    char name[FR_HOST_MAX + 1];
};

static enum fr_err match_key(void *data, const struct fr_authority_row *row)
{
    struct by_key *k = data;

    if (row->state != FR_AUTHORITY_PREPARED || memcmp(row->sha256, k->spki, sizeof k->spki) != 0)
        return FR_OK;
    k->is_found = true;
    memcpy(k->name, row->name, sizeof k->name);
    return FR_OK;
}

/* The whole content must be what the root's side of this program makes: with the address of its
 * list or without. */
static enum fr_err check_profile(const struct fr_rotation *r, const struct fr_cert *cert,
                                 const struct fr_cert_fields *fields, const struct fr_cert *root,
                                 const char *name)
{
    struct fr_authority_texts texts;
    struct fr_cert_fields of_root;
    struct fr_cert_spec spec;
    struct fr_key *key = NULL;
    enum fr_err err = fr_cert_read_fields(root, &of_root);

    if (!err && fields->serial_len != sizeof spec.serial) err = FR_E_MALFORMED;
    if (!err) err = fr_cert_dup_key(cert, &key);
    for (int has_point = 1; !err && has_point >= 0; has_point--) {
        const struct fr_issuing_dates any = {of_root.not_before_s, FR_ISSUING_LIFETIME_S};
        err = fr_issuing_fill(r->federation, name, any, &of_root, has_point == 1, &texts, &spec);
        if (err) break;
        memcpy(spec.serial, fields->serial, sizeof spec.serial);
        spec.not_before_s = fields->not_before_s;
        spec.not_after_s = fields->not_after_s;
        err = fr_cert_lint(cert, &spec, key, r->diag);
        if (!err) break;
        if (err == FR_E_CRYPTO && has_point == 1) err = FR_OK; /* then without */
    }
    fr_key_free(key);
    return err;
}

static enum fr_err check_certificate(const struct fr_rotation *r, const struct fr_cert *cert,
                                     const struct fr_cert_fields *fields, const char *name)
{
    struct fr_cert *root = NULL;
    const int64_t now_s = fr_change_now(r->change);
    enum fr_err err = load_root(r->dir, r->diag, &root);

    if (err) return err;
    if (!fr_cert_is_issued_by(cert, root))
        err = fr_diag_fail(r->diag, FR_E_CRYPTO, "this certificate was not issued by the root");
    else if (fields->not_after_s <= now_s)
        err = fr_diag_fail(r->diag, FR_E_EXPIRED, "this certificate of %s is over", name);
    if (!err) err = check_profile(r, cert, fields, root, name);
    fr_cert_free(root);
    return err;
}

static enum fr_err enter(const struct fr_rotation *r, const struct fr_cert *cert,
                         const struct fr_cert_fields *fields, struct fr_span der, const char *name)
{
    struct fr_authority_row *row = fr_calloc(1, sizeof *row);
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    char path[FR_CA_PATH_MAX];
    enum fr_err err = row == NULL ? FR_E_NOMEM : FR_OK;

    if (!err && der.n > sizeof row->der) err = FR_E_LIMIT;
    if (err) goto out;
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    row->not_before_s = fields->not_before_s;
    row->not_after_s = fields->not_after_s;
    memcpy(row->sha256, fields->sha256, sizeof row->sha256);
    row->der_size = (uint16_t)der.n;
    memcpy(row->der, der.p, der.n);
    err = fr_authority_certify(r->change, row, r->diag);
    if (err || r->dry_run) goto out;
    err = fr_cert_write_pem(cert, &pem);
    if (!err) err = fr_ca_path(r->dir, name, "pem", path);
    if (!err) err = fr_file_write(path, 0600, fr_buf_span(&pem), r->diag);
out:
    fr_buf_deinit(&pem);
    fr_free(row);
    return err;
}

enum fr_err fr_rotate_install(const struct fr_rotation *r, struct fr_span der,
                              char name[FR_HOST_MAX + 1])
{
    struct fr_cert *cert = NULL;
    struct fr_cert_fields fields;
    struct by_key k = {0};
    enum fr_err err = fr_cert_parse(der, &cert);

    if (!err) err = fr_cert_read_fields(cert, &fields);
    if (err) {
        err = fr_diag_fail(r->diag, err, "this is not a certificate");
        goto out;
    }
    memcpy(k.spki, fields.spki_sha256, sizeof k.spki);
    err = fr_authority_each(fr_change_snap(r->change), match_key, &k);
    if (!err && !k.is_found) {
        err = fr_diag_fail(r->diag, FR_E_CONFLICT,
                           "no issuing CA that is prepared here has the key of this certificate");
        fr_diag_hint(r->diag, "fedroam ca list");
    }
    if (!err) err = check_certificate(r, cert, &fields, k.name);
    if (!err) err = enter(r, cert, &fields, der, k.name);
    if (!err) memcpy(name, k.name, sizeof k.name);
out:
    fr_cert_free(cert);
    return err;
}

/* --- activate, taint, retire --- */

static enum fr_err check_dates(const struct fr_rotation *r, const struct fr_authority_row *row)
{
    const int64_t now_s = fr_change_now(r->change);
    char when[FR_TIME_TEXT];

    if (row->not_before_s <= now_s && now_s < row->not_after_s) return FR_OK;
    const bool is_early = now_s < row->not_before_s;
    fr_time_print(is_early ? row->not_before_s : row->not_after_s, when);
    return fr_diag_fail(r->diag, FR_E_EXPIRED, "%s %s %s", row->name,
                        is_early ? "is not valid before" : "was valid until", when);
}

static enum fr_err check_signs(const struct fr_rotation *r, const struct fr_authority_row *row)
{
    struct fr_cert *root = NULL;
    enum fr_err err = load_root(r->dir, r->diag, &root);

    if (!err) err = fr_ca_signer_load(r->dir, row, root, r->passphrase, r->diag, NULL);
    fr_cert_free(root);
    return err;
}

enum fr_err fr_rotate_activate(const struct fr_rotation *r, const char *name,
                               char before[FR_HOST_MAX + 1])
{
    struct fr_authority_row row;
    char last[FR_HOST_MAX + 1] = "";
    enum fr_err err = find(r, name, &row);

    if (err) return err;
    if (row.state == FR_AUTHORITY_READY) {
        err = check_dates(r, &row);
        if (!err) err = check_signs(r, &row);
        if (err) return err;
        err = fr_ca_find_active(fr_change_snap(r->change), NULL, last);
        if (err != FR_OK && err != FR_E_NOT_FOUND) return err;
        err = last[0] == '\0'
                  ? FR_OK
                  : fr_authority_set_state(r->change, last, FR_AUTHORITY_TAINTED, 0, r->diag);
    }
    if (!err) err = fr_authority_set_state(r->change, name, FR_AUTHORITY_ACTIVE, 0, r->diag);
    if (err == FR_E_CONFLICT && row.state == FR_AUTHORITY_PREPARED)
        fr_diag_hint(r->diag, "the root must sign ca/%s.csr first: fedroam ca root sign", name);
    if (!err) memcpy(before, last, sizeof last);
    return err;
}

enum fr_err fr_rotate_taint(const struct fr_rotation *r, const char *name)
{
    struct fr_authority_row row;
    enum fr_err err = find(r, name, &row);

    return err ? err : fr_authority_set_state(r->change, name, FR_AUTHORITY_TAINTED, 0, r->diag);
}

enum fr_err fr_rotate_retire(const struct fr_rotation *r, const char *name, bool force,
                             uint64_t *live)
{
    struct fr_authority_row row;
    struct fr_authority_load load = {0};
    char until[FR_TIME_TEXT];
    enum fr_err err = find(r, name, &row);

    if (!err)
        err = fr_authority_load(fr_change_snap(r->change), name, fr_change_now(r->change), &load);
    if (err) return err;
    if (load.live > 0 && !force && row.state == FR_AUTHORITY_TAINTED) {
        fr_time_print(load.last_s, until);
        (void)fr_diag_fail(r->diag, FR_E_CONFLICT,
                           "%llu certificates below %s are alive, the last (of %s) until %s",
                           (unsigned long long)load.live, name,
                           load.last_member[0] != '\0' ? load.last_member : "the broker", until);
        fr_diag_hint(r->diag, "wait until they are renewed, or take them away with --force");
        return FR_E_CONFLICT;
    }
    err = fr_authority_set_state(r->change, name, FR_AUTHORITY_RETIRED, 0, r->diag);
    if (err == FR_E_CONFLICT && row.state == FR_AUTHORITY_ACTIVE)
        fr_diag_hint(r->diag, "activate its successor, or taint it, before");
    if (!err) *live = load.live;
    return err;
}

/* --- the root's list --- */

struct taking {
    const struct fr_crl_entry *entry;
    bool is_found;
    char name[FR_HOST_MAX + 1];
};

static enum fr_err match_serial(void *data, const struct fr_authority_row *row)
{
    struct taking *t = data;
    struct fr_cert *cert = NULL;
    struct fr_cert_fields fields;

    if (row->kind != FR_AUTHORITY_ISSUING || row->der_size == 0 ||
        row->state == FR_AUTHORITY_REVOKED)
        return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err) err = fr_cert_read_fields(cert, &fields);
    fr_cert_free(cert);
    if (err) return err;
    if (fields.serial_len != sizeof t->entry->serial ||
        memcmp(fields.serial, t->entry->serial, fields.serial_len) != 0)
        return FR_OK;
    t->is_found = true;
    memcpy(t->name, row->name, sizeof t->name);
    return FR_OK;
}

struct naming {
    const struct fr_rotation *r;
    struct fr_revoked_names *out;
};

static enum fr_err take_entry(void *data, const struct fr_crl_entry *entry)
{
    struct naming *n = data;
    struct taking t = {.entry = entry};
    enum fr_err err = fr_authority_each(fr_change_snap(n->r->change), match_serial, &t);

    if (err || !t.is_found) return err; /* one that was taken out before, or never came here */
    if (n->out->n == FR_CA_SIGNERS_MAX) return FR_E_LIMIT;
    memcpy(n->out->names[n->out->n++], t.name, sizeof t.name);
    return fr_authority_set_state(n->r->change, t.name, FR_AUTHORITY_REVOKED, entry->cause,
                                  n->r->diag);
}

enum fr_err fr_rotate_take_list(const struct fr_rotation *r, struct fr_span der,
                                struct fr_revoked_names *out)
{
    struct naming n = {r, out};

    return fr_crl_each(der, take_entry, &n);
}

/* --- sweep --- */

struct sweeping {
    const char *name;
    size_t max;
    struct fr_buf serials;
};

static enum fr_err collect(void *data, const struct fr_cert_row *row)
{
    struct sweeping *s = data;

    if (s->serials.n / FR_SERIAL_SIZE == s->max || row->status == FR_CERT_REVOKED ||
        strcmp(row->authority, s->name) != 0)
        return FR_OK;
    fr_buf_add(&s->serials, row->serial, FR_SERIAL_SIZE);
    return fr_buf_err(&s->serials);
}

enum fr_err fr_rotate_sweep(struct fr_change *change, const char *name, size_t max, uint8_t cause,
                            struct fr_diag *diag, size_t *n)
{
    struct sweeping s = {name, max, FR_BUF_INIT(max * FR_SERIAL_SIZE)};
    enum fr_err err = fr_cert_row_each_ending(fr_change_snap(change), fr_change_now(change),
                                              INT64_MAX, collect, &s);

    for (size_t at = 0; !err && at < s.serials.n; at += FR_SERIAL_SIZE)
        err = fr_cert_row_revoke(change, s.serials.p + at, cause, diag);
    if (!err) *n = s.serials.n / FR_SERIAL_SIZE;
    fr_buf_deinit(&s.serials);
    return err;
}
