/* fedroam device add, remove, list, show; device set is in cmd_visibility.c */
#include "zones_cli/cmds.h"

#include "base/mem.h"
#include "base/parse.h"
#include "session/remote.h"
#include "store/device.h"
#include "store/member.h"
#include "store/visibility.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define ARGS_MAX 65536

/* {"netid":…,"devices":[…]} */
static enum fr_err make_args(struct fr_cli *cli, struct fr_buf *args, struct fr_diag *diag)
{
    struct fr_json json = fr_json(args);
    uint64_t eui;
    uint32_t netid;

    if (fr_cli_opt(cli, "netid") != NULL) {
        enum fr_err err = fr_arg_netid(fr_cli_opt(cli, "netid"), diag, &netid);
        if (err) return err;
    }
    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "netid", "netid");
    fr_json_key(&json, "devices");
    fr_json_array(&json);
    for (size_t i = 0; i < fr_cli_n_args(cli); i++) {
        enum fr_err err = fr_arg_eui(fr_cli_arg(cli, i), diag, &eui);
        if (err) return err;
        fr_json_str(&json, fr_cli_arg(cli, i));
    }
    fr_json_end(&json);
    fr_json_end(&json);
    return fr_buf_err(args);
}

enum fr_exit fr_cmd_device_add(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    enum fr_err err = make_args(cli, &args, &diag);
    if (err == FR_OK)
        err = fr_session_change(cli, "device.add", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(
            cli, reply, "%" PRIu64 " added, %" PRIu64 " moved, %" PRIu64 " unchanged\n",
            fr_admin_reply_uint(reply, "added", 0), fr_admin_reply_uint(reply, "moved", 0),
            fr_admin_reply_uint(reply, "same", 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_device_remove(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    enum fr_err err = make_args(cli, &args, &diag);
    if (err == FR_OK)
        err = fr_session_change(cli, "device.remove", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%" PRIu64 " removed, %" PRIu64 " not there\n",
                               fr_admin_reply_uint(reply, "removed", 0),
                               fr_admin_reply_uint(reply, "absent", 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

/* --- list --- */

#define PAGE 4096 /* rows looked up in one snapshot: whoever reads the list may be slow */

struct listing {
    FILE *out;
    bool is_json;
    uint32_t netid; /* 0: all */
    uint64_t from;  /* next EUI to look at */
    uint64_t printed, limit;
    size_t n;
    struct fr_device_row rows[PAGE];
};

static enum fr_err take_row(void *data, const struct fr_device_row *row)
{
    struct listing *l = data;

    l->rows[l->n++] = *row;
    return l->n == PAGE || l->printed + l->n == l->limit ? FR_E_CLOSED : FR_OK;
}

static enum fr_err print_rows(struct listing *l)
{
    static const char text[] = "%s%016" PRIx64 "  %06" PRIx32 "%s\n";
    static const char json[] = "%s{\"deveui\":\"%016" PRIx64 "\",\"netid\":\"%06" PRIx32 "\"%s}";

    for (size_t i = 0; i < l->n; i++, l->printed++) {
        const char *between = l->is_json && l->printed > 0 ? ",\n" : "";
        bool is_hidden = (l->rows[i].flags & FR_DEVICE_HIDDEN) != 0;
        const char *mark = !is_hidden ? "" : l->is_json ? ",\"hidden\":true" : "  hidden";
        if (fprintf(l->out, l->is_json ? json : text, between, l->rows[i].deveui, l->rows[i].netid,
                    mark) < 0)
            return FR_E_IO;
    }
    return FR_OK;
}

static enum fr_err list_pages(struct fr_snap *snap, struct listing *l)
{
    for (bool is_last = false; !is_last;) {
        l->n = 0;
        enum fr_err err = fr_device_each(snap, l->from, l->netid, take_row, l);
        if (err && err != FR_E_CLOSED) return err;
        is_last = err == FR_OK || l->rows[l->n - 1].deveui == UINT64_MAX;
        if (!is_last) l->from = l->rows[l->n - 1].deveui + 1;
        fr_snap_reset(snap);
        err = print_rows(l);
        if (err) return err;
        is_last = is_last || l->printed == l->limit;
        if (!is_last) err = fr_snap_renew(snap);
        if (err) return err;
    }
    return FR_OK;
}

static enum fr_err read_listing(struct fr_cli *cli, struct fr_diag *diag, struct listing *l)
{
    const char *netid = fr_cli_opt(cli, "netid"), *from = fr_cli_opt(cli, "from");
    const char *limit = fr_cli_opt(cli, "limit");
    enum fr_err err = FR_OK;

    l->out = fr_cli_out(cli);
    l->is_json = fr_cli_output(cli) == FR_OUTPUT_JSON;
    if (netid != NULL) err = fr_arg_netid(netid, diag, &l->netid);
    if (err == FR_OK && from != NULL) err = fr_arg_eui(from, diag, &l->from);
    if (err == FR_OK && limit != NULL &&
        fr_parse_u64(fr_span_str(limit), 1, UINT64_MAX, &l->limit) != FR_OK)
        err = fr_diag_fail(diag, FR_E_USAGE, "--limit %s is not a number from 1", limit);
    return err;
}

enum fr_exit fr_cmd_device_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct listing *l = fr_calloc(1, sizeof *l);
    struct fr_diag diag = {0};
    enum fr_err err = l == NULL ? FR_E_NOMEM : read_listing(cli, &diag, l);

    if (err == FR_OK && fr_remote_is_meant(cli)) {
        enum fr_exit code = fr_list_remote_devices(cli, l->netid, l->from, l->limit);
        fr_free(l);
        return code;
    }
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    if (l->is_json) fputc('[', l->out);
    err = list_pages(session.snap, l);
    if (l->is_json) fputs("]\n", l->out);
    if (err == FR_OK && fflush(l->out) != 0) err = FR_E_IO;
out:
    fr_session_close(&session);
    fr_free(l);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static const struct fr_column show_columns[] = {{.key = "deveui"},
                                                {.key = "netid"},
                                                {.key = "member"},
                                                {.key = "answered"},
                                                {.key = "hidden"},
                                                {.key = "change"},
                                                {0}};

/* What is shown with --for beside the rest. */
static const struct fr_column show_for_columns[] = {
    {.key = "deveui"},   {.key = "netid"},  {.key = "member"},
    {.key = "answered"}, {.key = "hidden"}, {.key = "change"},
    {.key = "for"},      {.key = "sight"},  {0}};

static enum fr_err show(struct fr_snap *snap, uint64_t deveui, struct fr_table *table,
                        struct fr_diag *diag)
{
    struct fr_device_row device;
    struct fr_network_row network, live;

    enum fr_err err = fr_device_get(snap, deveui, &device);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no device %016" PRIx64, deveui);
    if (err == FR_OK) err = fr_network_get(snap, device.netid, &network);
    if (err) return err;
    bool is_live = fr_network_get_live(snap, device.netid, &live) == FR_OK;
    bool is_hidden = (device.flags & FR_DEVICE_HIDDEN) != 0;
    fr_cell_eui(table, deveui);
    fr_cell_netid(table, device.netid);
    fr_table_text(table, network.member);
    fr_table_bool(table, is_live && !is_hidden);
    fr_table_bool(table, is_hidden);
    fr_table_uint(table, device.change);
    return FR_OK;
}

static enum fr_err show_for(struct fr_snap *snap, uint64_t deveui, const char *member,
                            struct fr_table *table, struct fr_diag *diag)
{
    struct fr_member_row row;
    enum fr_sighting sighting = FR_SIGHT_NO_DEVICE;

    enum fr_err err = fr_member_get(snap, member, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", member);
    if (err == FR_OK) err = fr_visibility_explain(snap, deveui, member, &sighting);
    if (err) return err;
    fr_table_text(table, member);
    fr_table_text(table, fr_sighting_text(sighting));
    return FR_OK;
}

enum fr_exit fr_cmd_device_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    const char *member = fr_cli_opt(cli, "for");
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    uint64_t deveui;

    enum fr_err err = fr_arg_eui(fr_cli_arg(cli, 0), &diag, &deveui);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(member ? show_for_columns : show_columns, &table);
    if (err == FR_OK) err = show(session.snap, deveui, table, &diag);
    if (err == FR_OK && member) err = show_for(session.snap, deveui, member, table, &diag);
    if (err == FR_OK) err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
