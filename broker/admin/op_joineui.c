/* joineui.add, joineui.remove: JoinEUIs and blocks of them, and their join servers. */
#include "admin/op.h"

#include "admin/args.h"
#include "store/joineui.h"

#include <string.h>

struct joineui_args {
    const char *joineui, *member;
    struct fr_arg_texts servers;
};

static const struct fr_arg add_rows[] = {
    {.key = "joineui", FR_ARG_TEXT, offsetof(struct joineui_args, joineui), .is_required = true},
    {.key = "member", FR_ARG_TEXT, offsetof(struct joineui_args, member), .is_required = true},
    {.key = "servers",
     FR_ARG_TEXTS,
     offsetof(struct joineui_args, servers),
     .max = FR_JOIN_SERVERS_MAX},
    {.key = NULL},
};

static const struct fr_arg remove_rows[] = {
    {.key = "joineui", FR_ARG_TEXT, offsetof(struct joineui_args, joineui), .is_required = true},
    {.key = NULL},
};

static json_t *joineui_text(const struct fr_joineui_row *row)
{
    char text[FR_JOINEUI_TEXT];
    fr_joineui_print(row->base, row->nibbles, text);
    return json_string(text);
}

static enum fr_err read_member(const struct fr_op_ctx *ctx, const char *member,
                               struct fr_joineui_row *row)
{
    const char *caller = fr_op_member(ctx);
    if (caller && strcmp(caller, member) != 0)
        return fr_diag_fail(ctx->diag, FR_E_DENIED, "%s adds JoinEUIs of its own alone", caller);
    if (fr_span_copy(fr_span_str(member), row->member, sizeof row->member)) return FR_OK;
    return fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "no member %s", member);
}

static enum fr_err read_servers(const struct fr_op_ctx *ctx, const struct fr_arg_texts *texts,
                                struct fr_joineui_row *row)
{
    for (size_t i = 0; i < texts->n; i++) {
        enum fr_err err = fr_join_server_parse(fr_span_str(texts->items[i]), (uint16_t)(i + 1),
                                               ctx->diag, &row->servers[row->n_servers]);
        if (err) return err;
        row->n_servers++;
    }
    return FR_OK;
}

/* A member may only where the federation gave it the EUIs, or the prefix itself: whose the rest is, it does not learn. */
static enum fr_err check_inside(const struct fr_op_ctx *ctx, const struct fr_joineui_row *row)
{
    struct fr_snap *snap = fr_change_snap(ctx->change);
    struct fr_joineui_row around;
    if (!fr_op_member(ctx)) return FR_OK;
    enum fr_err err = fr_block_covers(snap, row->member, row->base, (uint8_t)(4 * row->nibbles));
    if (err != FR_E_NOT_FOUND) return err;
    err = fr_joineui_holder(snap, row->base, row->nibbles, row->member, &around);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (!err && strcmp(around.member, row->member) == 0) return FR_OK;
    err = fr_diag_fail(ctx->diag, FR_E_DENIED, "that is outside of the EUI blocks of %s",
                       row->member);
    fr_diag_hint(ctx->diag, "the federation's operator gives blocks of EUIs: member block add");
    return err;
}

/* Whose it is, or a part of it, is told to operators alone. */
static enum fr_err refuse_taken(struct fr_op_ctx *ctx, const struct fr_joineui_row *row)
{
    char text[FR_JOINEUI_TEXT];
    fr_op_note_joineui_conflict(ctx, row->member, row->base, row->nibbles);
    if (!fr_op_member(ctx)) return FR_E_CONFLICT;
    fr_joineui_print(row->base, row->nibbles, text);
    return fr_diag_fail(ctx->diag, FR_E_CONFLICT, "JoinEUI %s: taken, all of it or a part", text);
}

static enum fr_err put(struct fr_op_ctx *ctx, const struct fr_joineui_row *row)
{
    struct fr_joineui_row there;
    enum fr_err err = fr_joineui_get(fr_change_snap(ctx->change), row->base, row->nibbles, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    const bool is_new = err == FR_E_NOT_FOUND;
    err = fr_joineui_put(ctx->change, row, ctx->diag);
    if (err == FR_E_CONFLICT) err = refuse_taken(ctx, row);
    if (!err) fr_op_put(ctx, ctx->result, "added", json_boolean(is_new));
    return err;
}

static void tell(struct fr_op_ctx *ctx, const struct fr_joineui_row *row)
{
    json_t *servers = json_array();
    for (uint16_t i = 0; i < row->n_servers; i++) {
        char text[FR_JOIN_SERVER_TEXT];
        fr_join_server_print(&row->servers[i], (uint16_t)(i + 1), text);
        fr_op_push(ctx, servers, json_string(text));
    }
    fr_op_put(ctx, ctx->result, "joineui", joineui_text(row));
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "servers", servers);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

enum fr_err fr_op_joineui_add(struct fr_op_ctx *ctx)
{
    struct joineui_args args = {0};
    struct fr_joineui_row row = {0};
    enum fr_err err = fr_args_decode(add_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_joineui_parse(fr_span_str(args.joineui), ctx->diag, &row.base, &row.nibbles);
    if (!err) err = read_member(ctx, args.member, &row);
    if (!err) err = read_servers(ctx, &args.servers, &row);
    if (!err) err = check_inside(ctx, &row);
    if (!err) err = put(ctx, &row);
    if (!err) tell(ctx, &row);
    fr_args_free(add_rows, &args);
    return err;
}

/* What a member does not have is not there for it, whether somebody else has it or nobody. */
static enum fr_err check_own(const struct fr_op_ctx *ctx, const struct fr_joineui_row *row)
{
    const char *member = fr_op_member(ctx);
    struct fr_joineui_row there;
    char text[FR_JOINEUI_TEXT];
    if (!member) return FR_OK;
    enum fr_err err = fr_joineui_get(fr_change_snap(ctx->change), row->base, row->nibbles, &there);
    if (!err && strcmp(there.member, member) == 0) return FR_OK;
    if (err && err != FR_E_NOT_FOUND) return err;
    fr_joineui_print(row->base, row->nibbles, text);
    return fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "%s has no JoinEUI %s", member, text);
}

enum fr_err fr_op_joineui_remove(struct fr_op_ctx *ctx)
{
    struct joineui_args args = {0};
    struct fr_joineui_row row = {0};
    enum fr_err err = fr_args_decode(remove_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_joineui_parse(fr_span_str(args.joineui), ctx->diag, &row.base, &row.nibbles);
    if (!err) err = check_own(ctx, &row);
    if (!err) err = fr_joineui_remove(ctx->change, row.base, row.nibbles, ctx->diag);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "joineui", joineui_text(&row));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return FR_OK;
}
