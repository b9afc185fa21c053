/* fedroam zone import */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "dns/master.h"
#include "store/device.h"
#include "store/import.h"
#include "store/list.h"
#include "zones_cli/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536
#define PROGRESS_EVERY_MS 200
#define ASK_ABOVE_PERCENT 5
#define LISTED_MAX 100 /* bad lines printed; the rest is counted */

struct job {
    struct fr_cli *cli;
    const char *name; /* of the file */
    uint32_t netid;
    struct fr_import *import;
    char dir[FR_STATE_DIR_MAX];
    struct fr_list *list; /* each row is the line it stands on */
    size_t listed;
};

/* A line that goes away again, on a terminal only. */
static void show_progress(const struct job *job, int64_t *shown_ms)
{
    FILE *err = fr_cli_err(job->cli);
    int64_t now_ms = fr_clock_mono_ms(fr_clock_system());

    if (!isatty(fileno(err)) || now_ms - *shown_ms < PROGRESS_EVERY_MS) return;
    *shown_ms = now_ms;
    fprintf(err, "\r%s: %zu lines\033[K", job->name, fr_import_lines(job->import));
    fflush(err);
}

static void clear_progress(const struct job *job)
{
    FILE *err = fr_cli_err(job->cli);

    if (isatty(fileno(err))) fprintf(err, "\r\033[K");
}

static void list_bad(void *data, size_t line, const char *why)
{
    struct job *job = data;

    if (!fr_cli_flag(job->cli, "keep-going")) return; /* told once, as the failure */
    if (++job->listed <= LISTED_MAX)
        fr_cli_note(job->cli, "%s:%zu: %s (left out)", job->name, line, why);
}

static enum fr_err take_device(void *data, uint64_t eui, size_t line, struct fr_diag *diag)
{
    struct job *job = data;

    return fr_list_add(job->list, eui, (uint32_t)line, diag);
}

/* The other records of a master file. Types we do not know are nobody's business here. */
static enum fr_err check_other(void *data, const char *record, const char *origin, const char **why)
{
    struct fr_dname zone;
    struct fr_rr rr;

    (void)data;
    *why = "the origin is not a name";
    enum fr_err err = fr_dname_parse(fr_span_str(origin[0] != '\0' ? origin : "."), &zone);
    if (err == FR_OK) err = fr_rr_parse(record, &zone, NULL, 0, &rr, why);
    return err == FR_E_UNSUPPORTED ? FR_OK : err;
}

static enum fr_err feed_all(struct job *job, FILE *file, struct fr_diag *diag)
{
    uint8_t *piece = fr_malloc(PIECE);
    int64_t shown_ms = fr_clock_mono_ms(fr_clock_system());
    enum fr_err err = piece == NULL ? fr_diag_fail(diag, FR_E_NOMEM, "out of memory") : FR_OK;

    while (err == FR_OK) {
        size_t n = fread(piece, 1, PIECE, file);
        if (n == 0) break;
        err = fr_import_feed(job->import, (struct fr_span){piece, n}, diag);
        show_progress(job, &shown_ms);
    }
    if (err == FR_OK && ferror(file))
        err = fr_diag_fail(diag, FR_E_IO, "%s: %s", job->name, strerror(errno));
    if (err == FR_OK) err = fr_import_end(job->import, diag);
    clear_progress(job);
    fr_free(piece);
    return err;
}

static enum fr_err read_file(struct job *job, FILE *file, struct fr_diag *diag)
{
    struct fr_import_options options = {
        .name = job->name,
        .netid = job->netid,
        .records = fr_cli_flag(job->cli, "records"),
        .keep_going = fr_cli_flag(job->cli, "keep-going"),
        .device = take_device,
        .bad = list_bad,
        .other = check_other,
        .data = job,
    };

    enum fr_err err = fr_list_new(job->dir, diag, &job->list);
    if (err == FR_OK) err = fr_import_new(&options, &job->import);
    if (err == FR_OK) err = feed_all(job, file, diag);
    for (bool done = false; err == FR_OK && !done;)
        err = fr_list_finish(job->list, 1000, diag, &done);
    return err;
}

/* The file is read as the user, the devices wait sorted in a file of the state directory as its owner. */
static enum fr_err read_devices(struct job *job, struct fr_diag *diag)
{
    const char *path = fr_cli_arg(job->cli, 0);
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? fr_cli_in(job->cli) : fopen(path, "re");
    struct fr_admin_identity identity = {0};

    if (file == NULL)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
    job->name = is_stdin ? "stdin" : path;
    enum fr_err err = fr_session_find(job->cli, diag, job->dir);
    if (err == FR_OK) err = fr_admin_identity_enter(job->dir, diag, &identity);
    if (err == FR_OK) err = read_file(job, file, diag);
    fr_admin_identity_leave(&identity);
    if (!is_stdin) fclose(file);
    return err;
}

static void forget_devices(struct job *job)
{
    struct fr_admin_identity identity = {0};

    if (job->list == NULL || fr_admin_identity_enter(job->dir, NULL, &identity) != FR_OK) return;
    fr_list_free(job->list);
    fr_admin_identity_leave(&identity);
}

/* What --replace would do, looked up here. */
static enum fr_err plan_replace(struct job *job, struct fr_diag *diag,
                                struct fr_device_report *report)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_bulk *bulk = NULL;
    uint64_t sequence = 0;
    const struct fr_device_job plan = {.netid = job->netid,
                                       .mode = FR_DEVICE_REPLACE,
                                       .list = job->list,
                                       .keep_going = true,
                                       .is_dry = true};

    enum fr_err err = fr_session_open(job->cli, diag, &session);
    if (err == FR_OK) err = fr_bulk_new(fr_snap_store(session.snap), &plan, NULL, diag, &bulk);
    for (bool done = false; err == FR_OK && !done;) err = fr_bulk_step(bulk, 1000, diag, &done);
    if (err == FR_OK) fr_bulk_report(bulk, report, &sequence);
    fr_bulk_free(bulk);
    fr_session_close(&session);
    return err;
}

/* +n -m =k; more than a little loss is asked about. */
static enum fr_exit ask_replace(struct job *job)
{
    struct fr_device_report report = {0};
    struct fr_diag diag = {0};

    enum fr_err err = plan_replace(job, &diag, &report);
    if (err) return fr_cli_fail(job->cli, err, &diag);
    uint64_t removed = report.count[FR_DEVICE_REMOVED];
    fr_cli_note(job->cli, "%06" PRIx32 ": +%" PRIu64 " -%" PRIu64 " =%" PRIu64, job->netid,
                report.count[FR_DEVICE_ADDED] + report.count[FR_DEVICE_MOVED], removed,
                report.count[FR_DEVICE_SAME]);
    if (removed * 100 <= report.before * ASK_ABOVE_PERCENT) return FR_EXIT_OK;
    return fr_cli_confirm(job->cli,
                          "remove %" PRIu64 " of the %" PRIu64 " devices of %06" PRIx32 "?",
                          removed, report.before, job->netid);
}

static enum fr_err publish(struct job *job, struct fr_diag *diag, const char **name)
{
    struct fr_admin_identity identity = {0};

    enum fr_err err = fr_admin_identity_enter(job->dir, diag, &identity);
    if (err) return err;
    err = fr_list_publish(job->list, diag, name);
    fr_admin_identity_leave(&identity);
    return err;
}

static enum fr_err send(struct job *job, struct fr_diag *diag, struct fr_admin_reply **reply)
{
    struct fr_buf args = FR_BUF_INIT(1024);
    struct fr_json json = fr_json(&args);
    const char *name = NULL;
    char netid[8];

    enum fr_err err = publish(job, diag, &name);
    if (err) return err;
    snprintf(netid, sizeof netid, "%06" PRIx32, job->netid);
    fr_json_object(&json);
    fr_json_put_str(&json, "netid", netid);
    fr_json_put_str(&json, "list", name);
    fr_json_put_bool(&json, "replace", fr_cli_flag(job->cli, "replace"));
    fr_json_put_bool(&json, "keep_going", fr_cli_flag(job->cli, "keep-going"));
    fr_json_end(&json);
    err = fr_session_change(job->cli, "zone.import", &args, (struct fr_span){0}, diag, reply);
    fr_buf_deinit(&args);
    return err;
}

static const char *refused_text(const struct fr_admin_reply *reply, size_t i, const char *key)
{
    char path[48];

    snprintf(path, sizeof path, "refused.%zu.%s", i, key);
    return fr_admin_reply_text(reply, path);
}

/* Where each refused device stands in the file, and whose it is. */
static enum fr_exit list_refused(struct job *job, const struct fr_admin_reply *reply)
{
    size_t n = fr_admin_reply_count(reply, "refused");
    enum fr_exit worst = FR_EXIT_OK;

    for (size_t i = 0; i < n; i++) {
        char path[48];
        snprintf(path, sizeof path, "refused.%zu.row", i);
        uint64_t row = fr_admin_reply_uint(reply, path, UINT64_MAX);
        const char *owner = refused_text(reply, i, "owner"),
                   *eui = refused_text(reply, i, "deveui");
        if (row == UINT64_MAX || eui == NULL) continue;
        worst = owner != NULL || worst == FR_EXIT_CONFLICT ? FR_EXIT_CONFLICT : FR_EXIT_DATA;
        if (++job->listed > LISTED_MAX) continue;
        if (owner != NULL)
            fr_cli_note(job->cli, "%s:%" PRIu64 ": device %s belongs to member %s", job->name, row,
                        eui, owner);
        else
            fr_cli_note(job->cli, "%s:%" PRIu64 ": device %s has a reserved EUI", job->name, row,
                        eui);
    }
    return worst;
}

static enum fr_exit print_result(struct job *job, const struct fr_admin_reply *reply)
{
    size_t bad = fr_import_left_out(job->import);
    enum fr_exit refused = list_refused(job, reply);
    uint64_t n_refused = fr_admin_reply_uint(reply, "refused_total", 0);

    if (job->listed > LISTED_MAX) fr_cli_note(job->cli, "… and %zu more", job->listed - LISTED_MAX);
    if (!fr_admin_reply_bool(reply, "imported")) {
        fr_cli_note(job->cli, "nothing was imported; --keep-going leaves such devices out");
        if (fr_cli_output(job->cli) == FR_OUTPUT_JSON) (void)fr_session_print_json(job->cli, reply);
        return refused == FR_EXIT_OK ? FR_EXIT_CONFLICT : refused;
    }
    return fr_print_change(
        job->cli, reply,
        "%06" PRIx32 ": %" PRIu64 " added, %" PRIu64 " moved, %" PRIu64 " removed, %" PRIu64
        " unchanged, %" PRIu64 " repeated, %" PRIu64 " left out; %" PRIu64 " devices\n",
        job->netid, fr_admin_reply_uint(reply, "added", 0), fr_admin_reply_uint(reply, "moved", 0),
        fr_admin_reply_uint(reply, "removed", 0), fr_admin_reply_uint(reply, "same", 0),
        fr_admin_reply_uint(reply, "repeated", 0), n_refused + bad,
        fr_admin_reply_uint(reply, "after", 0));
}

/* --records: the addresses of the file become the network's endpoints, in the file's order. */
static enum fr_err set_endpoints(struct job *job, struct fr_diag *diag)
{
    const struct fr_addr *addrs;
    size_t n = fr_import_addrs(job->import, &addrs);
    struct fr_buf args = FR_BUF_INIT(4096);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    char text[FR_ADDR_TEXT];

    if (n == 0) return FR_OK;
    snprintf(text, sizeof text, "%06" PRIx32, job->netid);
    fr_json_object(&json);
    fr_json_put_str(&json, "netid", text);
    fr_json_key(&json, "endpoints");
    fr_json_array(&json);
    for (size_t i = 0; i < n; i++) {
        fr_addr_print(&addrs[i], text);
        fr_json_str(&json, text);
    }
    fr_json_end(&json);
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(job->cli, "network.set", &args, (struct fr_span){0}, diag, &reply);
    if (err == FR_OK)
        fr_cli_note(job->cli, "%06" PRIx32 ": %zu endpoints taken from the file", job->netid, n);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err;
}

enum fr_exit fr_cmd_zone_import(struct fr_cli *cli)
{
    struct job job = {.cli = cli};
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    enum fr_err err = fr_arg_netid(fr_cli_opt(cli, "netid"), &diag, &job.netid);
    if (err == FR_OK) err = read_devices(&job, &diag);
    if (err) goto out;
    if (fr_cli_flag(cli, "replace")) code = ask_replace(&job);
    if (code != FR_EXIT_OK) goto out;
    err = send(&job, &diag, &reply);
    if (err) goto out;
    code = print_result(&job, reply);
    if (code == FR_EXIT_OK) err = set_endpoints(&job, &diag);
out:
    fr_admin_reply_free(reply);
    fr_import_free(job.import);
    forget_devices(&job);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
