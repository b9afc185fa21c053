/* fedroam renew: rounds, once or for ever. */
#include "member_cli/cmds.h"

#include "base/mem.h"
#include "base/parse.h"
#include "base/random.h"
#include "member_cli/place.h"
#include "member_cli/round.h"

#include <string.h>
#include <time.h>

enum { SLEEP_MAX_S = 3600, RETRY_S = 300, BUSY_S = 5, EVERY_S = 300, EVERY_MAX_S = 86400 };

static enum fr_exit once(struct fr_round *r)
{
    static const char *const keys[] = {"renewed", "installed", "peers", "file", "block",  "ran",
                                       "would",   "waiting",   "good",  "next", "failed", NULL};
    struct fr_diag diag = {0};
    enum fr_err err = fr_round_run(r, &diag);

    if (err) return fr_cli_fail(r->cli, err, &diag);
    if (r->is_dry) fr_cli_note(r->cli, "dry run: nothing was asked for, nothing written");
    err = fr_report_print(&r->report, keys, r->changed, r->cli);
    return err ? fr_cli_fail(r->cli, err, NULL) : fr_exit_from_err(r->worst);
}

static void sleep_until(const struct fr_round *r)
{
    int64_t s = r->next_s > r->now_s ? r->next_s - r->now_s : 1;

    if (r->next_s == 0 || s > SLEEP_MAX_S) s = SLEEP_MAX_S;
    struct timespec left = {.tv_sec = (time_t)s};
    (void)nanosleep(&left, NULL); /* woken early: looks early */
}

/* Members that were all told the same do not all come back at the same moment. */
static uint32_t about(uint32_t every_s)
{
    const uint32_t spread_s = every_s / 4;
    uint32_t chance = 0;

    if (spread_s == 0 || fr_random(&chance, sizeof chance) != FR_OK) return every_s;
    return every_s - spread_s / 2 + chance % spread_s;
}

/* Failures were said when they happened, and what is as it should be is not worth a line. */
static void say(const struct fr_round *r)
{
    for (size_t i = 0; i < r->report.n; i++) {
        const char *key = r->report.lines[i].key;
        if (strcmp(key, "good") != 0 && strcmp(key, "failed") != 0)
            fr_cli_note(r->cli, "%s: %s", key, r->report.lines[i].text);
    }
    (void)fflush(fr_cli_err(r->cli)); /* talk; nothing depends on it */
}

/* Until it is ended. A failure of one round is said and tried again in the next. */
__attribute__((noreturn)) static void for_ever(struct fr_round *r)
{
    const uint32_t every_s = r->every_s;

    for (;;) {
        struct fr_diag diag = {0};
        char text[1024];
        r->every_s = about(every_s);
        enum fr_err err = fr_round_run(r, &diag);
        if (err && err != FR_E_BUSY && err != FR_E_NOT_FOUND) {
            fr_diag_print(&diag, err, text, sizeof text);
            fr_cli_note(r->cli, "%s", text);
        }
        say(r);
        fr_report_free(&r->report);
        if (err) r->next_s = r->now_s + (err == FR_E_BUSY ? BUSY_S : RETRY_S);
        sleep_until(r);
        r->next_s = 0;
        r->is_now = r->is_rekey = false; /* asked for once */
    }
}

/* A time option in seconds. */
static bool read_time(const struct fr_cli *cli, const char *name, uint32_t min_s, uint32_t max_s,
                      uint32_t *out)
{
    const char *text = fr_cli_opt(cli, name);
    uint64_t ms = 0;

    if (text == NULL) return true;
    if (fr_parse_duration_ms(fr_span_str(text), (uint64_t)min_s * 1000, (uint64_t)max_s * 1000,
                             &ms) != FR_OK)
        return false;
    *out = (uint32_t)(ms / 1000);
    return true;
}

enum fr_exit fr_cmd_renew(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    uint32_t key_after_s = 0, every_s = EVERY_S;
    enum fr_exit code;

    if ((fr_cli_opt(cli, "fed") ? 1 : 0) + fr_cli_flag(cli, "all") + fr_cli_flag(cli, "daemon") !=
        1)
        return fr_cli_usage(cli, "give one of --all, --fed NAME, --daemon");
    if (!read_time(cli, "key-after", 0, EVERY_MAX_S, &key_after_s))
        return fr_cli_usage(cli, "--key-after \"%s\" is not a time such as 2m",
                            fr_cli_opt(cli, "key-after"));
    if (!read_time(cli, "every", 1, EVERY_MAX_S, &every_s))
        return fr_cli_usage(cli, "--every \"%s\" is not a time such as 5m",
                            fr_cli_opt(cli, "every"));
    if (fr_cli_opt(cli, "every") && !fr_cli_flag(cli, "daemon"))
        return fr_cli_usage(cli, "--every goes with --daemon");
    if (fr_cli_flag(cli, "daemon") && fr_cli_flag(cli, "dry-run"))
        return fr_cli_usage(cli, "--dry-run shows one round: give --all");
    struct fr_round *r = fr_calloc(1, sizeof *r);
    if (r == NULL) return fr_cli_fail(cli, FR_E_NOMEM, NULL);
    r->cli = cli;
    r->is_rekey = fr_cli_flag(cli, "rekey");
    r->is_now = fr_cli_flag(cli, "now") || r->is_rekey;
    r->is_dry = fr_cli_flag(cli, "dry-run");
    r->has_key_after = fr_cli_opt(cli, "key-after") != NULL;
    r->key_after_s = key_after_s;
    r->every_s = every_s;
    enum fr_err err = fr_place_dir(cli, &diag, r->dir);
    if (!err && fr_cli_flag(cli, "daemon")) for_ever(r);
    code = err ? fr_cli_fail(cli, err, &diag) : once(r);
    fr_report_free(&r->report);
    fr_free(r);
    return code;
}
