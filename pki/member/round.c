#include "member_cli/round.h"

#include "base/clock.h"
#include "base/mem.h"
#include "enrol/renew.h"
#include "member_cli/after.h"
#include "member_cli/follow.h"
#include "member_cli/place.h"

#include <string.h>
#include <unistd.h>

enum { RETRY_S = 300, WINDOW_LOOK_S = 60, SETTLED_LOOK_S = 3600 };

/* One federation's part of a round. */
struct part {
    struct fr_round *round;
    const struct fr_wallet_entry *entry;
    char folder[FR_WALLET_PATH];
    struct fr_renew_facts renewal;
    bool is_told; /* renewal is what the federation says now */
    bool is_listed_anew;
};

static void note_next(struct fr_round *r, int64_t when_s)
{
    if (r->next_s == 0 || when_s < r->next_s) r->next_s = when_s;
}

static void note_failure(const struct part *p, enum fr_err err, const char *name,
                         const struct fr_diag *diag)
{
    struct fr_round *r = p->round;
    char text[1024];

    fr_diag_print(diag, err, text, sizeof text);
    fr_report_add(&r->report, "failed", "%s%s%s: %s", p->entry->name, name[0] ? " " : "", name,
                  text);
    fr_cli_note(r->cli, "%s %s: %s", p->entry->name, name, text);
    if (r->worst == FR_OK) r->worst = err;
    note_next(r, r->now_s + RETRY_S);
}

/* --- certificates --- */

/* Networks and Join Servers have their keys in the zone, where a new one has to be known first. */
static bool has_to_wait(const struct fr_round *r, const struct fr_pair *pair)
{
    return r->is_rekey && pair->subject.profile != FR_WALLET_DOH;
}

static enum fr_err find_key_after(const struct part *p, struct fr_diag *diag, uint32_t *out)
{
    const struct fr_round *r = p->round;

    if (!r->has_key_after && !p->is_told && p->entry->broker != NULL)
        return fr_diag_fail(diag, FR_E_UNAVAILABLE,
                            "how long a new key has to wait is not known: %s does not answer",
                            p->entry->name);
    *out = r->has_key_after ? r->key_after_s
           : p->is_told     ? p->renewal.key_after_s
                            : FR_REKEY_WAIT_S;
    return FR_OK;
}

static void renew(const struct part *p, const struct fr_pair *pair, bool is_ending)
{
    struct fr_round *r = p->round;
    const bool waits = has_to_wait(r, pair);
    struct fr_diag diag = {0};
    uid_t owner = (uid_t)-1;
    uint32_t wait_s = 0;
    enum fr_err err = fr_place_owner(p->entry, pair->subject.profile, &diag, &owner);

    if (!err && waits) err = find_key_after(p, &diag, &wait_s);
    const struct fr_renew renew = {.folder = p->folder,
                                   .entry = p->entry,
                                   .is_rekey = r->is_rekey,
                                   .rekey_wait_s = wait_s,
                                   .owner = owner,
                                   .now_s = r->now_s};
    if (!err) err = fr_renew_pair(&renew, pair, &diag);
    if (err) {
        note_failure(p, err, pair->subject.name, &diag);
        return;
    }
    r->changed = true;
    fr_report_add(&r->report, "renewed", "%s %s%s%s%s", p->entry->name, pair->subject.name,
                  r->is_rekey ? ", new key" : "",
                  wait_s > 0 ? ", used as soon as peers know it" : "",
                  is_ending ? ", as its CA signs no more" : "");
    note_next(r, r->now_s + (wait_s > 0 ? (int64_t)wait_s : SETTLED_LOOK_S));
}

static void tend_pair(const struct part *p, const struct fr_pair *pair)
{
    struct fr_round *r = p->round;
    const int64_t due_s = fr_renew_due_s(pair);
    const bool is_ending = p->is_told && fr_renew_facts_is_ending(&p->renewal, pair);
    char text[FR_TIME_TEXT];

    if (pair->next_s != 0) {
        fr_time_print(pair->next_s, text);
        fr_report_add(&r->report, "waiting", "%s %s: new key from %s", p->entry->name,
                      pair->subject.name, text);
        note_next(r, pair->next_s);
    } else if (!r->is_now && !is_ending && due_s > r->now_s) {
        fr_time_print(due_s, text);
        fr_report_add(&r->report, "good", "%s %s: due %s", p->entry->name, pair->subject.name,
                      text);
        note_next(r, due_s);
    } else if (r->is_dry) {
        fr_report_add(&r->report, "would", "renew %s %s", p->entry->name, pair->subject.name);
    } else {
        renew(p, pair, is_ending);
    }
}

/* --- what the federation says --- */

/* With a certificate that is over nothing is asked: it has to be renewed first. */
static bool can_ask(const struct part *p, const struct fr_pairs *pairs)
{
    const struct fr_pair *pair = fr_member_api_pair(pairs);
    return !p->round->is_dry && p->entry->broker != NULL && pair != NULL &&
           pair->not_after_s > p->round->now_s;
}

static void ask(struct part *p, const struct fr_pairs *pairs)
{
    struct fr_round *r = p->round;
    struct fr_follow follow = {.dir = r->dir,
                               .folder = p->folder,
                               .entry = p->entry,
                               .pairs = pairs,
                               .report = &r->report};
    struct fr_diag diag = {0};
    bool changed = false;
    enum fr_err err = fr_follow_renewal(&follow, &diag, &p->renewal);

    p->is_told = !err;
    if (!err && fr_follow_has_list(&follow)) err = fr_follow_list(&follow, &diag, &changed);
    if (err) note_failure(p, err, "", &diag);
    p->is_listed_anew = changed;
    r->changed |= changed;
    note_next(r, r->now_s + r->every_s);
    fr_follow_close(&follow);
}

static void tend_certificates(struct part *p)
{
    struct fr_round *r = p->round;
    struct fr_pairs *pairs = NULL;
    struct fr_diag diag = {0};
    size_t moved = 0;
    enum fr_err err = fr_wallet_path(p->folder, &diag, "%s/%s", r->dir, p->entry->name);

    if (!err && !r->is_dry) err = fr_pairs_settle(p->folder, r->now_s, &diag, &moved);
    if (!err) err = fr_pairs_read(p->folder, p->entry->name, &diag, &pairs);
    if (err) {
        note_failure(p, err, "", &diag);
        return;
    }
    if (moved > 0) {
        fr_report_add(&r->report, "installed", "%s: %zu new key%s", p->entry->name, moved,
                      moved > 1 ? "s" : "");
        r->changed = true;
    }
    if (can_ask(p, pairs)) ask(p, pairs);
    for (size_t i = 0; i < pairs->n; i++) tend_pair(p, &pairs->list[i]);
    fr_free(pairs);
}

/* --- afterwards --- */

static void tend_server(struct part *p)
{
    struct fr_round *r = p->round;
    struct fr_pairs *pairs = NULL;
    struct fr_diag diag = {0};
    bool changed = false;
    enum fr_err err = fr_pairs_read(p->folder, p->entry->name, &diag, &pairs);
    const struct fr_follow follow = {.dir = r->dir,
                                     .folder = p->folder,
                                     .entry = p->entry,
                                     .pairs = pairs,
                                     .report = &r->report};

    if (!err && fr_follow_has_list(&follow))
        err = fr_follow_server(&follow, p->is_listed_anew, &diag, &changed);
    if (err) note_failure(p, err, "", &diag);
    if (changed && p->entry->exec == NULL)
        fr_report_add(&r->report, "next",
                      "restart ChirpStack, which reads its files at start only");
    r->changed |= changed;
    fr_free(pairs);
}

/* Whether the same command ran for another federation just now: one restart is enough for both. */
static bool ran_already(const struct fr_report *report, const char *exec)
{
    for (size_t i = 0; i < report->n; i++) {
        const char *text = report->lines[i].text, *colon = strstr(text, ": ");
        if (strcmp(report->lines[i].key, "ran") == 0 && colon && strcmp(colon + 2, exec) == 0)
            return true;
    }
    return false;
}

static void run_after(const struct part *p)
{
    struct fr_round *r = p->round;
    struct fr_pairs *pairs = NULL; /* as they are now */
    struct fr_diag diag = {0};
    enum fr_err err = fr_pairs_read(p->folder, p->entry->name, &diag, &pairs);
    const struct fr_after after = {.folder = p->folder, .entry = p->entry, .pairs = pairs};

    if (!err && fr_after_is_due(&after)) {
        if (ran_already(&r->report, p->entry->exec)) {
            err = fr_after_mark(&after, &diag);
        } else {
            err = fr_after_run(&after, r->now_s, &diag);
            if (!err) fr_report_add(&r->report, "ran", "%s: %s", p->entry->name, p->entry->exec);
        }
    }
    if (err == FR_E_BUSY) {
        fr_report_add(&r->report, "waiting", "%s: %s", p->entry->name, diag.what);
        note_next(r, r->now_s + WINDOW_LOOK_S);
    } else if (err) {
        note_failure(p, err, "", &diag);
    }
    fr_free(pairs);
}

/* --- the round --- */

/* All certificates and lists first, then the servers' files, then what reads them: so one restart does
 * for everything that is new. */
static void tend(struct fr_round *r, struct part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) tend_certificates(&parts[i]);
    if (r->is_dry) return;
    for (size_t i = 0; i < n; i++) tend_server(&parts[i]);
    for (size_t i = 0; i < n; i++) run_after(&parts[i]);
}

enum fr_err fr_round_run(struct fr_round *r, struct fr_diag *diag)
{
    const char *fed = fr_cli_opt(r->cli, "fed");
    struct fr_wallet wallet = {0};
    struct part *parts = fr_calloc(FR_WALLET_FEDS, sizeof *parts);
    int lock = -1;
    enum fr_err err = parts ? FR_OK : FR_E_NOMEM;

    r->now_s = fr_clock_real_s(fr_clock_system());
    if (!err && !r->is_dry) err = fr_wallet_lock(r->dir, diag, &lock);
    if (!err && fed) {
        err = fr_wallet_load(r->dir, fed, diag, &wallet.entries[0]);
        wallet.n = err ? 0 : 1;
    } else if (!err) {
        err = fr_wallet_open(r->dir, diag, &wallet);
    }
    if (!err && wallet.n == 0)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "%s holds no federation: fedroam join TOKEN",
                           r->dir);
    for (size_t i = 0; i < wallet.n; i++)
        parts[i] = (struct part){.round = r, .entry = wallet.entries[i]};
    if (!err) tend(r, parts, wallet.n);
    fr_wallet_close(&wallet);
    if (lock >= 0) (void)close(lock); /* lets go; nothing is written through it */
    fr_free(parts);
    return err;
}
