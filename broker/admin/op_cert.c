/* cert.issue, cert.revoke, cert.set */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "ca/issue.h"
#include "ca/revoke.h"
#include "x509/cert.h"

#define PEM_MAX (4 * FR_CERT_FILE_MAX)

struct issue_args {
    const char *profile, *member, *host;
    struct fr_arg_number netid, joineui, lifetime_s;
    struct fr_arg_texts rights;
};

static const struct fr_arg issue_rows[] = {
    {.key = "profile", FR_ARG_TEXT, offsetof(struct issue_args, profile), .is_required = true},
    {.key = "member", FR_ARG_TEXT, offsetof(struct issue_args, member)},
    {.key = "netid", FR_ARG_NETID, offsetof(struct issue_args, netid)},
    {.key = "joineui", FR_ARG_EUI, offsetof(struct issue_args, joineui)},
    {.key = "host", FR_ARG_TEXT, offsetof(struct issue_args, host)},
    {.key = "lifetime_s",
     FR_ARG_UINT,
     offsetof(struct issue_args, lifetime_s),
     .min = 1,
     .max = UINT32_MAX},
    {.key = "rights", FR_ARG_TEXTS, offsetof(struct issue_args, rights), .max = 6},
    {.key = NULL},
};

static enum fr_err request_of(struct fr_op_ctx *ctx, const struct issue_args *args,
                              struct fr_issue_request *out)
{
    struct fr_subject *subject = &out->subject;
    *out =
        (struct fr_issue_request){.csr = ctx->body, .lifetime_s = (uint32_t)args->lifetime_s.value};
    enum fr_err err = fr_op_parse_profile(ctx, args->profile, &subject->profile);
    if (err) return err;
    subject->member = args->member;
    subject->netid = (uint32_t)args->netid.value;
    subject->joineui = args->joineui.value;
    subject->host = args->host;
    return fr_op_parse_rights(ctx, &args->rights, &out->rights);
}

static enum fr_err put_pem(struct fr_op_ctx *ctx, const struct fr_issue *issue,
                           const struct fr_ca *ca)
{
    struct fr_buf pem = FR_BUF_INIT(PEM_MAX);
    enum fr_err err = fr_issue_write_chain(issue, ca, &pem);
    if (!err) fr_op_put(ctx, ctx->result, "chain", json_stringn((const char *)pem.p, pem.n));
    fr_buf_reset(&pem);
    if (!err) err = fr_cert_write_pem(fr_ca_root(ca), &pem);
    if (!err) fr_op_put(ctx, ctx->result, "root", json_stringn((const char *)pem.p, pem.n));
    fr_buf_deinit(&pem);
    return err;
}

static void put_row(struct fr_op_ctx *ctx, const struct fr_subject *subject,
                    const struct fr_cert_row *row)
{
    char id[FR_SUBJECT_ID_TEXT];
    json_t *names = json_array();
    fr_subject_print_id(subject, id);
    for (size_t i = 0; i < row->n_names; i++) fr_op_push(ctx, names, json_string(row->names[i]));
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, ctx->result, "profile", json_string(fr_profile_text(row->profile)));
    fr_op_put(ctx, ctx->result, "id", json_string(id));
    if (row->member[0]) fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "names", names);
    fr_op_put(ctx, ctx->result, "rights", fr_op_rights(ctx, row->rights));
    fr_op_put(ctx, ctx->result, "not_before", fr_op_time(row->not_before_s));
    fr_op_put(ctx, ctx->result, "not_after", fr_op_time(row->not_after_s));
}

/* What could be issued: the intent and the certificate, of which nothing is kept. */
static enum fr_err issue_dry(struct fr_op_ctx *ctx, struct fr_ca *ca,
                             const struct fr_issue_request *request, struct fr_issue *issue)
{
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_ca_intend(ca, change, request, ctx->diag, issue);
    fr_change_cancel(change);
    if (err) return err;
    put_row(ctx, &request->subject, &issue->row);
    return FR_OK;
}

static enum fr_err issue_real(struct fr_op_ctx *ctx, struct fr_ca *ca,
                              const struct fr_issue_request *request, struct fr_issue *issue)
{
    struct fr_store_info info;
    enum fr_err err = fr_ca_issue(ca, ctx->store, &ctx->by, request, ctx->diag, issue);
    if (!err) err = fr_store_read_info(ctx->store, &info);
    if (err) return err;
    *ctx->sequence = info.sequence;
    put_row(ctx, &request->subject, &issue->row);
    fr_op_put(ctx, ctx->result, "sha256", fr_op_hex(issue->row.sha256, sizeof issue->row.sha256));
    return put_pem(ctx, issue, ca);
}

/* Issuing makes two durable changes of its own (intent, then certificate), so it cannot be part of
 * a group. */
enum fr_err fr_op_cert_issue_begin(struct fr_op_ctx *ctx, void **state)
{
    *state = NULL;
    if (ctx->body.n == 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "a certificate request (CSR) is needed as body");
    return FR_OK;
}

enum fr_err fr_op_cert_issue_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                  bool *done)
{
    struct issue_args args = {0};
    struct fr_issue_request request;
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_ca *ca = NULL;
    (void)state;
    (void)budget_ms; /* two commits and a signature are short */
    *done = true;
    enum fr_err err = fr_args_decode(issue_rows, ctx->args, ctx->diag, &args);
    if (err) goto out;
    err = request_of(ctx, &args, &request);
    if (err) goto out;
    err = fr_op_ca(ctx, &ca);
    if (err) goto out;
    err =
        ctx->dry_run ? issue_dry(ctx, ca, &request, &issue) : issue_real(ctx, ca, &request, &issue);
out:
    fr_issue_deinit(&issue);
    fr_args_free(issue_rows, &args);
    return err;
}

/* --- cert.revoke --- */

struct revoke_args {
    struct fr_arg_serial serial;
    const char *member, *cause;
    struct fr_arg_number netid;
};

static const struct fr_arg revoke_rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct revoke_args, serial)},
    {.key = "member", FR_ARG_TEXT, offsetof(struct revoke_args, member)},
    {.key = "netid", FR_ARG_NETID, offsetof(struct revoke_args, netid)},
    {.key = "cause", FR_ARG_TEXT, offsetof(struct revoke_args, cause)},
    {.key = NULL},
};

enum fr_err fr_op_cert_revoke(struct fr_op_ctx *ctx)
{
    struct revoke_args args = {0};
    uint8_t cause = 0;
    size_t n = 0;
    enum fr_err err = fr_args_decode(revoke_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    if (args.serial.is_set + (args.member != NULL) + args.netid.is_set != 1)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "give one of serial, member and netid");
    if (args.cause) err = fr_revoke_cause_parse(args.cause, ctx->diag, &cause);
    if (err) return err;
    if (args.serial.is_set) {
        err = fr_ca_revoke(ctx->change, args.serial.b, cause, ctx->diag);
        n = !err && !fr_change_is_empty(ctx->change);
    } else if (args.member) {
        err = fr_ca_revoke_member(ctx->change, args.member, cause, ctx->diag, &n);
    } else {
        err = fr_ca_revoke_netid(ctx->change, (uint32_t)args.netid.value, cause, ctx->diag, &n);
    }
    if (err) return err;
    fr_op_put(ctx, ctx->result, "revoked", fr_op_uint(n));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return FR_OK;
}

/* --- cert.set --- */

struct set_args {
    struct fr_arg_serial serial;
    struct fr_arg_texts rights;
};

static const struct fr_arg set_rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct set_args, serial), .is_required = true},
    {.key = "rights",
     FR_ARG_TEXTS,
     offsetof(struct set_args, rights),
     .is_required = true,
     .max = 6},
    {.key = NULL},
};

enum fr_err fr_op_cert_set(struct fr_op_ctx *ctx)
{
    struct set_args args = {0};
    uint32_t rights = 0;
    enum fr_err err = fr_args_decode(set_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_op_parse_rights(ctx, &args.rights, &rights);
    if (!err) err = fr_ca_set_rights(ctx->change, args.serial.b, rights, ctx->diag);
    if (!err) {
        fr_op_put(ctx, ctx->result, "serial", fr_op_hex(args.serial.b, sizeof args.serial.b));
        fr_op_put(ctx, ctx->result, "rights", fr_op_rights(ctx, rights));
        fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    }
    fr_args_free(set_rows, &args);
    return err;
}
