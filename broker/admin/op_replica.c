/* replica.promote, replica.reapply */
#include "admin/op.h"

#include "admin/args.h"
#include "base/hex.h"
#include "names/netid.h"
#include "store/device.h"
#include "store/feed.h"
#include "store/reapply.h"

/* --- replica.promote --- */

struct promote_args {
    bool force;
};
static const struct fr_arg promote_rows[] = {
    {"force", FR_ARG_BOOL, offsetof(struct promote_args, force), false, 0, 0}, {0}};

/* A long one: a single would begin with a change, which is what a replica refuses. */
enum fr_err fr_op_promote_begin(struct fr_op_ctx *ctx, void **state)
{
    *state = NULL;
    return fr_store_check_role(ctx->store, NULL) == FR_OK
               ? fr_diag_fail(ctx->diag, FR_E_CONFLICT, "this broker is the primary already")
               : FR_OK;
}

/* What the new primary can do at once, and what it cannot. */
static void tell_enrolment(struct fr_op_ctx *ctx)
{
    struct fr_diag diag = {0};
    struct fr_ca *ca = NULL;
    struct fr_diag *kept = ctx->diag;
    ctx->diag = &diag;
    enum fr_err err = fr_op_ca(ctx, &ca);
    ctx->diag = kept;
    fr_op_put(ctx, ctx->result, "enrolment", json_boolean(!err));
    if (err)
        fr_op_put(ctx, ctx->result, "needs",
                  json_string(diag.what[0] ? diag.what : fr_err_text(err)));
}

/* An import that the lost primary was in the middle of has its list there: here it ends with what had come. */
static void end_import(struct fr_op_ctx *ctx)
{
    struct fr_bulk_pending pending;
    struct fr_snap *snap = NULL;
    char netid[FR_NETID_TEXT];
    bool done = false;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = fr_bulk_find_pending(snap, &pending);
    fr_snap_end(snap);
    if (err) return; /* there is none, or the broker finds it when it tidies up */
    fr_netid_print(pending.netid, netid);
    fr_op_put(ctx, ctx->result, "cut_import", json_string(netid));
    (void)fr_bulk_tidy(ctx->store, 0, &done);
}

enum fr_err fr_op_promote_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct promote_args args = {0};
    struct fr_feed_state now = {0};
    (void)state;
    (void)budget_ms;
    *done = true;
    enum fr_err err = fr_args_decode(promote_rows, ctx->args, ctx->diag, &args);
    fr_args_free(promote_rows, &args);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!ctx->dry_run));
    if (!ctx->dry_run) {
        err = fr_feed_promote(ctx->store, args.force, ctx->diag, &now);
        if (err) return err;
        fr_op_put(ctx, ctx->result, "term", fr_op_uint(now.term));
        fr_op_put(ctx, ctx->result, "last_change", fr_op_uint(now.sequence));
        end_import(ctx);
    }
    tell_enrolment(ctx);
    return FR_OK;
}

/* --- replica.reapply --- */

static enum fr_err bad(struct fr_op_ctx *ctx)
{
    return fr_diag_fail(
        ctx->diag, FR_E_INVALID,
        "replica.reapply takes fork, until and record, as in a file of lost changes");
}

static enum fr_err read_fact(struct fr_op_ctx *ctx, const json_t *json, struct fr_buf *key,
                             struct fr_buf *value, struct fr_fact *out)
{
    const json_t *kind = json_object_get(json, "kind");
    const char *k = json_string_value(json_object_get(json, "key"));
    const char *v = json_string_value(json_object_get(json, "value"));
    if (json_object_size(json) != 3 || !json_is_integer(kind) || !k || !v) return bad(ctx);
    if (json_integer_value(kind) < 1 || json_integer_value(kind) > 255) return bad(ctx);
    if (fr_hex_parse_buf(fr_span_str(k), key) || fr_hex_parse_buf(fr_span_str(v), value))
        return bad(ctx);
    *out = (struct fr_fact){(enum fr_fact_kind)json_integer_value(kind), fr_buf_span(key),
                            fr_buf_span(value)};
    return FR_OK;
}

static enum fr_err redo_fact(struct fr_op_ctx *ctx, const json_t *json,
                             const struct fr_reapply_span *span, bool *is_done)
{
    struct fr_buf key = FR_BUF_INIT(511), value = FR_BUF_INIT(FR_REAPPLY_VALUE);
    enum fr_reapplied outcome = FR_REAPPLY_SAME;
    struct fr_fact fact;
    enum fr_err err = read_fact(ctx, json, &key, &value, &fact);
    if (!err) err = fr_reapply(ctx->change, &fact, span, ctx->diag, &outcome);
    if (!err && outcome == FR_REAPPLY_DONE) *is_done = true;
    fr_buf_deinit(&value);
    fr_buf_deinit(&key);
    return err;
}

/* All of a record or nothing. */
enum fr_err fr_op_reapply(struct fr_op_ctx *ctx)
{
    const json_t *fork = json_object_get(ctx->args, "fork");
    const json_t *until = json_object_get(ctx->args, "until");
    const json_t *facts = json_object_get(json_object_get(ctx->args, "record"), "facts");
    bool is_done = false;
    enum fr_err err = FR_OK;
    if (json_object_size(ctx->args) != 3 || !json_is_integer(fork) || !json_is_integer(until) ||
        json_integer_value(fork) < 0 || json_integer_value(until) < 0 || !json_is_array(facts))
        return bad(ctx);
    const struct fr_reapply_span span = {(uint64_t)json_integer_value(fork),
                                         (uint64_t)json_integer_value(until)};
    for (size_t i = 0; !err && i < json_array_size(facts); i++)
        err = redo_fact(ctx, json_array_get(facts, i), &span, &is_done);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "changed", json_boolean(is_done));
    fr_op_put(ctx, ctx->result, "outcome",
              json_string(fr_reapplied_text(is_done ? FR_REAPPLY_DONE : FR_REAPPLY_SAME)));
    return FR_OK;
}
