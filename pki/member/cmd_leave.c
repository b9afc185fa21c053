/* fedroam leave: out of a federation, there and here. */
#include "member_cli/cmds.h"

#include "base/file.h"
#include "base/mem.h"
#include "enrol/files.h"
#include "enrol/leave.h"
#include "member_cli/join_server.h"
#include "member_cli/place.h"
#include "member_cli/report.h"

#include <unistd.h>

#define BEGUN "begun\n"
#define TOLD "told\n"

struct departure {
    struct fr_cli *cli;
    struct fr_place place;
    struct fr_report report;
    bool is_local, is_dry;
    bool has_begun, is_told; /* by an earlier run, that was ended */
};

/* --- there --- */

/* What the federation has ended it does not listen to any more. So it is noted here before it is told, and
 * when it has been: who is ended in between is run again. */
static enum fr_err note(const struct departure *d, const char *how_far, struct fr_diag *diag)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/" FR_WALLET_LEAVING, d->place.folder);

    if (err || d->is_dry) return err;
    return fr_file_write(path, 0644, fr_span_str(how_far), diag);
}

static void read_note(struct departure *d)
{
    struct fr_buf text = FR_BUF_INIT(64);
    char path[FR_WALLET_PATH];

    if (fr_wallet_path(path, NULL, "%s/" FR_WALLET_LEAVING, d->place.folder) == FR_OK &&
        fr_file_read(path, NULL, &text) == FR_OK) {
        d->has_begun = true;
        d->is_told = fr_span_is(fr_buf_span(&text), TOLD);
    }
    fr_buf_deinit(&text);
}

static enum fr_err ask(struct departure *d, struct fr_diag *diag)
{
    for (size_t i = 0; i < d->place.pairs->n; i++) {
        const struct fr_pair *pair = &d->place.pairs->list[i];
        struct fr_leave_result gone;
        enum fr_err err =
            fr_leave_ask(d->place.folder, d->place.entry, pair, d->is_dry, diag, &gone);
        if (err == FR_E_DENIED && d->has_begun) {
            fr_report_add(&d->report, "revoked", "%s: before", pair->subject.name);
            continue;
        }
        if (err) return err;
        fr_report_add(&d->report, d->is_dry ? "would" : "revoked",
                      "%s%s: %llu certificate%s, %llu device%s withdrawn",
                      d->is_dry ? "revoke " : "", pair->subject.name,
                      (unsigned long long)gone.certificates, gone.certificates == 1 ? "" : "s",
                      (unsigned long long)gone.devices, gone.devices == 1 ? "" : "s");
    }
    return FR_OK;
}

static enum fr_err tell(struct departure *d, struct fr_diag *diag)
{
    enum fr_err err = note(d, BEGUN, diag);

    if (!err) err = ask(d, diag);
    if (!err) return note(d, TOLD, diag);
    /* refused at once: nothing has begun */
    if (!d->is_dry && !d->has_begun && fr_report_count(&d->report, "revoked") == 0)
        fr_leave_forget(d->place.folder);
    return err;
}

/* --- here --- */

static enum fr_err leave_chirpstack(struct departure *d, struct fr_diag *diag)
{
    const struct fr_wallet_entry *e = d->place.entry;
    struct fr_server server = {0};
    bool changed = false;
    enum fr_err err;

    if (e->lns != FR_LNS_CHIRPSTACK_V4 || e->lns_dir == NULL) return FR_OK;
    if (d->is_dry) {
        fr_report_add(&d->report, "would", "take %s out of %s/fedroam.toml", e->name, e->lns_dir);
        return FR_OK;
    }
    err = fr_server_open(d->place.dir, e->lns, e->lns_dir, e->name, diag, &server);
    if (!err && server.view.n == 0)
        err = fr_chirpstack_remove_v4(e->lns_dir, diag);
    else if (!err)
        err = fr_chirpstack_write_v4(e->lns_dir, &server.view, diag, &changed);
    if (!err) {
        fr_report_add(&d->report, "removed", "%s from %s/fedroam.toml", e->name, e->lns_dir);
        fr_report_add(&d->report, "next", "restart ChirpStack");
    }
    fr_server_close(&server);
    return err;
}

static enum fr_err leave_files(struct departure *d, struct fr_diag *diag)
{
    const char *fed = d->place.entry->name;
    enum fr_err err = FR_OK;

    for (int i = 0; !err && i < FR_WALLET_FILES; i++) {
        const enum fr_wallet_file file = (enum fr_wallet_file)i;
        bool changed = false;
        if (d->is_dry) {
            fr_report_add(&d->report, "would", "take %s out of %s/%s", fed, d->place.dir,
                          fr_wallet_file_name(file));
            continue;
        }
        err = fr_wallet_file_remove(d->place.dir, file, fed, diag, &changed);
        if (!err && changed)
            fr_report_add(&d->report, "removed", "%s from %s/%s", fed, d->place.dir,
                          fr_wallet_file_name(file));
    }
    return err;
}

static void tell_v3(struct departure *d)
{
    if (d->place.entry->lns == FR_LNS_CHIRPSTACK_V3)
        fr_report_add(&d->report, "next",
                      "take the tables of %s out of ChirpStack's configuration: "
                      "fedroam export chirpstack-v3 prints what remains",
                      d->place.entry->name);
}

/* The network server's part first and the keys last: a run that is ended in between is run again. */
static enum fr_err go(struct departure *d, struct fr_diag *diag)
{
    enum fr_err err = d->is_local || d->is_told ? FR_OK : tell(d, diag);

    if (!err) err = leave_chirpstack(d, diag);
    if (!err) err = leave_files(d, diag);
    tell_v3(d);
    if (!err && d->is_dry) fr_report_add(&d->report, "would", "remove %s", d->place.folder);
    if (!err && !d->is_dry) {
        err = fr_wallet_remove(d->place.dir, d->place.entry->name, diag);
        if (!err) fr_report_add(&d->report, "removed", "%s", d->place.folder);
    }
    return err;
}

static enum fr_exit run(struct departure *d)
{
    static const char *const keys[] = {"would", "revoked", "removed", "next", NULL};
    struct fr_diag diag = {0};
    int lock = -1;
    enum fr_err err = d->is_dry ? FR_OK : fr_wallet_lock(d->place.dir, &diag, &lock);

    if (!err) err = go(d, &diag);
    if (lock >= 0) (void)close(lock); /* lets go; nothing is written through it */
    if (err && fr_report_count(&d->report, "revoked") > 0)
        fr_cli_note(d->cli, "some certificates are revoked already: end it with --local");
    if (err) return fr_cli_fail(d->cli, err, &diag);
    if (d->is_dry) fr_cli_note(d->cli, "dry run: nothing changed");
    err = fr_report_print(&d->report, keys, !d->is_dry, d->cli);
    return err ? fr_cli_fail(d->cli, err, NULL) : FR_EXIT_OK;
}

enum fr_exit fr_cmd_leave(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct departure *d = fr_calloc(1, sizeof *d);
    enum fr_err err = d ? fr_place_open(cli, fr_cli_arg(cli, 0), &diag, &d->place) : FR_E_NOMEM;
    enum fr_exit code;

    if (err) {
        code = fr_cli_fail(cli, err, &diag);
        goto out;
    }
    d->cli = cli;
    d->is_local = fr_cli_flag(cli, "local");
    d->is_dry = fr_cli_flag(cli, "dry-run");
    read_note(d);
    code = fr_cli_confirm_name(cli, d->place.entry->name,
                               "The certificates and keys of %s in %s end for good.",
                               d->place.entry->name, d->place.folder);
    if (code == FR_EXIT_OK) code = run(d);
    fr_report_free(&d->report);
    fr_place_close(&d->place);
out:
    fr_free(d);
    return code;
}
