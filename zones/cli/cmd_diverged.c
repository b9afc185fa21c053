/* fedroam replica diverged list, apply, drop */
#include "zones_cli/cmds.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"
#include "zones_cli/reading.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGINNING "{\"sequence\":"

static bool is_diverged(const char *name)
{
    const struct fr_span text = fr_span_str(name);

    return fr_span_starts(text, "diverged-") && fr_span_ends(text, ".ndjson") &&
           strchr(name, '/') == NULL;
}

/* The number of the change that a line is about. */
static enum fr_err read_sequence(const char *line, uint64_t *out)
{
    struct fr_span rest = fr_span_str(line), digits, tail;

    if (!fr_span_starts(rest, BEGINNING)) return FR_E_MALFORMED;
    rest = fr_span(rest.p + strlen(BEGINNING), rest.n - strlen(BEGINNING));
    if (!fr_span_cut(rest, ',', &digits, &tail)) return FR_E_MALFORMED;
    return fr_parse_u64(digits, 1, INT64_MAX, out) == FR_OK ? FR_OK : FR_E_MALFORMED;
}

/* --- list --- */

static const struct fr_column list_columns[] = {
    {.key = "file"}, {.key = "changes", .is_right = true}, {.key = "bytes", .is_right = true}, {0}};

static enum fr_err put_file(struct fr_table *table, const char *dir, const char *name,
                            struct fr_diag *diag)
{
    char *path = fr_path_join(dir, name), *line = NULL;
    size_t room = 0;
    uint64_t n = 0, bytes = 0;

    if (path == NULL) return FR_E_NOMEM;
    FILE *file = fopen(path, "re");
    enum fr_err err = file != NULL ? FR_OK : fr_err_from_errno(errno);
    for (ssize_t got = 0; file != NULL && (got = getline(&line, &room, file)) > 0; n++)
        bytes += (uint64_t)got;
    if (file != NULL && ferror(file)) err = FR_E_IO;
    if (file != NULL) (void)fclose(file);
    free(line);
    if (err) err = fr_diag_fail(diag, err, "%s: %s", path, fr_err_text(err));
    fr_free(path);
    if (err) return err;
    fr_table_text(table, name);
    fr_table_uint(table, n);
    fr_table_uint(table, bytes);
    return FR_OK;
}

enum fr_exit fr_cmd_diverged_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    DIR *dir = NULL;

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(list_columns, &table);
    if (err) goto out;
    dir = opendir(session.dir);
    if (dir == NULL) err = fr_err_from_errno(errno);
    for (struct dirent *e; err == FR_OK && dir != NULL && (e = readdir(dir)) != NULL;)
        if (is_diverged(e->d_name)) err = put_file(table, session.dir, e->d_name, &diag);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
out:
    if (dir != NULL) (void)closedir(dir);
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- apply --- */

static const struct fr_column apply_columns[] = {
    {.key = "change", .is_right = true}, {.key = "outcome"}, {.key = "why"}, {0}};

struct applying {
    struct fr_table *table;
    uint64_t fork, until, refused;
};

/* One change of the file. What is refused is told, and does not stop the others; other trouble does. */
static enum fr_err apply_line(const struct fr_cli *cli, struct applying *a, const char *line,
                              uint64_t sequence, struct fr_diag *diag)
{
    struct fr_buf args = FR_BUF_INIT(FR_ADMIN_ARGS_MAX);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag told = {0};

    fr_buf_printf(&args, "{\"fork\":%" PRIu64 ",\"until\":%" PRIu64 ",\"record\":%s}", a->fork,
                  a->until, line);
    enum fr_err err =
        fr_session_change(cli, "replica.reapply", &args, (struct fr_span){0}, &told, &reply);
    bool is_refusal = err == FR_E_CONFLICT || err == FR_E_UNSUPPORTED || err == FR_E_INVALID ||
                      err == FR_E_NOT_FOUND || err == FR_E_EXISTS || err == FR_E_REVOKED;
    if (err == FR_OK || is_refusal) {
        fr_table_uint(a->table, sequence);
        fr_table_text(a->table, err ? "refused" : fr_admin_reply_text(reply, "outcome"));
        fr_table_text(a->table, err ? told.what : NULL);
        if (err) a->refused++;
        err = FR_OK;
    } else {
        *diag = told;
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err;
}

/* What comes into the journal from now on is ours. */
static enum fr_err read_until(const struct fr_cli *cli, struct applying *a, struct fr_diag *diag)
{
    struct fr_session session = FR_SESSION_INIT;

    enum fr_err err = fr_session_open(cli, diag, &session);
    if (err == FR_OK) a->until = fr_snap_sequence(session.snap);
    fr_session_close(&session);
    return err;
}

static enum fr_err apply_file(const struct fr_cli *cli, FILE *file, struct applying *a,
                              struct fr_diag *diag)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t sequence = 0;
    enum fr_err err = read_until(cli, a, diag);
    ssize_t n = 0;

    while (err == FR_OK && (n = getline(&line, &room, file)) > 0) {
        if (line[n - 1] == '\n') line[n - 1] = '\0';
        err = read_sequence(line, &sequence);
        if (err) {
            (void)fr_diag_fail(diag, err, "%s: not a file of lost changes", fr_cli_arg(cli, 0));
            break;
        }
        if (a->fork == 0) a->fork = sequence - 1;
        err = apply_line(cli, a, line, sequence, diag);
    }
    if (err == FR_OK && ferror(file)) err = FR_E_IO;
    free(line);
    return err;
}

enum fr_exit fr_cmd_diverged_apply(struct fr_cli *cli)
{
    struct applying a = {0};
    struct fr_diag diag = {0};

    FILE *file = fopen(fr_cli_arg(cli, 0), "re");
    enum fr_err err = file != NULL ? FR_OK : fr_err_from_errno(errno);
    if (err) (void)fr_diag_fail(&diag, err, "%s: %s", fr_cli_arg(cli, 0), fr_err_text(err));
    if (err == FR_OK) err = fr_table_new(apply_columns, &a.table);
    if (err == FR_OK) err = apply_file(cli, file, &a, &diag);
    enum fr_err shown =
        a.table != NULL ? fr_table_print(a.table, fr_cli_output(cli), fr_cli_out(cli)) : FR_OK;
    fr_table_free(a.table);
    if (file != NULL) (void)fclose(file);
    fr_session_note_dry_run(cli);
    if (err == FR_OK) err = shown;
    if (err) return fr_cli_fail(cli, err, &diag);
    if (a.refused == 0) return FR_EXIT_OK;
    (void)fr_diag_fail(&diag, FR_E_CONFLICT, "%" PRIu64 " changes were not made again", a.refused);
    fr_diag_hint(&diag, "see to them by hand, then drop the file on the old primary: fedroam "
                        "replica diverged drop");
    return fr_cli_fail(cli, FR_E_CONFLICT, &diag);
}

/* --- drop --- */

enum fr_exit fr_cmd_diverged_drop(struct fr_cli *cli)
{
    const char *name = fr_cli_arg(cli, 0);
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    char *path = NULL;

    if (!is_diverged(name)) return fr_cli_usage(cli, "%s is no diverged-<term>.ndjson", name);
    enum fr_exit code =
        fr_cli_confirm_name(cli, name, "The changes in %s are lost for good.", name);
    if (code != FR_EXIT_OK || fr_cli_flag(cli, "dry-run")) return code;
    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) {
        path = fr_path_join(session.dir, name);
        if (path == NULL || unlink(path) != 0)
            err = path == NULL ? FR_E_NOMEM : fr_err_from_errno(errno);
        if (err) (void)fr_diag_fail(&diag, err, "%s: %s", name, fr_err_text(err));
    }
    fr_free(path);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
