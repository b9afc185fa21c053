#include "doctor/doctor_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "ca/crl.h"
#include "store/authority.h"
#include "store/cert.h"
#include "x509/cert.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400LL
#define OVERDUE_NAMED 5
#define PAST_S (30 * DAY) /* an expired certificate is somebody's trouble for so long */

static void print_day(int64_t s, char out[FR_TIME_TEXT])
{
    fr_time_print(s, out);
    out[10] = '\0';
}

/* --- the authorities and their lists --- */

struct authorities {
    struct fr_doctor *d;
    bool has_successor; /* ready to be activated */
    bool has_active;
    int64_t active_until_s, active_from_s;
    char active[FR_HOST_MAX + 1];
};

/* Who signs lists: this broker, unless it follows one that does. */
static const char *mend_list(const struct fr_doctor *d, const char *name, bool is_root)
{
    if (is_root) return "where the root is: fedroam ca root crl; here: fedroam ca crl install FILE";
    if (d->feed.role != FR_ROLE_PRIMARY)
        return "look at the primary: it signs them; fedroam replica status";
    if (!fr_ca_has_key(d->o.state, name))
        return "bring its key, or take the CA out: fedroam ca intermediate retire; see issuing";
    return "fedroam ca crl publish";
}

/* A list that is over is refused by whoever looks at one. Ours is made anew each hour. */
static void look_list(struct fr_doctor *d, const char *name, bool is_root)
{
    struct fr_crl_fields list;
    char until[FR_TIME_TEXT];
    const char *mend = mend_list(d, name, is_root);
    enum fr_err err = fr_crl_load(d->o.state, name, NULL, &list);
    if (err) {
        fr_doctor_tell(d, is_root ? FR_SYMPTOM_WARNING : FR_SYMPTOM_CRITICAL, "list", mend,
                       "the revocation list of %s %s", name,
                       err == FR_E_NOT_FOUND ? "was never published" : "cannot be read");
        return;
    }
    const int64_t left = list.next_update_s - d->o.now_s;
    if (d->figures.list_left_s < 0 || left < d->figures.list_left_s)
        d->figures.list_left_s = left > 0 ? left : 0;
    print_day(list.next_update_s, until);
    const enum fr_ending ending =
        is_root ? fr_ending_of(left, 90 * DAY, 7 * DAY)
                : fr_ending_of(left, FR_CRL_LIFETIME_S - 2 * FR_CRL_REFRESH_S, 0);
    if (ending == FR_ENDING_FAR) return;
    fr_doctor_tell(d, ending == FR_ENDING_NOW ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING, "list",
                   mend, "the revocation list of %s %s %s", name,
                   left <= 0 ? "is over since" : "was not made anew in time and is over on", until);
}

static enum fr_err look_authority(void *data, const struct fr_authority_row *row)
{
    struct authorities *a = data;
    struct fr_doctor *d = a->d;
    char until[FR_TIME_TEXT];
    const int64_t left = row->not_after_s - d->o.now_s;
    if (row->kind == FR_AUTHORITY_ROOT) {
        d->figures.root_left_s = left > 0 ? left : 0;
        print_day(row->not_after_s, until);
        const enum fr_ending ending = fr_ending_of(left, 365 * DAY, 30 * DAY);
        if (ending != FR_ENDING_FAR)
            fr_doctor_tell(d, ending == FR_ENDING_NOW ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING,
                           "root",
                           "make a new federation's root, and let members join it: see "
                           "docs/authority.md",
                           "the root ends on %s", until);
        look_list(d, row->name, true);
        return FR_OK;
    }
    if (row->state == FR_AUTHORITY_READY) a->has_successor = true;
    if (row->state == FR_AUTHORITY_ACTIVE) {
        a->has_active = true;
        a->active_until_s = row->not_after_s;
        a->active_from_s = row->not_before_s;
        (void)snprintf(a->active, sizeof a->active, "%s", row->name);
    }
    if (fr_ca_row_signs_lists(row, d->o.now_s)) look_list(d, row->name, false);
    return FR_OK;
}

static void look_active(const struct authorities *a)
{
    char until[FR_TIME_TEXT], mend[FR_SYMPTOM_MEND];
    const int64_t left = a->active_until_s - a->d->o.now_s;
    const int64_t third = (a->active_until_s - a->active_from_s) / 3;
    if (!a->has_active) {
        fr_doctor_tell(a->d, FR_SYMPTOM_CRITICAL, "issuing",
                       "fedroam ca intermediate prepare; fedroam ca intermediate activate NAME",
                       "no issuing CA is active: nothing can be issued");
        return;
    }
    if (a->d->feed.role == FR_ROLE_PRIMARY && !fr_ca_has_key(a->d->o.state, a->active)) {
        (void)snprintf(
            mend, sizeof mend,
            "cp %s.key %s/ca/ from where the lost primary's keys were kept; or make a new "
            "one with the root: fedroam ca intermediate prepare",
            a->active, a->d->o.state);
        fr_doctor_tell(a->d, FR_SYMPTOM_CRITICAL, "issuing", mend,
                       "the key of the issuing CA %s is not on this machine: nothing is issued, "
                       "renewed or listed as revoked",
                       a->active);
    }
    a->d->figures.issuing_left_s = left > 0 ? left : 0;
    const enum fr_ending ending = fr_ending_of(left, third, 7 * DAY);
    if (ending == FR_ENDING_FAR) return;
    print_day(a->active_until_s, until);
    (void)snprintf(mend, sizeof mend, "%s",
                   a->has_successor ? "fedroam ca list; fedroam ca intermediate activate NAME"
                                    : "fedroam ca intermediate prepare");
    fr_doctor_tell(a->d, ending == FR_ENDING_NOW ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING,
                   "issuing", mend, "the issuing CA %s ends on %s%s", a->active, until,
                   a->has_successor ? "" : ", and none is prepared to follow");
}

/* --- the broker's certificate --- */

static const char *mend_server(const struct fr_doctor *d)
{
    return d->feed.role == FR_ROLE_PRIMARY
               ? "fedroam ca server renew"
               : "the broker asks its primary by itself, see its log; over already: issue another "
                 "there (fedroam cert issue --profile broker)";
}

static void look_server(struct fr_doctor *d)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields leaf;
    struct fr_diag diag = {0};
    char until[FR_TIME_TEXT];
    char *path = fr_path_join(d->o.state, "server.chain.pem");
    enum fr_err err = path ? fr_chain_load(path, &diag, &chain) : FR_E_NOMEM;
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &leaf);
    if (err) {
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "server", mend_server(d),
                       "the broker's certificate cannot be read: %s",
                       diag.what[0] ? diag.what : fr_err_text(err));
    } else {
        const int64_t left = leaf.not_after_s - d->o.now_s;
        const int64_t quarter = (leaf.not_after_s - leaf.not_before_s) / 4;
        d->figures.server_left_s = left > 0 ? left : 0;
        print_day(leaf.not_after_s, until);
        const enum fr_ending ending = fr_ending_of(left, quarter, DAY);
        if (ending != FR_ENDING_FAR)
            fr_doctor_tell(d, ending == FR_ENDING_NOW ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING,
                           "server", mend_server(d),
                           "the broker's certificate was not renewed and ends on %s", until);
    }
    fr_chain_free(chain);
    fr_free(path);
}

/* --- members' certificates --- */

struct leaves {
    struct fr_doctor *d;
    struct fr_snap *snap;
    const struct fr_cert_row *row;
    bool has_later;
    uint64_t overdue;
    char named[200];
};

static enum fr_err look_later(void *data, const struct fr_cert_row *row)
{
    struct leaves *l = data;
    if (row->status == FR_CERT_ISSUED && row->profile == l->row->profile &&
        row->netid == l->row->netid && row->joineui == l->row->joineui &&
        strcmp(row->host, l->row->host) == 0 && row->not_after_s > l->row->not_after_s)
        l->has_later = true;
    return FR_OK;
}

/* Overdue: three quarters of its life are over, and nothing has followed it. */
static enum fr_err look_leaf(void *data, const struct fr_cert_row *row)
{
    struct leaves *l = data;
    const int64_t left = row->not_after_s - l->d->o.now_s;
    char until[FR_TIME_TEXT];
    if (row->status != FR_CERT_ISSUED || row->member[0] == '\0') return FR_OK;
    if (left > (row->not_after_s - row->not_before_s) / 4) return FR_OK;
    l->row = row;
    l->has_later = false;
    enum fr_err err = fr_cert_row_each_of(l->snap, row->member, look_later, l);
    if (err || l->has_later) return err;
    print_day(row->not_after_s, until);
    if (l->overdue++ < OVERDUE_NAMED) {
        const size_t at = strlen(l->named);
        (void)snprintf(l->named + at, sizeof l->named - at, "%s%s %s (%s)", at ? ", " : "",
                       row->member, fr_profile_text(row->profile), until);
    }
    return FR_OK;
}

static enum fr_err look_leaves(struct fr_doctor *d)
{
    struct leaves l = {.d = d, .snap = d->o.snap};
    /* A quarter of the longest life there may be. */
    enum fr_err err = fr_cert_row_each_ending(d->o.snap, d->o.now_s - PAST_S,
                                              d->o.now_s + 100 * DAY, look_leaf, &l);
    d->figures.overdue = (int64_t)l.overdue;
    if (err || l.overdue == 0) return err;
    fr_doctor_tell(d, FR_SYMPTOM_WARNING, "overdue",
                   "call the member: on its machine, fedroam renew --all (over already: fedroam "
                   "grace open --member ID --until DATE)",
                   "%llu certificates were not renewed in time: %s%s",
                   (unsigned long long)l.overdue, l.named,
                   l.overdue > OVERDUE_NAMED ? " and more" : "");
    return FR_OK;
}

enum fr_err fr_doctor_look_expiry(struct fr_doctor *d)
{
    struct authorities a = {.d = d};
    enum fr_err err = fr_authority_each(d->o.snap, look_authority, &a);
    if (err) return err;
    look_active(&a);
    look_server(d);
    return look_leaves(d);
}
