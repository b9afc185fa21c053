/* fedroam sync: what a network server's database says, published; once, or again and again */
#include "zones_cli/cmds.h"

#include "base/file.h"
#include "base/parse.h"
#include "base/random.h"
#include "session/passphrase.h"
#include "zones_cli/sync_federation.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DSN_MAX 4096

/* --- the connection string --- */

static enum fr_err first_line(enum fr_err err, struct fr_buf *all, struct fr_buf *out)
{
    struct fr_span line, rest;
    (void)fr_span_cut(fr_buf_span(all), '\n', &line, &rest);
    if (!err) fr_buf_add_span(out, fr_span_trim(line));
    if (!err) err = fr_buf_err(out);
    fr_buf_deinit_secret(all);
    return err;
}

static enum fr_err read_file(const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    struct fr_buf all = FR_BUF_INIT(DSN_MAX);
    return first_line(fr_file_read_private(path, diag, &all), &all, out);
}

/* Who may read it is the service manager's business. */
static enum fr_err read_credential(const struct fr_cli_keeper *keeper, const char *name,
                                   struct fr_diag *diag, struct fr_buf *out)
{
    struct fr_buf all = FR_BUF_INIT(DSN_MAX);
    char path[DSN_MAX];
    if (!keeper || !keeper->credentials)
        return fr_diag_fail(diag, FR_E_CONFIG, "there is no credential %s: not run by systemd",
                            name);
    if (strchr(name, '/'))
        return fr_diag_fail(diag, FR_E_CONFIG, "%s is not the name of a credential", name);
    (void)snprintf(path, sizeof path, "%s/%s", keeper->credentials, name);
    return first_line(fr_file_read(path, diag, &all), &all, out);
}

static enum fr_err read_variable(const struct fr_cli_keeper *keeper, const char *name,
                                 struct fr_diag *diag, struct fr_buf *out)
{
    const char *text = keeper && keeper->variable ? keeper->variable(name) : NULL;
    if (!text)
        return fr_diag_fail(diag, FR_E_CONFIG, "the environment variable %s is not set", name);
    fr_buf_add_str(out, text);
    return fr_buf_err(out);
}

static enum fr_err open_database(struct fr_cli *cli, const struct fr_sync_place_conf *place,
                                 uint32_t timeout_ms, struct fr_diag *diag, struct fr_sync_db **out)
{
    const struct fr_cli_keeper *keeper = fr_cli_data(cli);
    struct fr_buf dsn = FR_BUF_INIT(DSN_MAX);
    enum fr_err err = FR_OK;
    if (place->sqlite) return fr_sync_db_open_sqlite(place->sqlite, timeout_ms, diag, out);
    if (place->dsn_file)
        err = read_file(place->dsn_file, diag, &dsn);
    else if (place->dsn_credential)
        err = read_credential(keeper, place->dsn_credential, diag, &dsn);
    else
        err = read_variable(keeper, place->dsn_env, diag, &dsn);
    /* an empty one would mean PostgreSQL's defaults: some database of this machine */
    if (!err && fr_span_trim(fr_buf_span(&dsn)).n == 0)
        err = fr_diag_fail(diag, FR_E_CONFIG, "the connection string is empty");
    if (!err) err = fr_sync_db_open_postgresql(fr_buf_str(&dsn), timeout_ms, diag, out);
    fr_buf_deinit_secret(&dsn);
    return err;
}

/* --- one round --- */

struct round {
    struct fr_cli *cli;
    enum fr_sync_kind kind;
    struct fr_sync_conf conf;
    uint64_t refused;
};

static enum fr_err read_percent(const struct fr_cli *cli, uint32_t otherwise, struct fr_diag *diag,
                                uint32_t *out)
{
    const char *text = fr_cli_opt(cli, "max-withdraw");
    struct fr_span digits = fr_span_str(text);
    uint64_t percent = otherwise;
    if (fr_span_ends(digits, "%")) digits.n--;
    if (text && fr_parse_u64(digits, 0, 100, &percent) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "--max-withdraw %s is not a percentage like 5%%",
                            text);
    *out = (uint32_t)percent;
    return FR_OK;
}

static enum fr_err open_source(struct round *r, const struct fr_sync_federation_conf *fed,
                               struct fr_diag *diag, struct fr_sync_source **out)
{
    struct fr_sync_source_options options = {
        .kind = r->kind, .tags = fed->tags, .n_tags = fed->n_tags};
    const struct fr_sync_conf *conf = &r->conf;
    enum fr_err err = open_database(r->cli, &conf->database, conf->timeout_ms, diag, &options.db);
    if (!err && fr_sync_place_is_set(&conf->names))
        err = open_database(r->cli, &conf->names, conf->timeout_ms, diag, &options.names);
    if (!err) return fr_sync_source_open(&options, diag, out);
    fr_sync_db_close(options.db);
    return err;
}

static enum fr_err do_federation(struct round *r, const struct fr_sync_federation_conf *fed,
                                 struct fr_diag *diag)
{
    struct fr_sync_run run = {.cli = r->cli, .fed = fed, .is_dry = fr_cli_flag(r->cli, "dry-run")};
    enum fr_err err = read_percent(r->cli, fed->max_withdraw, diag, &run.max_withdraw);
    if (!err) err = open_source(r, fed, diag, &run.source);
    if (!err) err = fr_sync_federation(&run, diag, &r->refused);
    fr_sync_source_close(run.source);
    return err;
}

/* Every federation has its turn, whatever became of those before; the exit code is that of the first fault. */
static enum fr_exit do_all(struct round *r)
{
    enum fr_exit code = FR_EXIT_OK;
    for (size_t i = 0; i < r->conf.n_federations; i++) {
        struct fr_diag diag = {0};
        const enum fr_err err = do_federation(r, &r->conf.federations[i], &diag);
        const enum fr_exit one = fr_cli_fail(r->cli, err, &diag);
        if (code == FR_EXIT_OK) code = one;
    }
    if (code == FR_EXIT_OK && r->refused) code = FR_EXIT_FALSE;
    return code;
}

/* The configuration is read in every round: what is changed in it counts from the next one. */
static enum fr_exit do_round(struct fr_cli *cli, enum fr_sync_kind kind, uint32_t *every_ms)
{
    struct round r = {.cli = cli, .kind = kind};
    struct fr_diag diag = {0};
    enum fr_err err = fr_conf_load(&fr_sync_schema, fr_cli_opt(cli, "config"), &diag, &r.conf);
    if (!err) err = fr_sync_conf_check(&r.conf, kind, &diag);
    if (!err) *every_ms = r.conf.every_ms;
    const enum fr_exit code = err ? fr_cli_fail(cli, err, &diag) : do_all(&r);
    fr_conf_free(&fr_sync_schema, &r.conf);
    return code;
}

/* Give or take a fifth, so that many members do not come at once. */
static void pause_about(uint32_t ms)
{
    uint32_t random = 0;
    (void)fr_random(&random, sizeof random);
    const uint64_t paused = ms - ms / 5 + (uint64_t)random % (2 * (ms / 5) + 1);
    const struct timespec pause = {.tv_sec = (time_t)(paused / 1000),
                                   .tv_nsec = (long)(paused % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static enum fr_exit sync_from(struct fr_cli *cli, enum fr_sync_kind kind)
{
    uint32_t every_ms = 0, percent;
    struct fr_diag diag = {0};
    if (fr_cli_n_args(cli) > 0)
        return fr_cli_usage(cli,
                            "a connection string on a command line is seen by everybody on the "
                            "machine: name its file, variable or credential in sync.yaml");
    enum fr_err err = read_percent(cli, 0, &diag, &percent);
    if (err) return fr_cli_fail(cli, err, &diag);
    enum fr_exit code = do_round(cli, kind, &every_ms);
    if (fr_cli_flag(cli, "dry-run")) fr_cli_note(cli, "dry run: nothing was changed");
    /* Ends by a signal: what is cut is done by the next one. A configuration that never loaded is not waited for. */
    while (fr_cli_flag(cli, "watch") && every_ms) {
        pause_about(every_ms);
        code = do_round(cli, kind, &every_ms);
    }
    return code;
}

enum fr_exit fr_cmd_sync_chirpstack_v4(struct fr_cli *cli)
{
    return sync_from(cli, FR_SYNC_CHIRPSTACK_V4);
}

enum fr_exit fr_cmd_sync_chirpstack_v3(struct fr_cli *cli)
{
    return sync_from(cli, FR_SYNC_CHIRPSTACK_V3);
}
