/* fedroam policy show, set */
#include "zones_cli/cmds.h"

#include "store/visibility.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <string.h>

static const struct fr_column columns[] = {{.key = "key"},
                                           {.key = "value", .is_right = true},
                                           {.key = "default", .is_right = true},
                                           {.key = "unit"},
                                           {.key = "meaning"},
                                           {0}};

static void put_value(struct fr_table *table, const struct fr_policy_about *about, uint32_t value)
{
    if (about->unit == FR_POLICY_WORD)
        fr_table_text(table, about->words[value]);
    else
        fr_table_uint(table, value);
}

static enum fr_err add_key(struct fr_snap *snap, enum fr_policy_key key, struct fr_table *table)
{
    const struct fr_policy_about *about = fr_policy_about(key);
    static const char *const units[] = {
        [FR_POLICY_SECONDS] = "seconds", [FR_POLICY_NUMBER] = "number", [FR_POLICY_WORD] = "word"};
    uint32_t value;

    enum fr_err err = fr_policy_get(snap, key, &value);
    if (err) return err;
    fr_table_text(table, about->name);
    put_value(table, about, value);
    put_value(table, about, about->def);
    fr_table_text(table, units[about->unit]);
    fr_table_text(table, about->help);
    return FR_OK;
}

enum fr_exit fr_cmd_policy_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    enum fr_policy_key only = FR_POLICY_COUNT;
    enum fr_err err = FR_OK;

    if (fr_cli_n_args(cli) == 1) err = fr_policy_find(fr_cli_arg(cli, 0), &diag, &only);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(columns, &table);
    for (int i = 0; err == FR_OK && i < FR_POLICY_COUNT; i++)
        if (only == FR_POLICY_COUNT || (int)only == i)
            err = add_key(session.snap, (enum fr_policy_key)i, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* Switching the visibility changes who sees what for everybody: told and asked first. */
static enum fr_exit ask_visibility(struct fr_cli *cli, const char *value)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_visibility_pairs pairs = {0};
    struct fr_diag diag = {0};
    uint32_t now = FR_VISIBILITY_FEDERATION;
    bool is_granted = strcmp(value, "granted") == 0;

    if (!is_granted && strcmp(value, "federation") != 0) return FR_EXIT_OK; /* refused later */
    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_policy_get(session.snap, FR_POLICY_VISIBILITY, &now);
    if (err == FR_OK) err = fr_visibility_count(session.snap, &pairs);
    fr_session_close(&session);
    if (err) return fr_cli_fail(cli, err, &diag);
    if ((now == FR_VISIBILITY_GRANTED) == is_granted) return FR_EXIT_OK;
    uint64_t differ = pairs.all - pairs.granted;
    fr_cli_note(cli, "%" PRIu64 " of %" PRIu64 " pairs (visited, home) %s", differ, pairs.all,
                is_granted ? "go dark: look-ups of the one find no device of the other"
                           : "that are dark become visible");
    if (differ == 0) return FR_EXIT_OK;
    return fr_cli_confirm(cli, "Switch visibility to %s?", value);
}

enum fr_exit fr_cmd_policy_set(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(4096);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    if (strcmp(fr_cli_arg(cli, 0), fr_policy_about(FR_POLICY_VISIBILITY)->name) == 0)
        code = ask_visibility(cli, fr_cli_arg(cli, 1));
    if (code != FR_EXIT_OK) return code;
    fr_json_object(&json);
    fr_json_key(&json, "set");
    fr_json_object(&json);
    fr_json_put_str(&json, fr_cli_arg(cli, 0), fr_cli_arg(cli, 1));
    fr_json_end(&json);
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "policy.set", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%s: %s\n", fr_cli_arg(cli, 0),
                               fr_admin_reply_bool(reply, "changed") ? "changed" : "unchanged");
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
