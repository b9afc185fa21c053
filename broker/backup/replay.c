#include "backup/restore.h"

#include "admin/audit_read.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json_out.h"
#include "store/limits.h"
#include "x509/cert.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPS_MAX 64
#define ARGS_MAX 4096

enum fr_replay_kind fr_replay_kind_of(const char *op)
{
    static const struct {
        const char *op;
        enum fr_replay_kind kind;
    } kinds[] = {
        {"member.add", FR_REPLAY_AGAIN},
        {"member.set", FR_REPLAY_AGAIN},
        {"member.suspend", FR_REPLAY_AGAIN},
        {"member.resume", FR_REPLAY_AGAIN},
        {"member.remove", FR_REPLAY_AGAIN},
        {"network.set", FR_REPLAY_AGAIN},
        {"network.suspend", FR_REPLAY_AGAIN},
        {"network.resume", FR_REPLAY_AGAIN},
        {"joineui.add", FR_REPLAY_AGAIN},
        {"joineui.remove", FR_REPLAY_AGAIN},
        {"visibility.set", FR_REPLAY_AGAIN},
        {"policy.set", FR_REPLAY_AGAIN},
        {"block.add", FR_REPLAY_AGAIN},
        {"block.remove", FR_REPLAY_AGAIN},
        {"cert.revoke", FR_REPLAY_AGAIN},
        {"cert.set", FR_REPLAY_AGAIN},
        {"ca.taint", FR_REPLAY_AGAIN},
        {"ca.retire", FR_REPLAY_AGAIN},
        {"grace.close", FR_REPLAY_AGAIN},
        {"cert.issue", FR_REPLAY_ADOPT},
        {"enrol.token", FR_REPLAY_ADOPT},
        {"enrol.renew", FR_REPLAY_ADOPT},
        {"enrol.extend", FR_REPLAY_ADOPT},
        {"member.leave", FR_REPLAY_REVOKE},
        {"token.create", FR_REPLAY_NOTHING},
        {"token.revoke", FR_REPLAY_NOTHING},
        {"token.approve", FR_REPLAY_NOTHING},
        {"cert.note", FR_REPLAY_NOTHING},
        {"crl.publish", FR_REPLAY_NOTHING},
        {"server.renew", FR_REPLAY_NOTHING},
        {"clock.accept", FR_REPLAY_NOTHING},
        {"grace.open", FR_REPLAY_NOTHING},
        {"ca.init", FR_REPLAY_NOTHING},
        {"audit.begin", FR_REPLAY_NOTHING},
        {"audit.rotate", FR_REPLAY_NOTHING},
        {"audit.torn", FR_REPLAY_NOTHING},
        {"audit.lost", FR_REPLAY_NOTHING},
        {"journal.trim", FR_REPLAY_NOTHING},
        {"zone.note", FR_REPLAY_NOTHING},
        {"restore.begin", FR_REPLAY_NOTHING},
        {"zone.primary.refresh", FR_REPLAY_NOTHING},
        {"approval.approve", FR_REPLAY_NOTHING},
        {"approval.refuse", FR_REPLAY_NOTHING},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(op, kinds[i].op) == 0) return kinds[i].kind;
    return FR_REPLAY_LEAVE;
}

/* --- does it fit --- */

struct fitting {
    const struct fr_backup_manifest *manifest;
    uint64_t first, last;
    bool is_seen, is_other;
};

static enum fr_err fit_seen(void *data, const struct fr_audit_seen *seen)
{
    struct fitting *f = data;
    const struct fr_backup_manifest *m = f->manifest;
    if (!seen->is_line) return FR_OK;
    if (f->first == 0) {
        f->first = seen->line.link.seq;
        if (f->first == m->audit_seq + 1) {
            f->is_seen = true;
            f->is_other = memcmp(seen->line.prev, m->audit_hash, sizeof m->audit_hash) != 0;
        }
    }
    if (seen->line.link.seq == m->audit_seq) {
        f->is_seen = true;
        f->is_other = memcmp(seen->line.link.hash, m->audit_hash, sizeof m->audit_hash) != 0;
    }
    f->last = seen->line.link.seq;
    return FR_OK;
}

struct faults {
    uint64_t n, number;
    char what[256];
};

static void note_fault(void *data, uint64_t number, const char *what)
{
    struct faults *faults = data;
    faults->n++;
    faults->number = number;
    if (faults->n == 1) (void)snprintf(faults->what, sizeof faults->what, "%s", what);
}

static bool ends_in_a_line(const char *path)
{
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const off_t size = lseek(fd, 0, SEEK_END);
    if (size > 0 && pread(fd, &last, 1, size - 1) != 1) last = '\0';
    (void)close(fd);
    return last == '\n';
}

enum fr_err fr_replay_check(const char *trail, const struct fr_backup_manifest *manifest,
                            struct fr_diag *diag)
{
    struct fr_audit_verdict verdict;
    struct faults faults = {0};
    struct fitting fit = {.manifest = manifest};
    enum fr_err err = fr_audit_check(trail, NULL, note_fault, &faults, diag, &verdict);
    if (err) return err;
    /* A machine that died may have cut its last line. */
    const bool is_cut = faults.n == 1 && faults.number == verdict.lines && !ends_in_a_line(trail);
    if (faults.n > 0 && !is_cut)
        return fr_diag_fail(diag, FR_E_CONFLICT, "%s, line %" PRIu64 ": %s", trail, faults.number,
                            faults.what);
    err = fr_audit_walk_file(trail, fit_seen, diag, &fit);
    if (err) return err;
    if (fit.is_other)
        return fr_diag_fail(diag, FR_E_CONFLICT,
                            "%s is not the trail of the federation that was backed up: record "
                            "%" PRIu64 " is another one",
                            trail, manifest->audit_seq);
    if (manifest->audit_seq == 0 ? fit.first > 1 : !fit.is_seen) {
        (void)fr_diag_fail(diag, FR_E_CONFLICT,
                           "%s has records %" PRIu64 " to %" PRIu64
                           ", the backup was made after record %" PRIu64,
                           trail, fit.first, fit.last, manifest->audit_seq);
        fr_diag_hint(diag,
                     "it must go on from there; put rotated files in front: cat audit-*.jsonl "
                     "audit.jsonl");
        return FR_E_CONFLICT;
    }
    return FR_OK;
}

/* --- doing it again --- */

struct replay {
    const struct fr_replay_options *options;
    struct fr_restore_report *report;
    uint64_t until; /* records behind it are what this very replay adds */
    int64_t last_s;
    size_t n_ops; /* of those that are left to a person */
    struct {
        char op[FR_AUDIT_OP_MAX + 1];
        uint64_t n, last;
    } ops[OPS_MAX];
};

static void leave(struct replay *r, uint64_t record, const char *op, const char *why)
{
    r->report->left++;
    r->options->fn(r->options->data, record, op, why);
}

/* There may be millions of them: told by kind, in the end. */
static void leave_kind(struct replay *r, uint64_t record, const char *op)
{
    size_t i = 0;
    while (i < r->n_ops && strcmp(r->ops[i].op, op) != 0) i++;
    if (i == OPS_MAX) return;
    if (i == r->n_ops) (void)snprintf(r->ops[r->n_ops++].op, sizeof r->ops[i].op, "%s", op);
    r->ops[i].n++;
    r->ops[i].last = record;
}

static enum fr_err call(struct replay *r, uint64_t record, const struct fr_admin_request *request,
                        const char *why, struct fr_diag *diag, struct fr_admin_reply **reply)
{
    char reason[FR_REASON_MAX + 1];
    struct fr_admin_request again = *request;
    (void)snprintf(reason, sizeof reason, "restored from record %" PRIu64 "%s%.100s", record,
                   why ? ": " : "", why ? why : "");
    again.reason = reason;
    again.is_repeated = true;
    again.passphrase = r->options->keys;
    return fr_admin_call(r->options->state, &again, diag, reply);
}

/* What is so already, because the store was copied a moment after the manifest was written, is fine. */
static void settle(struct replay *r, uint64_t record, const char *op, enum fr_err err,
                   const struct fr_diag *diag)
{
    if (err && err != FR_E_EXISTS)
        leave(r, record, op, diag->what[0] ? diag->what : fr_err_text(err));
}

static void do_again(struct replay *r, uint64_t record, const char *op, const json_t *line)
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    const char *args = json_string_value(json_object_get(line, "args"));
    const struct fr_admin_request request = {.op = op, .args = args};
    if (!args || json_object_get(line, "body_bytes")) {
        leave(r, record, op, "the record does not have all of it");
        return;
    }
    enum fr_err err = call(r, record, &request, json_string_value(json_object_get(line, "reason")),
                           &diag, &reply);
    if (!err && fr_admin_reply_bool(reply, "changed")) {
        r->report->again++;
        r->report->revoked += fr_admin_reply_uint(reply, "revoked", 0);
    }
    settle(r, record, op, err, &diag);
    fr_admin_reply_free(reply);
}

static void adopt(struct replay *r, uint64_t record, const char *op, const json_t *line)
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    const json_t *result = json_object_get(line, "result");
    const char *text = json_string_value(json_object_get(result, "certificate"));
    enum fr_err err = text ? fr_base64_parse(fr_span_str(text), &der) : FR_E_NOT_FOUND;
    if (err) {
        leave(r, record, op, "the certificate is not in the record");
        goto out;
    }
    const struct fr_admin_request request = {.op = "cert.adopt", .body = fr_buf_span(&der)};
    err = call(r, record, &request, NULL, &diag, &reply);
    if (!err && fr_admin_reply_bool(reply, "changed")) r->report->adopted++;
    settle(r, record, op, err == FR_E_EXPIRED ? FR_OK : err, &diag);
out:
    fr_admin_reply_free(reply);
    fr_buf_deinit(&der);
}

static void revoke_one(struct replay *r, uint64_t record, const char *op, const char *serial)
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    fr_json_object(&json);
    fr_json_put_str(&json, "serial", serial);
    fr_json_put_str(&json, "cause", "cessation-of-operation");
    fr_json_end(&json);
    const struct fr_admin_request request = {.op = "cert.revoke", .args = fr_buf_str(&args)};
    enum fr_err err = call(r, record, &request, NULL, &diag, &reply);
    if (!err) r->report->revoked += fr_admin_reply_uint(reply, "revoked", 0);
    settle(r, record, op, err, &diag);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
}

static void revoke_all(struct replay *r, uint64_t record, const char *op, const json_t *line)
{
    const json_t *serials = json_object_get(json_object_get(line, "result"), "revoked");
    const json_t *serial;
    size_t i;
    json_array_foreach((json_t *)serials, i, serial)
    {
        if (json_is_string(serial)) revoke_one(r, record, op, json_string_value(serial));
    }
}

static void replay_line(struct replay *r, const struct fr_audit_seen *seen, const json_t *line)
{
    const uint64_t record = seen->line.link.seq;
    const char *op = json_string_value(json_object_get(line, "op"));
    const char *outcome = json_string_value(json_object_get(line, "outcome"));
    if (!op || !outcome || strcmp(outcome, "done") != 0) return;
    if (json_is_true(json_object_get(line, "dry_run"))) return;
    switch (fr_replay_kind_of(op)) {
    case FR_REPLAY_NOTHING: break;
    case FR_REPLAY_AGAIN: do_again(r, record, op, line); break;
    case FR_REPLAY_ADOPT: adopt(r, record, op, line); break;
    case FR_REPLAY_REVOKE: revoke_all(r, record, op, line); break;
    case FR_REPLAY_LEAVE: leave_kind(r, record, op); break;
    }
}

static enum fr_err replay_seen(void *data, const struct fr_audit_seen *seen)
{
    struct replay *r = data;
    if (!seen->is_line || seen->line.link.seq > r->until) return FR_OK;
    if (seen->line.when_s > r->last_s) r->last_s = seen->line.when_s;
    if (seen->line.link.seq <= r->options->manifest->audit_seq) return FR_OK;
    json_t *line =
        json_loadb((const char *)seen->text.p, seen->text.n, JSON_REJECT_DUPLICATES, NULL);
    if (line) replay_line(r, seen, line);
    json_decref(line);
    return FR_OK;
}

static enum fr_err find_last(void *data, const struct fr_audit_seen *seen)
{
    uint64_t *last = data;
    if (seen->is_line) *last = seen->line.link.seq;
    return FR_OK;
}

enum fr_err fr_replay_trail(const struct fr_replay_options *options, struct fr_diag *diag,
                            struct fr_restore_report *report, int64_t *last_s)
{
    struct replay r = {.options = options, .report = report};
    enum fr_err err = fr_audit_walk_file(options->trail, find_last, diag, &r.until);
    if (!err) err = fr_audit_walk_file(options->trail, replay_seen, diag, &r);
    for (size_t i = 0; !err && i < r.n_ops; i++) {
        char why[96];
        (void)snprintf(why, sizeof why, "%" PRIu64 " of these since the backup: to be made again",
                       r.ops[i].n);
        leave(&r, r.ops[i].last, r.ops[i].op, why);
    }
    if (!err) *last_s = r.last_s;
    return err;
}

struct latest {
    uint64_t sequence;
    int64_t when_s;
};

static enum fr_err see_latest(void *data, const struct fr_audit_seen *seen)
{
    struct latest *latest = data;
    if (!seen->is_line) return FR_OK;
    if (seen->line.sequence > latest->sequence) latest->sequence = seen->line.sequence;
    if (seen->line.when_s > latest->when_s) latest->when_s = seen->line.when_s;
    return FR_OK;
}

enum fr_err fr_replay_find_last(const char *trail, struct fr_diag *diag, uint64_t *sequence,
                                int64_t *when_s)
{
    struct latest latest = {*sequence, *when_s};
    enum fr_err err = fr_audit_walk_file(trail, see_latest, diag, &latest);
    if (err) return err;
    *sequence = latest.sequence;
    *when_s = latest.when_s;
    return FR_OK;
}
