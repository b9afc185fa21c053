/* cert.adopt, cert.note: certificates that verify and that the store does not know */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/hex.h"
#include "base/mem.h"
#include "ca/adopt.h"
#include "ca/profile.h"
#include "store/unknown.h"

#include <string.h>

struct adopt_args {
    struct fr_arg_serial serial;
    struct fr_arg_texts rights;
};

static const struct fr_arg adopt_rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct adopt_args, serial)},
    {.key = "rights", FR_ARG_TEXTS, offsetof(struct adopt_args, rights), .max = 6},
    {.key = NULL},
};

/* The one that was seen. */
static enum fr_err find_seen(struct fr_op_ctx *ctx, const uint8_t *serial,
                             struct fr_unknown_row *seen)
{
    enum fr_err err = fr_unknown_get(fr_change_snap(ctx->change), serial, seen);
    if (err == FR_E_NOT_FOUND || (!err && seen->der_size == 0)) {
        (void)fr_diag_fail(ctx->diag, FR_E_NOT_FOUND,
                           err ? "nobody has shown a certificate with that serial"
                               : "of that certificate only the fields were seen");
        fr_diag_hint(ctx->diag, "give the file: fedroam cert adopt FILE");
        return FR_E_NOT_FOUND;
    }
    return err;
}

static void put_adopted(struct fr_op_ctx *ctx, const struct fr_cert_row *row)
{
    const struct fr_subject subject = {.profile = row->profile,
                                       .member = row->member,
                                       .netid = row->netid,
                                       .joineui = row->joineui,
                                       .host = row->host};
    char id[FR_SUBJECT_ID_TEXT];
    fr_subject_print_id(&subject, id);
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, ctx->result, "profile", json_string(fr_profile_text(row->profile)));
    fr_op_put(ctx, ctx->result, "id", json_string(id));
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "rights", fr_op_rights(ctx, row->rights));
    fr_op_put(ctx, ctx->result, "not_after", fr_op_time(row->not_after_s));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

enum fr_err fr_op_cert_adopt(struct fr_op_ctx *ctx)
{
    struct adopt_args args = {0};
    struct fr_adopt_request request = {.der = ctx->body};
    struct fr_cert_row row;
    struct fr_unknown_row *seen = fr_calloc(1, sizeof *seen);
    enum fr_err err = seen ? fr_args_decode(adopt_rows, ctx->args, ctx->diag, &args) : FR_E_NOMEM;
    if (err) goto out;
    if (args.serial.is_set == (ctx->body.n > 0)) {
        err = fr_diag_fail(ctx->diag, FR_E_INVALID, "give one of the certificate and serial");
        goto out;
    }
    if (args.serial.is_set) {
        err = find_seen(ctx, args.serial.b, seen);
        if (err) goto out;
        request.der = fr_span(seen->der, seen->der_size);
    }
    request.has_rights = args.rights.is_set;
    err = fr_op_parse_rights(ctx, &args.rights, &request.rights);
    if (!err) err = fr_ca_adopt(ctx->change, &request, ctx->diag, &row);
    if (!err) put_adopted(ctx, &row);
out:
    fr_args_free(adopt_rows, &args);
    fr_free(seen);
    return err;
}

struct note_args {
    struct fr_arg_serial serial;
    const char *sha256, *subject;
    struct fr_arg_number not_before, not_after;
};

static const struct fr_arg note_rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct note_args, serial), .is_required = true},
    {.key = "sha256", FR_ARG_TEXT, offsetof(struct note_args, sha256), .is_required = true},
    {.key = "subject", FR_ARG_TEXT, offsetof(struct note_args, subject), .is_required = true},
    {.key = "not_before", FR_ARG_UINT, offsetof(struct note_args, not_before), true, 0, INT64_MAX},
    {.key = "not_after", FR_ARG_UINT, offsetof(struct note_args, not_after), true, 0, INT64_MAX},
    {.key = NULL},
};

enum fr_err fr_op_cert_note(struct fr_op_ctx *ctx)
{
    struct note_args args = {0};
    struct fr_unknown_row *row = fr_calloc(1, sizeof *row);
    enum fr_err err = row ? fr_args_decode(note_rows, ctx->args, ctx->diag, &args) : FR_E_NOMEM;
    if (err) goto out;
    if (fr_hex_parse(fr_span_str(args.sha256), row->sha256, sizeof row->sha256) ||
        ctx->body.n > sizeof row->der) {
        err = fr_diag_fail(ctx->diag, FR_E_INVALID, "no certificate is like that");
        goto out;
    }
    memcpy(row->serial, args.serial.b, sizeof row->serial);
    row->not_before_s = (int64_t)args.not_before.value;
    row->not_after_s = (int64_t)args.not_after.value;
    (void)fr_span_copy(fr_span(args.subject, strnlen(args.subject, FR_UNKNOWN_SUBJECT_MAX)),
                       row->subject, sizeof row->subject);
    if (ctx->body.n > 0) memcpy(row->der, ctx->body.p, ctx->body.n);
    row->der_size = (uint16_t)ctx->body.n;
    err = fr_unknown_note(ctx->change, row, ctx->diag);
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
out:
    fr_args_free(note_rows, &args);
    fr_free(row);
    return err;
}
