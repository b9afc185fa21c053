/* fedroam ca init */
#include "pki_cli/cmds.h"

#include "admin/audit.h"
#include "admin/engine.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "ca/init.h"
#include "names/member.h"
#include "pki_cli/cells.h"
#include "session/owner.h"
#include "session/passphrase.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What locks the keys: descriptors, the credential, or new passphrases from the terminal. */
static enum fr_err find_locks(const struct fr_cli *cli, struct fr_diag *diag,
                              struct fr_cli_passphrase *issuing, struct fr_cli_passphrase *root)
{
    enum fr_err err = fr_cli_passphrase_find(cli, "passphrase-fd", diag, issuing);

    if (!err) err = fr_cli_passphrase_find(cli, "root-passphrase-fd", diag, root);
    if (err || !fr_cli_flag(cli, "lock-keys")) return err;
    if (issuing->secret.n == 0)
        err = fr_passphrase_ask("new passphrase of the issuing CA: ", true, diag, &issuing->secret);
    if (!err && root->secret.n == 0)
        err = fr_passphrase_ask("new passphrase of the root: ", true, diag, &root->secret);
    return err;
}

static void put_hash(struct fr_json *json, const char *key, const uint8_t hash[FR_SHA256_SIZE])
{
    char text[2 * FR_SHA256_SIZE + 1];

    fr_hex_print(hash, FR_SHA256_SIZE, text);
    fr_json_put_str(json, key, text);
}

/* The trail's first line: who made this federation, and its two CAs. */
static enum fr_err write_line(const struct fr_ca_init_options *o, const struct fr_ca_init_result *r,
                              const struct fr_admin_actor *actor, struct fr_diag *diag)
{
    struct fr_buf args = FR_BUF_INIT(4096), result = FR_BUF_INIT(1024);
    struct fr_json a = fr_json(&args), told = fr_json(&result);
    struct fr_audit *audit = NULL;

    fr_json_object(&a);
    fr_json_put_str(&a, "fed", o->federation);
    fr_json_put_str(&a, "host", o->host);
    if (o->url != NULL) fr_json_put_str(&a, "url", o->url);
    if (o->netid_pool != NULL) fr_json_put_str(&a, "netid_pool", o->netid_pool);
    fr_json_end(&a);
    fr_json_object(&told);
    fr_json_put_str(&told, "name", r->issuing);
    put_hash(&told, "root_sha256", r->root_sha256);
    put_hash(&told, "issuing_sha256", r->issuing_sha256);
    fr_json_end(&told);
    const struct fr_audit_entry entry = {.when_s = o->now_s,
                                         .actor = actor->name,
                                         .has_uid = actor->has_uid,
                                         .uid = actor->uid,
                                         .op = "ca.init",
                                         .args = fr_buf_str(&args),
                                         .reason = o->reason,
                                         .result = fr_buf_str(&result)};
    enum fr_err err = fr_audit_open(&(struct fr_audit_options){.state = o->dir}, &audit);
    if (!err) err = fr_audit_add(audit, &entry, diag);
    if (!err) err = fr_audit_sync(audit, diag);
    if (audit != NULL) fr_audit_close(audit);
    fr_buf_deinit(&args);
    fr_buf_deinit(&result);
    return err;
}

static enum fr_err begin_trail(const struct fr_ca_init_options *o,
                               const struct fr_ca_init_result *r,
                               const struct fr_admin_actor *actor, struct fr_diag *diag)
{
    struct fr_admin_identity identity = {0};
    enum fr_err err = fr_admin_identity_enter(o->dir, diag, &identity);

    if (!err) err = write_line(o, r, actor, diag);
    fr_admin_identity_leave(&identity);
    if (err) fr_diag_hint(diag, "the federation is made; its audit trail begins without this line");
    return err;
}

enum fr_exit fr_cmd_ca_init(struct fr_cli *cli)
{
    struct fr_cli_passphrase issuing = FR_CLI_PASSPHRASE_INIT, root = FR_CLI_PASSPHRASE_INIT;
    char host[64], dir[FR_STATE_DIR_MAX];
    struct fr_diag diag = {0};
    struct fr_ca_init_result result;
    const struct fr_admin_actor actor = fr_admin_actor_user(FR_ACTOR_CLI, getuid(), getpid());
    struct fr_owner owner;
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
    err = fr_owner_find(cli, dir, &diag, &owner);
    o.gives_away = owner.gives_away;
    o.uid = owner.uid;
    o.gid = owner.gid;
    if (!err) err = find_locks(cli, &diag, &issuing, &root);
    o.issuing_passphrase = fr_buf_span(&issuing.secret);
    o.root_passphrase = fr_buf_span(&root.secret);
    if (!err) err = fr_ca_init(&o, &diag, &result);
    fr_cli_passphrase_deinit(&issuing);
    fr_cli_passphrase_deinit(&root);
    if (!err) err = begin_trail(&o, &result, &actor, &diag);
    if (!err) err = print_init(cli, &o, &result);
    if (err) return fr_cli_fail(cli, err, &diag);
    fr_cli_note(cli, "move the root key to a safe place: nothing needs it day by day");
    return FR_EXIT_OK;
}
