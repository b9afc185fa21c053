#include "backup/backup.h"

#include "admin/audit.h"
#include "admin/audit_read.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/authority.h"
#include "store/check.h"
#include "store/feed.h"
#include "x509/cert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct checking {
    const char *dir;
    const struct fr_passphrase *passphrase;
    fr_backup_fault_fn fn;
    void *data;
    struct fr_cert *root;
    int64_t now_s;
    bool has_active;
    struct fr_backup_report report;
};

static void fault(struct checking *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct checking *c, const char *fmt, ...)
{
    char what[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    c->report.faults++;
    c->fn(c->data, what);
}

/* --- store --- */

static void tell_finding(void *data, const struct fr_finding *finding)
{
    struct checking *c = data;
    if (finding->kind == FR_FINDING_DAMAGE) {
        fault(c, "store: %s", finding->what);
        return;
    }
    c->report.warnings++;
    c->fn(c->data, finding->what);
}

static enum fr_err check_rows(struct checking *c, struct fr_snap *snap,
                              const struct fr_backup_manifest *manifest)
{
    struct fr_check_report rows;
    enum fr_err err = fr_check_store(snap, tell_finding, c, &rows);
    if (err) return err;
    c->report.devices = rows.devices;
    c->report.members = rows.members;
    c->report.certs = rows.certs;
    /* The store was copied a moment after the manifest was written: it may have more. */
    if (fr_snap_sequence(snap) < manifest->sequence)
        fault(c, "the store ends at change %llu, the backup says %llu",
              (unsigned long long)fr_snap_sequence(snap), (unsigned long long)manifest->sequence);
    return FR_OK;
}

/* --- keys --- */

static enum fr_err check_authority(void *data, const struct fr_authority_row *row)
{
    struct checking *c = data;
    struct fr_ca_signer signer = {0};
    struct fr_diag diag = {0};
    if (!fr_ca_row_signs_lists(row, c->now_s)) return FR_OK;
    enum fr_err err = fr_ca_signer_load(c->dir, row, c->root, c->passphrase, &diag, &signer);
    if (err == FR_OK) {
        c->report.keys++;
        c->has_active |= row->state == FR_AUTHORITY_ACTIVE;
        fr_ca_signer_deinit(&signer);
    } else if (err == FR_E_UNAVAILABLE) {
        c->report.locked++;
        c->has_active |= row->state == FR_AUTHORITY_ACTIVE;
    } else {
        fault(c, "issuing CA %s: %s", row->name, diag.what[0] ? diag.what : fr_err_text(err));
    }
    return FR_OK;
}

static enum fr_err check_authorities(struct checking *c, struct fr_snap *snap)
{
    struct fr_authority_row root;
    struct fr_cert_fields fields;
    enum fr_err err = fr_authority_get(snap, "root", &root);
    if (err) return err;
    if (fr_cert_read_fields(c->root, &fields) ||
        memcmp(fields.sha256, root.sha256, sizeof fields.sha256) != 0)
        fault(c, "root.pem is not the root that the store knows");
    err = fr_authority_each(snap, check_authority, c);
    if (!err && !c->has_active) fault(c, "no issuing CA could sign");
    return err;
}

static void check_server(struct checking *c)
{
    struct fr_chain *chain = NULL;
    struct fr_key *key = NULL, *certified = NULL;
    char *chain_path = fr_path_join(c->dir, "server.chain.pem");
    char *key_path = fr_path_join(c->dir, "server.key");
    if (!chain_path || !key_path || fr_chain_load(chain_path, NULL, &chain) ||
        fr_key_load(key_path, NULL, &key) || fr_cert_dup_key(fr_chain_at(chain, 0), &certified) ||
        !fr_key_is_same(key, certified))
        fault(c, "the broker's key and certificate do not belong together");
    fr_key_free(certified);
    fr_key_free(key);
    fr_chain_free(chain);
    fr_free(chain_path);
    fr_free(key_path);
}

/* --- trail --- */

static void tell_line(void *data, uint64_t number, const char *what)
{
    fault(data, "audit trail, line %llu: %s", (unsigned long long)number, what);
}

static enum fr_err check_trail(struct checking *c, const struct fr_backup_manifest *manifest,
                               struct fr_diag *diag)
{
    struct fr_audit_verdict verdict = {0};
    char *path = fr_path_join(c->dir, FR_AUDIT_FILE);
    if (!path) return FR_E_NOMEM;
    enum fr_err err = FR_OK;
    if (fr_file_exists(path))
        err = fr_audit_check(path, NULL, tell_line, c, diag, &verdict);
    else if (manifest->audit_seq > 0)
        fault(c, "there is no audit trail in it");
    if (!err && verdict.lines > 0 && verdict.last_seq < manifest->audit_seq)
        fault(c, "the audit trail ends at record %llu, the backup says %llu",
              (unsigned long long)verdict.last_seq, (unsigned long long)manifest->audit_seq);
    c->report.audit_lines = verdict.lines;
    fr_free(path);
    return err;
}

static enum fr_err check_store(struct checking *c, const struct fr_backup_manifest *manifest,
                               struct fr_diag *diag)
{
    struct fr_store *store = NULL;
    struct fr_snap *snap = NULL;
    const struct fr_store_options options = {.dir = c->dir, .is_read_only = true};
    enum fr_err err = fr_store_open(&options, diag, &store);
    if (err) return err;
    if (strcmp(fr_store_federation(store), manifest->federation) != 0)
        fault(c, "the store is of federation %s, the backup says %s", fr_store_federation(store),
              manifest->federation);
    err = fr_snap_begin(store, &snap);
    if (!err) err = check_rows(c, snap, manifest);
    if (!err) err = check_authorities(c, snap);
    fr_snap_end(snap);
    fr_store_close(store);
    return err;
}

enum fr_err fr_backup_check(const char *dir, const struct fr_backup_manifest *manifest,
                            const struct fr_passphrase *passphrase, fr_backup_fault_fn fn,
                            void *data, struct fr_diag *diag, struct fr_backup_report *out)
{
    struct checking c = {
        .dir = dir, .passphrase = passphrase, .fn = fn, .data = data, .now_s = manifest->made_s};
    char *path = fr_path_join(dir, "root.pem");
    enum fr_err err = path ? fr_cert_load(path, diag, &c.root) : FR_E_NOMEM;
    if (!err) err = check_store(&c, manifest, diag);
    if (!err) err = check_trail(&c, manifest, diag);
    if (!err) check_server(&c);
    fr_cert_free(c.root);
    fr_free(path);
    if (!err) *out = c.report;
    return err;
}
