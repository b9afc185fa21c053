/* enrol.token, enrol.renew, enrol.extend: what members do by themselves, by way of EST */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/base64.h"
#include "base/mem.h"
#include "ca/enrol.h"

#include <string.h>

struct enrol_args {
    struct fr_arg_serial token, serial;
    const char *profile;
};

static const struct fr_arg token_rows[] = {
    {.key = "token", FR_ARG_SERIAL, offsetof(struct enrol_args, token), .is_required = true},
    {.key = "profile", FR_ARG_TEXT, offsetof(struct enrol_args, profile)},
    {.key = NULL},
};

static const struct fr_arg cert_rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct enrol_args, serial), .is_required = true},
    {.key = "profile", FR_ARG_TEXT, offsetof(struct enrol_args, profile)},
    {.key = NULL},
};

/* One enrolment from intend to finish. */
struct enrolling {
    struct fr_ca *ca;
    struct fr_enrolment enrolment;
};

/* What the audit trail tells of a certificate, before and after it is signed. */
static void note_row(struct fr_op_ctx *ctx, const struct fr_cert_row *row)
{
    fr_op_note(ctx, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_note(ctx, "profile", json_string(fr_profile_text(row->profile)));
    fr_op_note(ctx, "member", json_string(row->member));
    fr_op_note(ctx, "spki", fr_op_hex(row->spki, sizeof row->spki));
}

static enum fr_err put_enrolled(struct fr_op_ctx *ctx, const struct fr_enrolled *enrolled)
{
    const struct fr_cert_row *row = &enrolled->row;
    struct fr_buf text = FR_BUF_INIT(2 * FR_CERT_MAX);
    enum fr_err err = fr_base64_print(fr_buf_span(&enrolled->der), &text);
    if (err) goto out;
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, ctx->result, "profile", json_string(fr_profile_text(row->profile)));
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "not_after", fr_op_time(row->not_after_s));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!enrolled->is_repeat));
    fr_op_put(ctx, ctx->result, "certificate", json_stringn((const char *)text.p, text.n));
    note_row(ctx, row);
    fr_op_note(ctx, "sha256", fr_op_hex(row->sha256, sizeof row->sha256));
    if (!enrolled->is_repeat)
        fr_op_note(ctx, "certificate", json_stringn((const char *)text.p, text.n));
out:
    fr_buf_deinit(&text);
    return err;
}

/* The secret's digest comes in front of the body, where no audit trail repeats it. */
static enum fr_err intend_token(struct fr_op_ctx *ctx, const struct enrol_args *args,
                                struct enrolling *e)
{
    struct fr_enrol_token request = {.has_profile = args->profile != NULL};
    if (ctx->body.n < FR_DIGEST_SIZE)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "digest and request are needed as body");
    memcpy(request.id, args->token.b, sizeof request.id);
    memcpy(request.secret, ctx->body.p, FR_DIGEST_SIZE);
    request.csr = fr_span(ctx->body.p + FR_DIGEST_SIZE, ctx->body.n - FR_DIGEST_SIZE);
    if (args->profile) {
        enum fr_err err = fr_op_parse_profile(ctx, args->profile, &request.profile);
        if (err) return err;
    }
    return fr_ca_enrol_token_intend(e->ca, ctx->change, &request, ctx->diag, &e->enrolment);
}

typedef enum fr_err (*holder_fn)(struct fr_ca *ca, struct fr_change *change,
                                 const struct fr_enrol_cert *request, struct fr_diag *diag,
                                 struct fr_enrolment *enrolment);

static enum fr_err intend_holder(struct fr_op_ctx *ctx, const struct enrol_args *args,
                                 holder_fn holder, struct enrolling *e)
{
    struct fr_enrol_cert request = {.has_profile = args->profile != NULL, .csr = ctx->body};
    memcpy(request.serial, args->serial.b, sizeof request.serial);
    if (args->profile) {
        enum fr_err err = fr_op_parse_profile(ctx, args->profile, &request.profile);
        if (err) return err;
    }
    return holder(e->ca, ctx->change, &request, ctx->diag, &e->enrolment);
}

/* holder NULL: with a token. */
static enum fr_err intend(struct fr_op_ctx *ctx, const struct fr_arg *rows, holder_fn holder,
                          void **state, bool *to_sign)
{
    struct enrol_args args = {0};
    if (ctx->dry_run) return fr_diag_fail(ctx->diag, FR_E_INVALID, "enrolment has no trial run");
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    struct enrolling *e = fr_calloc(1, sizeof *e);
    if (!e) return FR_E_NOMEM;
    e->enrolment = (struct fr_enrolment)FR_ENROLMENT_INIT;
    *state = e;
    err = fr_op_ca(ctx, &e->ca);
    if (!err) err = holder ? intend_holder(ctx, &args, holder, e) : intend_token(ctx, &args, e);
    if (err) return err;
    *to_sign = e->enrolment.step == FR_ENROL_ISSUE;
    if (*to_sign) note_row(ctx, &e->enrolment.issue.row);
    return FR_OK;
}

enum fr_err fr_op_enrol_token_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign)
{
    return intend(ctx, token_rows, NULL, state, to_sign);
}

enum fr_err fr_op_enrol_renew_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign)
{
    return intend(ctx, cert_rows, fr_ca_renew_intend, state, to_sign);
}

enum fr_err fr_op_enrol_extend_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign)
{
    return intend(ctx, cert_rows, fr_ca_extend_intend, state, to_sign);
}

enum fr_err fr_op_enrol_sign(struct fr_op_ctx *ctx, void *state)
{
    struct enrolling *e = state;
    enum fr_err err = fr_ca_enrol_sign(e->ca, ctx->by.now_s, ctx->diag, &e->enrolment);
    if (err || e->enrolment.step != FR_ENROL_REPEAT) return err;
    return put_enrolled(ctx, &e->enrolment.out);
}

enum fr_err fr_op_enrol_finish(struct fr_op_ctx *ctx, void *state)
{
    struct enrolling *e = state;
    enum fr_err err = fr_ca_enrol_finish(ctx->change, ctx->diag, &e->enrolment);
    return err ? err : put_enrolled(ctx, &e->enrolment.out);
}

void fr_op_enrol_end(void *state)
{
    struct enrolling *e = state;
    fr_enrolment_deinit(&e->enrolment);
    fr_free(e);
}
