/* fedroam zone secondary add, list, remove */
#include "zones_cli/cmds.h"

#include "admin/inquiry.h"
#include "base/mem.h"
#include "store/downstream.h"
#include "zones_cli/reading.h"
#include "zones_cli/tsig_option.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX 8192
#define COPIES_MAX 64 /* as many as the broker tells */

enum fr_exit fr_cmd_zone_secondary_add(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_tsig_key key = {0};
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    enum fr_err err = FR_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "name", fr_cli_arg(cli, 0));
    if (fr_cli_opt(cli, "address") != NULL) fr_session_put_opts(cli, &json, "address", "addresses");
    fr_json_put_bool(&json, "xot", fr_cli_flag(cli, "xot"));
    if (fr_cli_opt(cli, "tsig-key") != NULL) err = fr_tsig_option_put(cli, &json, &diag, &key);
    fr_json_end(&json);
    if (err == FR_OK)
        err = fr_session_change(cli, "zone.secondary.set", &args, fr_span(key.secret, key.n), &diag,
                                &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply,
                               "%s may copy the whole zone; it answers without visibility, budgets "
                               "and revocation\n",
                               fr_admin_reply_text(reply, "name"));
    fr_admin_reply_free(reply);
    fr_secret_zero(&key, sizeof key);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_zone_secondary_remove(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "name", fr_cli_arg(cli, 0));
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "zone.secondary.remove", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(
            cli, reply, "%s gets the zone no more; what it has copied it keeps until it expires\n",
            fr_cli_arg(cli, 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

static const struct fr_column list_columns[] = {{.key = "name"},
                                                {.key = "tsig_key"},
                                                {.key = "xot"},
                                                {.key = "notified"},
                                                {.key = "serial", .is_right = true},
                                                {.key = "behind", .is_right = true},
                                                {.key = "silent_s", .is_right = true},
                                                {0}};

struct listing {
    struct fr_table *table;
    struct fr_admin_reply *copies; /* NULL: no broker runs */
    bool is_told[COPIES_MAX];
};

static const char *name_of(const struct listing *l, unsigned i)
{
    char path[64];

    (void)snprintf(path, sizeof path, "secondaries.%u.name", i);
    return l->copies != NULL && i < COPIES_MAX ? fr_admin_reply_text(l->copies, path) : NULL;
}

/* How far it is, as the broker has heard. */
static void put_progress(struct listing *l, const char *name)
{
    static const char *const keys[] = {"at", "behind", "silent_s"};
    unsigned i = 0;
    char path[64];

    while (name_of(l, i) != NULL && strcmp(name_of(l, i), name) != 0) i++;
    const bool is_heard = name_of(l, i) != NULL;
    if (is_heard) l->is_told[i] = true;
    (void)snprintf(path, sizeof path, "secondaries.%u.heard", i);
    const bool has_serial = is_heard && fr_admin_reply_bool(l->copies, path);
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        (void)snprintf(path, sizeof path, "secondaries.%u.%s", i, keys[k]);
        if (has_serial || (is_heard && k == 2))
            fr_table_uint(l->table, fr_admin_reply_uint(l->copies, path, 0));
        else
            fr_table_text(l->table, NULL);
    }
}

/* Over TLS a secondary goes by its certificate's member or host. */
static void add_others(struct listing *l)
{
    for (unsigned i = 0; name_of(l, i) != NULL; i++) {
        if (l->is_told[i]) continue;
        fr_table_text(l->table, name_of(l, i));
        for (int k = 0; k < 3; k++) fr_table_text(l->table, NULL);
        put_progress(l, name_of(l, i));
    }
}

static enum fr_err add_row(void *data, const struct fr_downstream_row *row)
{
    struct listing *l = data;
    struct fr_table *table = l->table;
    char text[FR_DOWNSTREAM_ADDRS_MAX * (FR_ADDR_TEXT + 1)] = "";

    for (uint8_t i = 0; i < row->n_addrs; i++) {
        const size_t at = strlen(text);
        char addr[FR_ADDR_TEXT];
        fr_addr_print(&row->addrs[i], addr);
        (void)snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? " " : "", addr);
    }
    fr_table_text(table, row->name);
    fr_table_text(table, row->key_name);
    fr_table_text(table, row->has_xot ? "yes" : "no");
    fr_table_text(table, text);
    put_progress(l, row->name);
    return FR_OK;
}

enum fr_exit fr_cmd_zone_secondary_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    static const struct fr_admin_request request = {.op = "broker.copies"};
    struct listing l = {0};
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    (void)!fr_admin_ask(session.dir, &request, NULL,
                        &l.copies); /* without a broker: what is in the store */
    err = fr_table_new(list_columns, &l.table);
    if (err) goto out;
    err = fr_downstream_each(session.snap, add_row, &l);
    if (err == FR_OK) add_others(&l);
    if (err == FR_OK) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_admin_reply_free(l.copies);
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
