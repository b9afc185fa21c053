#include "admin/message.h"

#include "base/json_out.h"
#include "base/mem.h"
#include "base/wire.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE_MAX (FR_ADMIN_ARGS_MAX + 8192)

/* --- requests --- */

static void envelope_write(const struct fr_admin_request *request, struct fr_buf *out)
{
    fr_buf_add_str(out, "{\"args\":");
    fr_buf_add_str(out, request->args ? request->args : "{}");
    if (request->dry_run) fr_buf_add_str(out, ",\"dry_run\":true");
    if (request->reason) {
        struct fr_json j = fr_json(out);
        fr_buf_add_str(out, ",\"reason\":");
        fr_json_str(&j, request->reason);
    }
    fr_buf_add_char(out, '}');
}

enum fr_err fr_admin_message_write(const struct fr_admin_request *request, struct fr_buf *out,
                                   const char **type)
{
    struct fr_buf envelope = FR_BUF_INIT(ENVELOPE_MAX);
    uint8_t length[4];
    struct fr_wr wr = fr_wr(length, sizeof length);
    envelope_write(request, &envelope);
    enum fr_err err = fr_buf_err(&envelope);
    if (err) goto out;
    if (request->body.n) {
        fr_wr_u32(&wr, (uint32_t)envelope.n);
        fr_buf_add(out, length, sizeof length);
    }
    fr_buf_add_span(out, fr_buf_span(&envelope));
    fr_buf_add_span(out, request->body);
    err = fr_buf_err(out);
    if (err) goto out;
    *type = request->body.n ? FR_ADMIN_FRAME_TYPE : "application/json";
out:
    fr_buf_deinit(&envelope);
    return err;
}

static enum fr_err envelope_take(const json_t *envelope, struct fr_diag *diag,
                                 struct fr_admin_message *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)envelope, key, value)
    {
        if (strcmp(key, "args") == 0 && json_is_object(value)) {
            char *text = json_dumps(value, JSON_COMPACT);
            out->args = text ? fr_strdup(text) : NULL;
            free(text);
            if (!out->args) return FR_E_NOMEM;
        } else if (strcmp(key, "dry_run") == 0 && json_is_boolean(value)) {
            out->request.dry_run = json_is_true(value);
        } else if (strcmp(key, "reason") == 0 && json_is_string(value)) {
            out->reason = fr_strdup(json_string_value(value));
            if (!out->reason) return FR_E_NOMEM;
        } else {
            return fr_diag_fail(diag, FR_E_INVALID, "\"%.64s\" is unknown or of the wrong type",
                                key);
        }
    }
    out->request.args = out->args;
    out->request.reason = out->reason;
    return FR_OK;
}

enum fr_err fr_admin_message_read(bool is_framed, struct fr_span content, struct fr_diag *diag,
                                  struct fr_admin_message *out)
{
    enum fr_err err = FR_OK;
    json_error_t error;
    json_t *envelope = NULL;
    struct fr_admin_message message = {0};
    struct fr_rd rd = fr_rd(content);
    uint32_t length = is_framed ? fr_rd_u32(&rd) : (uint32_t)0;
    struct fr_span text = is_framed ? fr_rd_span(&rd, length) : fr_rd_rest(&rd);
    message.request.body = fr_rd_rest(&rd);
    if (fr_rd_err(&rd)) return fr_diag_fail(diag, FR_E_INVALID, "the request is cut short");
    if (text.n > ENVELOPE_MAX) return fr_diag_fail(diag, FR_E_LIMIT, "the arguments are too long");

    if (text.n > 0)
        envelope = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    else
        (void)snprintf(error.text, sizeof error.text, "it is empty");
    if (!json_is_object(envelope)) {
        err = fr_diag_fail(diag, FR_E_INVALID, "the request is not a JSON object%s%s",
                           envelope ? "" : ": ", envelope ? "" : error.text);
        goto out;
    }
    err = envelope_take(envelope, diag, &message);
    if (err) goto out;
    *out = message;
    message = (struct fr_admin_message){0};
out:
    fr_admin_message_free(&message);
    json_decref(envelope);
    return err;
}

void fr_admin_message_free(struct fr_admin_message *message)
{
    fr_free(message->args);
    fr_free(message->reason);
    *message = (struct fr_admin_message){0};
}

/* --- refusals --- */

static const struct {
    enum fr_err err;
    unsigned status;
} statuses[] = {
    {FR_OK, 200},          {FR_E_INVALID, 400},     {FR_E_MALFORMED, 400},
    {FR_E_RANGE, 400},     {FR_E_TRUNCATED, 400},   {FR_E_CRYPTO, 400},
    {FR_E_DENIED, 403},    {FR_E_PERM, 403},        {FR_E_REVOKED, 403},
    {FR_E_EXPIRED, 403},   {FR_E_NOT_FOUND, 404},   {FR_E_EXISTS, 409},
    {FR_E_CONFLICT, 409},  {FR_E_LIMIT, 413},       {FR_E_BUSY, 503},
    {FR_E_CANCELLED, 503}, {FR_E_UNAVAILABLE, 503}, {FR_E_FULL, 503},
};

unsigned fr_admin_status(enum fr_err err)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].err == err) return statuses[i].status;
    return 500;
}

enum fr_err fr_admin_refusal_write(enum fr_err err, const struct fr_diag *diag, struct fr_buf *out)
{
    struct fr_json j = fr_json(out);
    fr_json_object(&j);
    fr_json_key(&j, "error");
    fr_json_object(&j);
    fr_json_put_str(&j, "code", fr_err_text(err));
    fr_json_put_str(&j, "what", diag->what[0] ? diag->what : fr_err_text(err));
    if (diag->where[0]) fr_json_put_str(&j, "where", diag->where);
    if (diag->hint[0]) fr_json_put_str(&j, "hint", diag->hint);
    fr_json_end(&j);
    fr_json_end(&j);
    return fr_buf_err(out);
}

/* Codes travel by their words: numbers may differ between two versions of the programs. */
static enum fr_err code_of(const char *word)
{
    for (int code = 1; word && code <= FR_E_INTERNAL; code++)
        if (strcmp(fr_err_text((enum fr_err)code), word) == 0) return (enum fr_err)code;
    return FR_E_INTERNAL;
}

enum fr_err fr_admin_refusal_read(struct fr_span content, struct fr_diag *diag)
{
    json_t *whole = json_loadb((const char *)content.p, content.n, 0, NULL);
    const json_t *error = json_object_get(whole, "error");
    const char *what = json_string_value(json_object_get(error, "what"));
    const char *where = json_string_value(json_object_get(error, "where"));
    const char *hint = json_string_value(json_object_get(error, "hint"));
    enum fr_err err = code_of(json_string_value(json_object_get(error, "code")));
    err = fr_diag_fail(diag, err, "%s", what ? what : "the broker's answer was not understood");
    if (where) fr_diag_where(diag, where, 0, 0);
    if (hint) fr_diag_hint(diag, "%s", hint);
    json_decref(whole);
    return err;
}
