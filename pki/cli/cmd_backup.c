/* fedroam backup create, backup verify, restore */
#include "pki_cli/cmds.h"

#include "backup/restore.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki_cli/cells.h"
#include "session/owner.h"
#include "session/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define LISTS_MAX 32
#define CREDENTIAL "backup-passphrase"

/* --- what they share --- */

/* From the descriptor, the service manager, or the terminal. */
static enum fr_err find_secret(const struct fr_cli *cli, bool is_new, struct fr_diag *diag,
                               struct fr_buf *out)
{
    const struct fr_cli_keeper *keeper = fr_cli_data(cli);
    const char *fd = fr_cli_opt(cli, "backup-passphrase-fd");

    if (fd != NULL) return fr_passphrase_read_fd(fd, diag, out);
    if (keeper != NULL && keeper->credentials != NULL) {
        enum fr_err err =
            fr_passphrase_read_credential_named(keeper->credentials, CREDENTIAL, diag, out);
        if (err != FR_E_NOT_FOUND) return err;
    }
    enum fr_err err = fr_passphrase_ask("passphrase of the backup: ", is_new, diag, out);
    if (err == FR_E_UNAVAILABLE)
        fr_diag_hint(diag, "give the passphrase with --backup-passphrase-fd");
    return err;
}

static enum fr_err open_backup(const char *path, struct fr_diag *diag, int *fd)
{
    *fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                 : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
    return FR_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0) (void)close(fd);
}

/* --- create --- */

struct target {
    const char *path; /* NULL: standard output */
    char part[PATH_SIZE];
    int fd;
};

/* The file gets its name when it is whole. */
static enum fr_err open_target(const char *path, struct fr_diag *diag, struct target *t)
{
    t->fd = -1;
    if (strcmp(path, "-") == 0) {
        if (isatty(STDOUT_FILENO))
            return fr_diag_fail(diag, FR_E_USAGE, "a backup is not written to a terminal");
        t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return t->fd < 0 ? fr_err_from_errno(errno) : FR_OK;
    }
    t->path = path;
    if (fr_file_exists(path)) return fr_diag_fail(diag, FR_E_EXISTS, "%s is there already", path);
    if (snprintf(t->part, sizeof t->part, "%s.part", path) >= (int)sizeof t->part)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path is too long");
    (void)unlink(t->part);
    t->fd = open(t->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->fd < 0) return fr_diag_fail(diag, FR_E_CREATE, "%s: %s", t->part, strerror(errno));
    return FR_OK;
}

static enum fr_err finish_target(struct target *t, enum fr_err err, struct fr_diag *diag)
{
    if (t->path == NULL) return err;
    if (!err && (fsync(t->fd) != 0 || link(t->part, t->path) != 0))
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", t->path, strerror(errno));
    if (t->fd >= 0) (void)unlink(t->part);
    return err;
}

static const struct fr_column CREATE_COLUMNS[] = {
    {.key = "federation"}, {.key = "made"},    {.key = "change"},
    {.key = "devices"},    {.key = "members"}, {.key = "certificates"},
    {.key = "bytes"},      {.key = "sha256"},  {0},
};

static enum fr_err print_created(const struct fr_cli *cli, const struct fr_backup_manifest *m,
                                 const struct fr_sealed_sum *sum, FILE *out)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(CREATE_COLUMNS, &t);

    if (err) return err;
    fr_table_text(t, m->federation);
    fr_cell_time(t, m->made_s);
    fr_table_uint(t, m->sequence);
    fr_table_uint(t, m->devices);
    fr_table_uint(t, m->members);
    fr_table_uint(t, m->certs);
    fr_table_uint(t, sum->bytes);
    fr_cell_hex(t, sum->sha256, sizeof sum->sha256);
    err = fr_table_print_record(t, fr_cli_output(cli), out);
    fr_table_free(t);
    return err;
}

static void warn_of_root(const struct fr_cli *cli, const char *dir)
{
    char *path = fr_path_join(dir, "root.key");

    if (path != NULL && fr_file_exists(path))
        fr_cli_note(cli, "%s is not in the backup: keep it apart", path);
    fr_free(path);
}

enum fr_exit fr_cmd_backup_create(struct fr_cli *cli)
{
    char dir[FR_STATE_DIR_MAX];
    struct fr_diag diag = {0};
    struct fr_buf secret = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    struct target target = {.fd = -1};
    struct fr_admin_identity identity = {0};
    bool has_identity = false;
    struct fr_backup_manifest manifest;
    struct fr_sealed_sum sum;

    enum fr_err err = fr_session_find(cli, &diag, dir);
    if (!err) err = open_target(fr_cli_opt(cli, "out"), &diag, &target);
    if (!err) err = find_secret(cli, true, &diag, &secret);
    if (!err) err = fr_admin_identity_enter(dir, &diag, &identity);
    has_identity = !err;
    const struct fr_backup_options options = {.state = dir,
                                              .fd = target.fd,
                                              .passphrase = fr_buf_span(&secret),
                                              .now_s = fr_clock_real_s(fr_clock_system())};
    if (!err) err = fr_backup_create(&options, &diag, &manifest, &sum);
    if (!err) err = fr_backup_note(dir, manifest.made_s, &diag);
    if (has_identity) fr_admin_identity_leave(&identity);
    err = finish_target(&target, err, &diag);
    if (!err) {
        warn_of_root(cli, dir);
        err = print_created(cli, &manifest, &sum,
                            target.path != NULL ? fr_cli_out(cli) : fr_cli_err(cli));
    }
    close_fd(target.fd);
    fr_buf_deinit_secret(&secret);
    return fr_cli_fail(cli, err, &diag);
}

/* --- verify --- */

static void tell_fault(void *data, const char *what)
{
    fr_cli_note(data, "%s", what);
}

static const struct fr_column VERIFY_COLUMNS[] = {
    {.key = "federation"},  {.key = "made"},         {.key = "change"},      {.key = "devices"},
    {.key = "members"},     {.key = "certificates"}, {.key = "audit_lines"}, {.key = "keys"},
    {.key = "locked_keys"}, {.key = "faults"},       {.key = "sha256"},      {0},
};

static enum fr_err print_verified(const struct fr_cli *cli, const struct fr_backup_manifest *m,
                                  const struct fr_backup_report *r, const struct fr_sealed_sum *sum)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(VERIFY_COLUMNS, &t);

    if (err) return err;
    fr_table_text(t, m->federation);
    fr_cell_time(t, m->made_s);
    fr_table_uint(t, m->sequence);
    fr_table_uint(t, r->devices);
    fr_table_uint(t, r->members);
    fr_table_uint(t, r->certs);
    fr_table_uint(t, r->audit_lines);
    fr_table_uint(t, r->keys);
    fr_table_uint(t, r->locked);
    fr_table_uint(t, r->faults);
    fr_cell_hex(t, sum->sha256, sizeof sum->sha256);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

/* Beside the backup, unless another place is named: it needs room, and is as secret as the state. */
static enum fr_err make_place(const struct fr_cli *cli, struct fr_diag *diag, char out[PATH_SIZE])
{
    const char *file = fr_cli_arg(cli, 0), *slash = strrchr(file, '/');
    const char *dir = fr_cli_opt(cli, "dir");
    int n = dir != NULL ? snprintf(out, PATH_SIZE, "%s/verify-XXXXXX", dir)
                        : snprintf(out, PATH_SIZE, "%.*sverify-XXXXXX",
                                   slash != NULL ? (int)(slash - file) + 1 : 0, file);

    if (n >= PATH_SIZE) return fr_diag_fail(diag, FR_E_LIMIT, "the path is too long");
    if (mkdtemp(out) == NULL)
        return fr_diag_fail(diag, FR_E_CREATE, "%s: %s", out, strerror(errno));
    return FR_OK;
}

enum fr_exit fr_cmd_backup_verify(struct fr_cli *cli)
{
    char place[PATH_SIZE] = "";
    struct fr_diag diag = {0};
    struct fr_buf secret = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    struct fr_cli_passphrase keys = FR_CLI_PASSPHRASE_INIT;
    struct fr_backup_manifest manifest;
    struct fr_backup_report report = {0};
    struct fr_sealed_sum sum;
    bool has_place = false;
    int fd = -1;
    enum fr_err err = open_backup(fr_cli_arg(cli, 0), &diag, &fd);

    if (!err) err = find_secret(cli, false, &diag, &secret);
    if (!err) err = fr_cli_passphrase_find(cli, "passphrase-fd", &diag, &keys);
    if (!err) err = make_place(cli, &diag, place);
    has_place = !err;
    if (!err) err = fr_backup_unpack(fd, fr_buf_span(&secret), place, &diag, &manifest, &sum);
    if (!err)
        err = fr_backup_check(place, &manifest, keys.provider.is_at_hand ? &keys.provider : NULL,
                              tell_fault, cli, &diag, &report);
    if (has_place) fr_backup_remove(place);
    if (!err) err = print_verified(cli, &manifest, &report, &sum);
    close_fd(fd);
    fr_cli_passphrase_deinit(&keys);
    fr_buf_deinit_secret(&secret);
    if (err) return fr_cli_fail(cli, err, &diag);
    return report.faults > 0 ? FR_EXIT_FALSE : FR_EXIT_OK;
}

/* --- restore --- */

static void tell_left(void *data, uint64_t record, const char *op, const char *why)
{
    fr_cli_note(data, "not restored: record %" PRIu64 ", %s: %s", record, op, why);
}

static const struct fr_column RESTORE_COLUMNS[] = {
    {.key = "federation"}, {.key = "state"},        {.key = "made"},
    {.key = "change"},     {.key = "devices"},      {.key = "tokens_ended"},
    {.key = "adopted"},    {.key = "revoked"},      {.key = "revoked_unknown"},
    {.key = "done_again"}, {.key = "not_restored"}, {0},
};

static enum fr_err print_restored(const struct fr_cli *cli, const char *state,
                                  const struct fr_restore_report *r)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(RESTORE_COLUMNS, &t);

    if (err) return err;
    fr_table_text(t, r->manifest.federation);
    fr_table_text(t, state);
    fr_cell_time(t, r->manifest.made_s);
    fr_table_uint(t, r->manifest.sequence);
    fr_table_uint(t, r->manifest.devices);
    fr_table_uint(t, r->tokens);
    fr_table_uint(t, r->adopted);
    fr_table_uint(t, r->revoked);
    fr_table_uint(t, r->barred);
    fr_table_uint(t, r->again);
    fr_table_uint(t, r->left);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

enum fr_exit fr_cmd_restore(struct fr_cli *cli)
{
    const char *lists[LISTS_MAX];
    const char *state = fr_cli_opt(cli, "state");
    const size_t n = fr_cli_opt_count(cli, "crl");
    struct fr_diag diag = {0};
    struct fr_buf secret = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    struct fr_cli_passphrase keys = FR_CLI_PASSPHRASE_INIT;
    struct fr_restore_report report;
    struct fr_owner owner = {0};
    int fd = -1;

    if (state == NULL) return fr_cli_usage(cli, "say with --state where to make it");
    if (fr_cli_flag(cli, "dry-run")) return fr_cli_usage(cli, "look first with: backup verify");
    if (n > LISTS_MAX) return fr_cli_usage(cli, "at most %d lists", LISTS_MAX);
    for (size_t i = 0; i < n; i++) lists[i] = fr_cli_opt_at(cli, "crl", i);
    enum fr_err err = open_backup(fr_cli_arg(cli, 0), &diag, &fd);
    if (!err) err = find_secret(cli, false, &diag, &secret);
    if (!err) err = fr_cli_passphrase_find(cli, "passphrase-fd", &diag, &keys);
    if (!err) err = fr_owner_find(cli, state, &diag, &owner);
    const struct fr_restore_options options = {
        .fd = fd,
        .passphrase = fr_buf_span(&secret),
        .state = state,
        .audit = fr_cli_opt(cli, "audit"),
        .lists = lists,
        .n_lists = n,
        .is_forgetful = fr_cli_flag(cli, "forget-revocations"),
        .keys = keys.provider.is_at_hand ? &keys.provider : NULL,
        .now_s = fr_clock_real_s(fr_clock_system()),
        .gives_away = owner.gives_away,
        .uid = owner.uid,
        .gid = owner.gid,
    };
    if (!err) err = fr_restore(&options, tell_left, cli, &diag, &report);
    if (!err) err = print_restored(cli, state, &report);
    close_fd(fd);
    fr_cli_passphrase_deinit(&keys);
    fr_buf_deinit_secret(&secret);
    return fr_cli_fail(cli, err, &diag);
}
