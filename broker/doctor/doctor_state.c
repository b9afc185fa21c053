#include "doctor/doctor_priv.h"

#include "admin/audit.h"
#include "admin/audit_read.h"
#include "admin/inquiry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/acted.h"
#include "store/check.h"
#include "store/feed.h"
#include "store/token.h"

#include <stdio.h>

#define TOKEN_OLD_S (7 * 86400LL)
#define LAG_S 3600
#define LINES_NAMED 5

static enum fr_err look_clock(struct fr_doctor *d)
{
    int64_t acted_s = 0;
    char last[FR_TIME_TEXT];
    enum fr_err err = fr_acted_get(d->o.snap, &acted_s);
    if (err) return err;
    fr_time_print(acted_s, last);
    if (acted_s > 0 && d->o.now_s - acted_s > FR_CLOCK_AHEAD_S)
        fr_doctor_tell(d, FR_SYMPTOM_WARNING, "clock", "timedatectl",
                       "nothing was done since %s: is the clock ahead?", last);
    return FR_OK;
}

/* --- tokens --- */

static enum fr_err look_token(void *data, const struct fr_token_row *row)
{
    struct fr_doctor *d = data;
    char id[2 * FR_TOKEN_ID_SIZE + 1], mend[64 + sizeof id];
    bool is_open = false;
    if (row->is_revoked || row->expires_s < d->o.now_s) return FR_OK;
    for (uint8_t i = 0; i < row->n_slots; i++) is_open |= row->slots[i].state != FR_SLOT_USED;
    if (!is_open || d->o.now_s - row->created_s < TOKEN_OLD_S) return FR_OK;
    fr_hex_print(row->id, sizeof row->id, id);
    (void)snprintf(mend, sizeof mend, "fedroam token revoke %s", id);
    fr_doctor_tell(d, FR_SYMPTOM_WARNING, "token", mend,
                   "a token for %s is open for %lld days: whoever finds it can enrol", row->member,
                   (long long)((d->o.now_s - row->created_s) / 86400));
    return FR_OK;
}

/* --- replicas --- */

static enum fr_err look_role(struct fr_doctor *d)
{
    int64_t contact_s = 0;
    enum fr_err err = fr_feed_contact(d->o.snap, &contact_s);
    if (err) return err;
    if (d->feed.role == FR_ROLE_DEPOSED)
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "replica", "fedroam replica status",
                       "this was the primary and has met a newer one: it changes nothing any more");
    if (d->feed.role == FR_ROLE_REPLICA && contact_s == 0)
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "replica", "fedroam replica status",
                       "this replica was never in step with its primary");
    else if (d->feed.role == FR_ROLE_REPLICA && d->o.now_s - contact_s > LAG_S)
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "replica", "fedroam replica status",
                       "this replica was last in step with its primary %lld minutes ago",
                       (long long)((d->o.now_s - contact_s) / 60));
    return FR_OK;
}

static void look_copy(struct fr_doctor *d, const struct fr_admin_reply *copies, unsigned i,
                      const char *host)
{
    char path[64];

    (void)snprintf(path, sizeof path, "replicas.%u.silent_s", i);
    const uint64_t silent_s = fr_admin_reply_uint(copies, path, 0);
    (void)snprintf(path, sizeof path, "replicas.%u.lag_s", i);
    const uint64_t lag_s = fr_admin_reply_uint(copies, path, 0);
    if (silent_s > LAG_S)
        fr_doctor_tell(d, FR_SYMPTOM_WARNING, "replica",
                       "there: fedroam doctor; gone for good: fedroam cert list --profile broker, "
                       "fedroam cert revoke SERIAL",
                       "the replica %s was not heard for %llu minutes", host,
                       (unsigned long long)(silent_s / 60));
    else if (lag_s > LAG_S)
        fr_doctor_tell(d, FR_SYMPTOM_WARNING, "replica", "fedroam replica list; there: its log",
                       "the replica %s has been behind for %llu minutes", host,
                       (unsigned long long)(lag_s / 60));
}

/* Only the running broker knows who follows it; without one that is another symptom. */
static void look_copies(struct fr_doctor *d)
{
    static const struct fr_admin_request request = {.op = "broker.copies"};
    struct fr_admin_reply *copies = NULL;
    char path[64];

    if (d->feed.role != FR_ROLE_PRIMARY || fr_admin_ask(d->o.state, &request, NULL, &copies))
        return;
    for (unsigned i = 0;; i++) {
        (void)snprintf(path, sizeof path, "replicas.%u.name", i);
        const char *host = fr_admin_reply_text(copies, path);
        if (host == NULL) break;
        look_copy(d, copies, i, host);
    }
    fr_admin_reply_free(copies);
}

/* --- deep --- */

static void tell_finding(void *data, const struct fr_finding *finding)
{
    const bool is_damage = finding->kind == FR_FINDING_DAMAGE;
    fr_doctor_tell(data, is_damage ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING, "store",
                   is_damage ? "fedroam backup verify FILE; fedroam restore FILE --state DIR" : "",
                   "%s", finding->what);
}

struct lines {
    struct fr_doctor *d;
    unsigned n;
};

static void tell_line(void *data, uint64_t number, const char *what)
{
    struct lines *lines = data;
    if (lines->n++ >= LINES_NAMED) return;
    fr_doctor_tell(lines->d, FR_SYMPTOM_CRITICAL, "audit",
                   "fedroam audit verify; compare with the second copy",
                   "audit trail, line %llu: %s", (unsigned long long)number, what);
}

static enum fr_err look_deep(struct fr_doctor *d, struct fr_diag *diag)
{
    struct fr_check_report report;
    struct fr_audit_verdict verdict;
    struct lines lines = {.d = d};
    enum fr_err err = fr_check_store(d->o.snap, tell_finding, d, &report);
    if (err == FR_E_MALFORMED) {
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "store",
                       "fedroam backup verify FILE; fedroam restore FILE --state DIR",
                       "the store is damaged: a row cannot be read");
        err = FR_OK;
    }
    char *trail = fr_path_join(d->o.state, FR_AUDIT_FILE);
    char *head = fr_path_join(d->o.state, FR_AUDIT_HEAD);
    if (!trail || !head) err = FR_E_NOMEM;
    if (!err) {
        err = fr_audit_check(trail, head, tell_line, &lines, diag, &verdict);
        /* A federation without a trail yet, or one that look_files has named. */
        if (err == FR_E_NOT_FOUND || err == FR_E_IO || err == FR_E_INVALID) err = FR_OK;
    }
    fr_free(head);
    fr_free(trail);
    return err;
}

enum fr_err fr_doctor_look_state(struct fr_doctor *d, struct fr_diag *diag)
{
    enum fr_err err = look_clock(d);
    if (!err) err = fr_token_each(d->o.snap, look_token, d);
    if (!err) err = look_role(d);
    if (!err) look_copies(d);
    return err || !d->o.is_deep ? err : look_deep(d, diag);
}
