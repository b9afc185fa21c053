/* enrol.token, enrol.renew, enrol.extend: what members do by themselves, by way of EST */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/base64.h"
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

static enum fr_err put_enrolled(struct fr_op_ctx *ctx, const struct fr_enrolled *enrolled)
{
    const struct fr_cert_row *row = &enrolled->row;
    struct fr_store_info info;
    struct fr_buf text = FR_BUF_INIT(2 * FR_CERT_MAX);
    enum fr_err err = fr_store_read_info(ctx->store, &info);
    if (!err) err = fr_base64_print(fr_buf_span(&enrolled->der), &text);
    if (err) goto out;
    if (!enrolled->is_repeat) *ctx->sequence = info.sequence;
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, ctx->result, "profile", json_string(fr_profile_text(row->profile)));
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "not_after", fr_op_time(row->not_after_s));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!enrolled->is_repeat));
    fr_op_put(ctx, ctx->result, "certificate", json_stringn((const char *)text.p, text.n));
out:
    fr_buf_deinit(&text);
    return err;
}

/* The secret's digest comes in front of the body, where no audit trail repeats it. */
static enum fr_err run_token(struct fr_op_ctx *ctx, struct fr_ca *ca, const struct enrol_args *args,
                             struct fr_enrolled *out)
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
    return fr_ca_enrol_token(ca, ctx->store, &ctx->by, &request, ctx->diag, out);
}

typedef enum fr_err (*holder_fn)(struct fr_ca *ca, struct fr_store *store,
                                 const struct fr_change_by *by, const struct fr_enrol_cert *request,
                                 struct fr_diag *diag, struct fr_enrolled *out);

static enum fr_err run_holder(struct fr_op_ctx *ctx, struct fr_ca *ca,
                              const struct enrol_args *args, holder_fn holder,
                              struct fr_enrolled *out)
{
    struct fr_enrol_cert request = {.has_profile = args->profile != NULL, .csr = ctx->body};
    memcpy(request.serial, args->serial.b, sizeof request.serial);
    ctx->by.serial = request.serial;
    if (args->profile) {
        enum fr_err err = fr_op_parse_profile(ctx, args->profile, &request.profile);
        if (err) return err;
    }
    enum fr_err err = holder(ca, ctx->store, &ctx->by, &request, ctx->diag, out);
    ctx->by.serial = NULL;
    return err;
}

/* holder NULL: with a token. */
static enum fr_err enrol(struct fr_op_ctx *ctx, const struct fr_arg *rows, holder_fn holder)
{
    struct enrol_args args = {0};
    struct fr_enrolled enrolled = FR_ENROLLED_INIT;
    struct fr_ca *ca = NULL;
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_op_ca(ctx, &ca);
    if (!err)
        err = holder ? run_holder(ctx, ca, &args, holder, &enrolled)
                     : run_token(ctx, ca, &args, &enrolled);
    if (!err) err = put_enrolled(ctx, &enrolled);
    fr_enrolled_deinit(&enrolled);
    return err;
}

enum fr_err fr_op_enrol_begin(struct fr_op_ctx *ctx, void **state)
{
    *state = NULL;
    return ctx->dry_run ? fr_diag_fail(ctx->diag, FR_E_INVALID, "enrolment has no trial run")
                        : FR_OK;
}

enum fr_err fr_op_enrol_token_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    (void)state;
    (void)budget_ms; /* two commits and a signature are short */
    *done = true;
    return enrol(ctx, token_rows, NULL);
}

enum fr_err fr_op_enrol_renew_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    (void)state;
    (void)budget_ms;
    *done = true;
    return enrol(ctx, cert_rows, fr_ca_renew);
}

enum fr_err fr_op_enrol_extend_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done)
{
    (void)state;
    (void)budget_ms;
    *done = true;
    return enrol(ctx, cert_rows, fr_ca_extend);
}
