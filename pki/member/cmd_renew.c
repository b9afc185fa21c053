/* fedroam renew: certificates at two thirds of their life, and what is to be run afterwards. */
#include "member_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "enrol/renew.h"
#include "member_cli/after.h"
#include "member_cli/place.h"
#include "member_cli/report.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLEEP_MAX_S = 3600, SLEEP_RETRY_S = 300 };

struct round {
    struct fr_cli *cli;
    char dir[FR_WALLET_PATH];
    bool is_now, is_rekey, is_dry;
    uint32_t rekey_wait_s;
    int64_t now_s;
    struct fr_report report;
    bool changed;
    enum fr_err worst; /* the first failure's */
    int64_t next_s;    /* when there is something to do again; 0: nothing */
};

static void note_next(struct round *r, int64_t when_s)
{
    if (r->next_s == 0 || when_s < r->next_s) r->next_s = when_s;
}

static void note_failure(struct round *r, enum fr_err err, const char *fed, const char *name,
                         const struct fr_diag *diag)
{
    char text[1024];

    fr_diag_print(diag, err, text, sizeof text);
    fr_report_add(&r->report, "failed", "%s%s%s: %s", fed, name[0] ? " " : "", name, text);
    fr_cli_note(r->cli, "%s %s: %s", fed, name, text);
    if (r->worst == FR_OK) r->worst = err;
    note_next(r, r->now_s + SLEEP_RETRY_S);
}

/* --- certificates --- */

static void renew_pair(struct round *r, const char *folder, const struct fr_wallet_entry *entry,
                       const struct fr_pair *pair)
{
    const int64_t due_s = fr_renew_due_s(pair);
    struct fr_diag diag = {0};
    char text[FR_TIME_TEXT];
    uid_t owner = (uid_t)-1;

    if (pair->next_s != 0) {
        fr_time_print(pair->next_s, text);
        fr_report_add(&r->report, "waiting", "%s %s: new key from %s", entry->name,
                      pair->subject.name, text);
        note_next(r, pair->next_s);
        return;
    }
    if (!r->is_now && due_s > r->now_s) {
        fr_time_print(due_s, text);
        fr_report_add(&r->report, "good", "%s %s: due %s", entry->name, pair->subject.name, text);
        note_next(r, due_s);
        return;
    }
    if (r->is_dry) {
        fr_report_add(&r->report, "would", "renew %s %s", entry->name, pair->subject.name);
        return;
    }
    enum fr_err err = fr_place_owner(entry, pair->subject.profile, &diag, &owner);
    const struct fr_renew renew = {.folder = folder,
                                   .entry = entry,
                                   .is_rekey = r->is_rekey,
                                   .rekey_wait_s = r->rekey_wait_s,
                                   .owner = owner,
                                   .now_s = r->now_s};
    if (!err) err = fr_renew_pair(&renew, pair, &diag);
    if (err) {
        note_failure(r, err, entry->name, pair->subject.name, &diag);
        return;
    }
    r->changed = true;
    const bool waits = r->is_rekey && pair->subject.profile != FR_WALLET_DOH && r->rekey_wait_s > 0;
    fr_report_add(&r->report, "renewed", "%s %s%s%s", entry->name, pair->subject.name,
                  r->is_rekey ? ", new key" : "", waits ? ", used as soon as peers know it" : "");
    note_next(r, r->now_s + (waits ? (int64_t)r->rekey_wait_s : SLEEP_MAX_S));
}

/* --- afterwards --- */

static void run_after(struct round *r, const char *folder, const struct fr_wallet_entry *entry)
{
    struct fr_pairs *pairs = NULL; /* as they are now */
    struct fr_diag diag = {0};
    bool ran = false;
    enum fr_err err = fr_pairs_read(folder, entry->name, &diag, &pairs);

    if (!err) err = fr_after_run(folder, entry, pairs, r->now_s, &diag, &ran);
    if (ran) fr_report_add(&r->report, "ran", "%s: %s", entry->name, entry->exec);
    if (err == FR_E_BUSY) {
        fr_report_add(&r->report, "waiting", "%s: %s", entry->name, diag.what);
        note_next(r, r->now_s + 60);
    } else if (err) {
        note_failure(r, err, entry->name, "", &diag);
    }
    fr_free(pairs);
}

static void renew_entry(struct round *r, const struct fr_wallet_entry *entry)
{
    char folder[FR_WALLET_PATH];
    struct fr_pairs *pairs = NULL;
    struct fr_diag diag = {0};
    size_t moved = 0;
    enum fr_err err = fr_wallet_path(folder, &diag, "%s/%s", r->dir, entry->name);

    if (!err && !r->is_dry) err = fr_pairs_settle(folder, r->now_s, &diag, &moved);
    if (!err) err = fr_pairs_read(folder, entry->name, &diag, &pairs);
    if (err) {
        note_failure(r, err, entry->name, "", &diag);
        return;
    }
    if (moved > 0) {
        fr_report_add(&r->report, "installed", "%s: %zu new key%s", entry->name, moved,
                      moved > 1 ? "s" : "");
        r->changed = true;
    }
    for (size_t i = 0; i < pairs->n; i++) renew_pair(r, folder, entry, &pairs->list[i]);
    fr_free(pairs);
    if (!r->is_dry) run_after(r, folder, entry);
}

/* --- rounds --- */

static enum fr_err renew_wallet(struct round *r, struct fr_diag *diag)
{
    const char *fed = fr_cli_opt(r->cli, "fed");
    struct fr_wallet wallet = {0};
    struct fr_wallet_entry *one = NULL;
    int lock = -1;
    enum fr_err err = r->is_dry ? FR_OK : fr_wallet_lock(r->dir, diag, &lock);

    r->now_s = fr_clock_real_s(fr_clock_system());
    if (!err)
        err = fed ? fr_wallet_load(r->dir, fed, diag, &one) : fr_wallet_open(r->dir, diag, &wallet);
    if (!err && one) renew_entry(r, one);
    for (size_t i = 0; !err && i < wallet.n; i++) renew_entry(r, wallet.entries[i]);
    if (!err && !one && wallet.n == 0)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "%s holds no federation: fedroam join TOKEN",
                           r->dir);
    fr_wallet_free(one);
    fr_wallet_close(&wallet);
    if (lock >= 0) (void)close(lock); /* lets go; nothing is written through it */
    return err;
}

static enum fr_exit once(struct round *r)
{
    static const char *const keys[] = {"renewed", "installed", "ran",    "would",
                                       "waiting", "good",      "failed", NULL};
    struct fr_diag diag = {0};
    enum fr_err err = renew_wallet(r, &diag);

    if (err) return fr_cli_fail(r->cli, err, &diag);
    if (r->is_dry) fr_cli_note(r->cli, "dry run: nothing was asked for, nothing written");
    err = fr_report_print(&r->report, keys, r->changed, r->cli);
    return err ? fr_cli_fail(r->cli, err, NULL) : fr_exit_from_err(r->worst);
}

static void sleep_until(const struct round *r)
{
    int64_t s = r->next_s > r->now_s ? r->next_s - r->now_s : 1;

    if (r->next_s == 0 || s > SLEEP_MAX_S) s = SLEEP_MAX_S;
    struct timespec left = {.tv_sec = (time_t)s};
    (void)nanosleep(&left, NULL); /* woken early: looks early */
}

/* Until it is ended. A failure of one round is said and tried again in the next. */
__attribute__((noreturn)) static void for_ever(struct round *r)
{
    for (;;) {
        struct fr_diag diag = {0};
        char text[1024];
        enum fr_err err = renew_wallet(r, &diag);
        if (err && err != FR_E_BUSY && err != FR_E_NOT_FOUND) {
            fr_diag_print(&diag, err, text, sizeof text);
            fr_cli_note(r->cli, "%s", text);
        }
        for (size_t i = 0; i < r->report.n; i++)
            if (strcmp(r->report.lines[i].key, "good") != 0)
                fr_cli_note(r->cli, "%s: %s", r->report.lines[i].key, r->report.lines[i].text);
        fr_report_free(&r->report);
        (void)fflush(fr_cli_err(r->cli)); /* talk; nothing depends on it */
        if (err) note_next(r, r->now_s + SLEEP_RETRY_S);
        sleep_until(r);
        r->next_s = 0;
        r->is_now = r->is_rekey = false; /* asked for once */
    }
}

enum fr_exit fr_cmd_renew(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    const char *after = fr_cli_opt(cli, "key-after");
    uint64_t ms = (uint64_t)FR_REKEY_WAIT_S * 1000;
    enum fr_exit code;

    if ((fr_cli_opt(cli, "fed") ? 1 : 0) + fr_cli_flag(cli, "all") + fr_cli_flag(cli, "daemon") !=
        1)
        return fr_cli_usage(cli, "give one of --all, --fed NAME, --daemon");
    if (after && fr_parse_duration_ms(fr_span_str(after), 0, 86400000, &ms) != FR_OK)
        return fr_cli_usage(cli, "--key-after \"%s\" is not a time such as 2m", after);
    if (fr_cli_flag(cli, "daemon") && fr_cli_flag(cli, "dry-run"))
        return fr_cli_usage(cli, "--dry-run shows one round: give --all");
    struct round *r = fr_calloc(1, sizeof *r);
    if (r == NULL) return fr_cli_fail(cli, FR_E_NOMEM, NULL);
    r->cli = cli;
    r->is_rekey = fr_cli_flag(cli, "rekey");
    r->is_now = fr_cli_flag(cli, "now") || r->is_rekey;
    r->is_dry = fr_cli_flag(cli, "dry-run");
    r->rekey_wait_s = (uint32_t)(ms / 1000);
    enum fr_err err = fr_place_dir(cli, &diag, r->dir);
    if (!err && fr_cli_flag(cli, "daemon")) for_ever(r);
    code = err ? fr_cli_fail(cli, err, &diag) : once(r);
    fr_report_free(&r->report);
    fr_free(r);
    return code;
}
