/* fedroam replica init, replica status, replica list, promote, store digest */
#include "zones_cli/cmds.h"

#include "admin/inquiry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "session/owner.h"
#include "store/digest.h"
#include "store/feed.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX (64 * 1024)

/* --- replica init --- */

struct parts {
    struct fr_buf chain, key, ca;
};

static enum fr_err read_parts(const struct fr_cli *cli, struct parts *parts, struct fr_diag *diag)
{
    *parts = (struct parts){FR_BUF_INIT(PEM_MAX), FR_BUF_INIT(PEM_MAX), FR_BUF_INIT(PEM_MAX)};
    enum fr_err err = fr_file_read(fr_cli_opt(cli, "chain"), diag, &parts->chain);
    if (err == FR_OK) err = fr_file_read_private(fr_cli_opt(cli, "key"), diag, &parts->key);
    if (err == FR_OK) err = fr_file_read(fr_cli_opt(cli, "ca"), diag, &parts->ca);
    return err;
}

static void free_parts(struct parts *parts)
{
    fr_buf_deinit(&parts->chain);
    fr_buf_deinit_secret(&parts->key);
    fr_buf_deinit(&parts->ca);
}

static enum fr_err make_dir(const struct fr_cli *cli, const char *dir, struct fr_diag *diag)
{
    struct fr_owner owner;
    enum fr_err err = fr_owner_find(cli, dir, diag, &owner);

    if (err == FR_OK) err = fr_dir_make(dir, 0700, diag);
    if (err || !owner.gives_away || chown(dir, owner.uid, owner.gid) == 0) return err;
    return fr_diag_fail(diag, FR_E_PERM, "%s cannot be given to user %lu", dir,
                        (unsigned long)owner.uid);
}

static enum fr_err write_part(const char *dir, const char *name, mode_t mode,
                              const struct fr_buf *bytes, struct fr_diag *diag)
{
    char *path = fr_path_join(dir, name);

    if (path == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_file_create(path, mode, fr_buf_span(bytes), diag);
    fr_free(path);
    return err;
}

/* Empty: the issuing key never comes by itself. It is brought, or made, after a promotion. */
static enum fr_err make_ca_dir(const char *dir, struct fr_diag *diag)
{
    char *path = fr_path_join(dir, "ca");

    if (path == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_dir_make(path, 0700, diag);
    fr_free(path);
    return err;
}

static enum fr_err fill_dir(const struct fr_cli *cli, const char *dir, const struct parts *parts,
                            struct fr_diag *diag)
{
    const struct fr_store_options options = {.dir = dir};
    const struct fr_store_new fresh = {.federation = fr_cli_opt(cli, "fed")};
    struct fr_store *store = NULL;

    enum fr_err err = fr_store_create(&options, &fresh, diag, &store);
    if (err == FR_OK) err = fr_feed_make_replica(store, fr_cli_opt(cli, "url"), diag);
    fr_store_close(store);
    if (err == FR_OK) err = make_ca_dir(dir, diag);
    if (err == FR_OK) err = write_part(dir, "server.key", 0600, &parts->key, diag);
    if (err == FR_OK) err = write_part(dir, "server.chain.pem", 0644, &parts->chain, diag);
    return err ? err : write_part(dir, "root.pem", 0644, &parts->ca, diag);
}

enum fr_exit fr_cmd_replica_init(struct fr_cli *cli)
{
    char dir[FR_STATE_DIR_MAX];
    struct fr_admin_identity identity = {0};
    struct parts parts;
    struct fr_diag diag = {0};

    if (fr_cli_opt(cli, "fed") == NULL) return fr_cli_usage(cli, "name the federation with --fed");
    enum fr_err err = read_parts(cli, &parts, &diag);
    if (err == FR_OK) err = fr_session_find(cli, &diag, dir);
    if (err == FR_OK) err = make_dir(cli, dir, &diag);
    if (err == FR_OK) err = fr_admin_identity_enter(dir, &diag, &identity);
    if (err == FR_OK) {
        err = fill_dir(cli, dir, &parts, &diag);
        fr_admin_identity_leave(&identity);
    }
    free_parts(&parts);
    if (err) return fr_cli_fail(cli, err, &diag);
    fr_cli_note(cli, "%s: a replica of %s, still empty", dir, fr_cli_opt(cli, "fed"));
    return FR_EXIT_OK;
}

/* --- replica status --- */

static const struct fr_column status_columns[] = {{.key = "federation"}, {.key = "role"},
                                                  {.key = "term"},       {.key = "primary"},
                                                  {.key = "position"},   {.key = "since"},
                                                  {.key = "sequence"},   {.key = "whole"},
                                                  {.key = "in_step"},    {0}};

static void put_time(struct fr_table *table, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(when_s, text);
    fr_table_text(table, when_s > 0 ? text : NULL);
}

enum fr_exit fr_cmd_replica_status(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_feed_state state;
    struct fr_diag diag = {0};
    int64_t contact_s = 0;

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_feed_get(session.snap, &state);
    if (err == FR_OK) err = fr_feed_contact(session.snap, &contact_s);
    if (err == FR_OK) err = fr_table_new(status_columns, &table);
    if (err) goto out;
    fr_table_text(table, fr_store_federation(session.store));
    fr_table_text(table, fr_role_text(state.role));
    fr_table_uint(table, state.term == 0 ? 1 : state.term);
    fr_table_text(table, state.primary[0] != '\0' ? state.primary : NULL);
    fr_table_uint(table, state.head.position);
    fr_table_uint(table, state.base.position);
    fr_table_uint(table, state.sequence);
    fr_table_bool(table, !state.has_image);
    put_time(table, state.role == FR_ROLE_REPLICA ? contact_s : 0);
    err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- replica list --- */

static const struct fr_column list_columns[] = {{.key = "host"},
                                                {.key = "position", .is_right = true},
                                                {.key = "behind", .is_right = true},
                                                {.key = "lag_s", .is_right = true},
                                                {.key = "silent_s", .is_right = true},
                                                {0}};

static void put_replica(struct fr_table *table, const struct fr_admin_reply *copies, unsigned i)
{
    static const char *const keys[] = {"at", "behind", "lag_s", "silent_s"};
    char path[64];

    (void)snprintf(path, sizeof path, "replicas.%u.heard", i);
    const bool is_heard = fr_admin_reply_bool(copies, path);
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        (void)snprintf(path, sizeof path, "replicas.%u.%s", i, keys[k]);
        if (is_heard || k == 3)
            fr_table_uint(table, fr_admin_reply_uint(copies, path, 0));
        else
            fr_table_text(table, NULL); /* it was never heard */
    }
}

enum fr_exit fr_cmd_replica_list(struct fr_cli *cli)
{
    static const struct fr_admin_request request = {.op = "broker.copies"};
    struct fr_admin_reply *copies = NULL;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    char dir[FR_STATE_DIR_MAX], path[64];

    enum fr_err err = fr_session_find(cli, &diag, dir);
    if (err == FR_OK) err = fr_admin_ask(dir, &request, &diag, &copies);
    if (err == FR_OK) err = fr_table_new(list_columns, &table);
    for (unsigned i = 0; err == FR_OK; i++) {
        (void)snprintf(path, sizeof path, "replicas.%u.name", i);
        const char *host = fr_admin_reply_text(copies, path);
        if (host == NULL) break;
        fr_table_text(table, host);
        put_replica(table, copies, i);
    }
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_admin_reply_free(copies);
    return fr_cli_fail(cli, err, &diag);
}

/* --- promote --- */

static enum fr_exit print_promoted(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    enum fr_exit code = FR_EXIT_OK;

    if (fr_cli_flag(cli, "dry-run")) return fr_print_change(cli, reply, "would begin a new term\n");
    code = fr_print_change(cli, reply, "primary of term %" PRIu64 ", from change %" PRIu64 "\n",
                           fr_admin_reply_uint(reply, "term", 0),
                           fr_admin_reply_uint(reply, "last_change", 0));
    fr_cli_note(cli, "look-ups, publishing and revocation work here now");
    const char *netid = fr_admin_reply_text(reply, "cut_import");
    if (netid != NULL)
        fr_cli_note(cli,
                    "an import into NetID %s was cut short: what had come of it is here; repeat it",
                    netid);
    if (fr_admin_reply_bool(reply, "enrolment")) {
        fr_cli_note(cli, "so does enrolment");
        return code;
    }
    const char *needs = fr_admin_reply_text(reply, "needs");
    fr_cli_note(cli, "enrolment and revocation lists do not: %s", needs != NULL ? needs : "");
    fr_cli_note(cli, "bring the issuing CA's key into ca/ of this state directory, or make a new "
                     "issuing CA with the root (fedroam ca intermediate); see fedroam doctor");
    return code;
}

enum fr_exit fr_cmd_promote(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(64);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_bool(&json, "force", fr_cli_flag(cli, "force"));
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "replica.promote", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK) code = print_promoted(cli, reply);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

/* --- store digest --- */

static const struct fr_column digest_columns[] = {
    {.key = "table"}, {.key = "rows", .is_right = true}, {.key = "digest"}, {0}};

static enum fr_err put_digest(void *data, const struct fr_table_digest *digest)
{
    struct fr_table *table = data;

    fr_table_text(table, digest->table);
    fr_table_uint(table, digest->rows);
    fr_table_text(table, digest->digest);
    return FR_OK;
}

enum fr_exit fr_cmd_store_digest(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(digest_columns, &table);
    if (err == FR_OK) err = fr_store_digest(session.snap, put_digest, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
