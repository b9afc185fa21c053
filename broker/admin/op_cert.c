/* cert.issue, cert.set */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/base64.h"
#include "base/mem.h"
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

/* What the audit trail tells of it, before and after it is signed. */
static void note_row(struct fr_op_ctx *ctx, const struct fr_cert_row *row)
{
    fr_op_note(ctx, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_note(ctx, "profile", json_string(fr_profile_text(row->profile)));
    if (row->member[0]) fr_op_note(ctx, "member", json_string(row->member));
    fr_op_note(ctx, "spki", fr_op_hex(row->spki, sizeof row->spki));
}

static enum fr_err note_certificate(struct fr_op_ctx *ctx, const struct fr_cert *cert)
{
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX), text = FR_BUF_INIT(2 * FR_CERT_MAX);
    enum fr_err err = fr_cert_write_der(cert, &der);
    if (!err) err = fr_base64_print(fr_buf_span(&der), &text);
    if (!err) fr_op_note(ctx, "certificate", json_stringn((const char *)text.p, text.n));
    fr_buf_deinit(&text);
    fr_buf_deinit(&der);
    return err;
}

/* One certificate from intend to finish. */
struct issuing {
    struct issue_args args;
    struct fr_issue_request request; /* borrows from the arguments */
    struct fr_ca *ca;
    struct fr_issue issue;
};

static enum fr_err read_request(struct fr_op_ctx *ctx, struct issuing *i)
{
    if (ctx->body.n == 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "a certificate request (CSR) is needed as body");
    enum fr_err err = fr_args_decode(issue_rows, ctx->args, ctx->diag, &i->args);
    if (!err) err = request_of(ctx, &i->args, &i->request);
    return err ? err : fr_op_ca(ctx, &i->ca);
}

enum fr_err fr_op_cert_issue_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign)
{
    struct issuing *i = fr_calloc(1, sizeof *i);
    if (!i) return FR_E_NOMEM;
    *state = i;
    enum fr_err err = read_request(ctx, i);
    if (!err) err = fr_ca_intend(i->ca, ctx->change, &i->request, ctx->diag, &i->issue);
    if (err) return err;
    put_row(ctx, &i->request.subject, &i->issue.row);
    note_row(ctx, &i->issue.row);
    *to_sign = true;
    return FR_OK;
}

enum fr_err fr_op_cert_issue_sign(struct fr_op_ctx *ctx, void *state)
{
    struct issuing *i = state;
    return fr_ca_sign(i->ca, ctx->by.now_s, ctx->diag, &i->issue);
}

enum fr_err fr_op_cert_issue_finish(struct fr_op_ctx *ctx, void *state)
{
    struct issuing *i = state;
    const struct fr_cert_row *row = &i->issue.row;
    enum fr_err err = fr_ca_finish(ctx->change, ctx->diag, &i->issue);
    if (err) return err;
    put_row(ctx, &i->request.subject, row); /* the dates are the certificate's now */
    fr_op_put(ctx, ctx->result, "sha256", fr_op_hex(row->sha256, sizeof row->sha256));
    err = put_pem(ctx, &i->issue, i->ca);
    return err ? err : note_certificate(ctx, i->issue.cert);
}

void fr_op_cert_issue_end(void *state)
{
    struct issuing *i = state;
    fr_issue_deinit(&i->issue);
    fr_args_free(issue_rows, &i->args);
    fr_free(i);
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
