/* fedroam ca init, fedroam ca show */
#include "pki_cli/cmds.h"

#include "admin/engine.h"
#include "base/clock.h"
#include "ca/init.h"
#include "names/member.h"
#include "pki_cli/cells.h"
#include "store/authority.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_USER "fedroam"

/* This machine's own label where it has a usable one, because it goes into the broker's
 * certificate. */
static void default_host(char out[64])
{
    char name[256] = "";

    (void)gethostname(name, sizeof name - 1);
    name[strcspn(name, ".")] = '\0';
    for (char *c = name; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    }
    bool usable = fr_is_host_label(fr_span_str(name)) && strcmp(name, "broker") != 0 &&
                  strcmp(name, "ca") != 0 && strcmp(name, "crl") != 0;
    (void)snprintf(out, 64, "%.63s", usable ? name : "broker1");
}

static void choose_owner(const struct fr_cli *cli, struct fr_ca_init_options *o)
{
    struct passwd *user = NULL;

    if (geteuid() != 0) return;
    user = getpwnam(SERVICE_USER);
    if (user == NULL) {
        fr_cli_note(cli, "there is no user " SERVICE_USER " here: the files stay root's");
        return;
    }
    o->gives_away = true;
    o->uid = user->pw_uid;
    o->gid = user->pw_gid;
}

static const struct fr_column INIT_COLUMNS[] = {
    {.key = "federation"},     {.key = "state"},
    {.key = "issuing"},        {.key = "root_sha256"},
    {.key = "issuing_sha256"}, {.key = "root_until"},
    {.key = "issuing_until"},  {.key = "broker_until"},
    {.key = "root_key"},       {0},
};

static enum fr_err print_init(const struct fr_cli *cli, const struct fr_ca_init_options *o,
                              const struct fr_ca_init_result *r)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(INIT_COLUMNS, &t);

    if (err) return err;
    fr_table_text(t, o->federation);
    fr_table_text(t, o->dir);
    fr_table_text(t, r->issuing);
    fr_cell_hex(t, r->root_sha256, 32);
    fr_cell_hex(t, r->issuing_sha256, 32);
    fr_cell_time(t, r->root_until_s);
    fr_cell_time(t, r->issuing_until_s);
    fr_cell_time(t, r->broker_until_s);
    if (o->root_out != NULL)
        fr_table_text(t, o->root_out);
    else
        fr_table_textf(t, "%s/root.key", o->dir);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

enum fr_exit fr_cmd_ca_init(struct fr_cli *cli)
{
    char host[64], dir[FR_STATE_DIR_MAX];
    struct fr_diag diag = {0};
    struct fr_ca_init_result result;
    const struct fr_admin_actor actor = fr_admin_actor_user(FR_ACTOR_CLI, getuid());
    struct fr_ca_init_options o = {
        .dir = dir,
        .federation = fr_cli_opt(cli, "fed"),
        .host = fr_cli_opt(cli, "host"),
        .url = fr_cli_opt(cli, "url"),
        .netid_pool = fr_cli_opt(cli, "netid-pool"),
        .root_out = fr_cli_opt(cli, "root-out"),
        .now_s = fr_clock_real_s(fr_clock_system()),
        .actor = actor.name,
        .reason = fr_cli_opt(cli, "reason"),
    };
    enum fr_err err = FR_OK;

    if (o.federation == NULL) return fr_cli_usage(cli, "a federation needs a name: --fed NAME");
    default_host(host);
    if (o.host == NULL) o.host = host;
    err = fr_session_find(cli, &diag, dir);
    if (!err) err = fr_ca_init_check(&o, &diag);
    if (err) return fr_cli_fail(cli, err, &diag);
    if (fr_cli_flag(cli, "dry-run")) {
        fr_session_note_dry_run(cli);
        return FR_EXIT_OK;
    }
    choose_owner(cli, &o);
    err = fr_ca_init(&o, &diag, &result);
    if (!err) err = print_init(cli, &o, &result);
    if (err) return fr_cli_fail(cli, err, &diag);
    fr_cli_note(cli, "move the root key to a safe place: nothing needs it day by day");
    return FR_EXIT_OK;
}

/* --- show --- */

static const struct fr_column SHOW_COLUMNS[] = {
    {.key = "name"},
    {.key = "kind"},
    {.key = "state"},
    {.key = "not_before"},
    {.key = "not_after"},
    {.key = "sha256"},
    {0},
};

static enum fr_err put_authority(void *data, const struct fr_authority_row *row)
{
    struct fr_table *t = data;

    fr_table_text(t, row->name);
    fr_table_text(t, row->kind == FR_AUTHORITY_ROOT ? "root" : "issuing");
    fr_table_text(t, fr_authority_state_text(row->state));
    fr_cell_time(t, row->not_before_s);
    fr_cell_time(t, row->not_after_s);
    fr_cell_hex(t, row->sha256, 32);
    return FR_OK;
}

enum fr_exit fr_cmd_ca_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_table *t = NULL;
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(SHOW_COLUMNS, &t);
    if (!err) err = fr_authority_each(session.snap, put_authority, t);
    if (!err) err = fr_table_print(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
