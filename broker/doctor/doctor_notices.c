#include "doctor/doctor_priv.h"

#include "alarm/survey.h"
#include "backup/backup.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "ca/crl.h"
#include "replica/diverged.h"
#include "store/authority.h"
#include "x509/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_MS 1000
#define NAMED 5 /* certificates of members, of one kind */

/* --- figures --- */

static int64_t left(const struct fr_doctor *d, int64_t until_s)
{
    return until_s > d->o.now_s ? until_s - d->o.now_s : 0;
}

static void measure_list(struct fr_doctor *d, const char *name)
{
    struct fr_crl_fields list;
    if (fr_crl_load(d->o.state, name, NULL, &list)) return;
    const int64_t left_s = left(d, list.next_update_s);
    if (d->figures.list_left_s < 0 || left_s < d->figures.list_left_s)
        d->figures.list_left_s = left_s;
}

static enum fr_err measure_authority(void *data, const struct fr_authority_row *row)
{
    struct fr_doctor *d = data;
    if (row->kind == FR_AUTHORITY_ROOT) {
        d->figures.root_left_s = left(d, row->not_after_s);
        measure_list(d, row->name);
    } else {
        if (row->state == FR_AUTHORITY_ACTIVE)
            d->figures.issuing_left_s = left(d, row->not_after_s);
        if (fr_ca_row_signs_lists(row, d->o.now_s)) measure_list(d, row->name);
    }
    return FR_OK;
}

static void measure_server(struct fr_doctor *d)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields leaf;
    char *path = fr_path_join(d->o.state, "server.chain.pem");
    if (path && fr_chain_load(path, NULL, &chain) == FR_OK &&
        fr_cert_read_fields(fr_chain_at(chain, 0), &leaf) == FR_OK)
        d->figures.server_left_s = left(d, leaf.not_after_s);
    fr_chain_free(chain);
    fr_free(path);
}

/* --- members' certificates are told together --- */

struct fold {
    uint64_t n;
    char named[240];
    char mend[FR_SYMPTOM_MEND];
    char acked[FR_SYMPTOM_ACKED];
};

static void fold(struct fold *f, const struct fr_condition *c, const char *acked)
{
    const size_t at = strlen(f->named);
    if (f->n++ < NAMED)
        (void)snprintf(f->named + at, sizeof f->named - at, "%s%s", at ? ", " : "", c->name);
    (void)snprintf(f->mend, sizeof f->mend, "%s", c->mend);
    (void)snprintf(f->acked, sizeof f->acked, "%s", acked);
}

static void tell_fold(struct fr_doctor *d, enum fr_symptom_level level, const struct fold *f)
{
    struct fr_symptom s = {.level = level, .check = "overdue"};
    if (f->n == 0) return;
    (void)snprintf(s.what, sizeof s.what, "%llu certificates %s: %s%s", (unsigned long long)f->n,
                   level == FR_SYMPTOM_CRITICAL ? "end within a day, or are over"
                                                : "were not renewed in time",
                   f->named, f->n > NAMED ? " and more" : "");
    (void)snprintf(s.mend, sizeof s.mend, "%s",
                   f->n == 1 ? f->mend
                             : "call the members: on their machines, fedroam renew --all (over "
                               "already: fedroam grace open --member ID --until DATE)");
    (void)snprintf(s.acked, sizeof s.acked, "%s", f->acked);
    d->fn(d->data, &s);
}

/* --- conditions, and who has acknowledged them --- */

static enum fr_symptom_level level_of(enum fr_notice_level level)
{
    if (level == FR_NOTICE_CRITICAL) return FR_SYMPTOM_CRITICAL;
    return level == FR_NOTICE_WARNING ? FR_SYMPTOM_WARNING : FR_SYMPTOM_PLAN;
}

static void print_acked(const struct fr_notice_row *row, char out[FR_SYMPTOM_ACKED])
{
    out[0] = '\0';
    if (row->acked_s > 0)
        (void)snprintf(out, FR_SYMPTOM_ACKED, "%s: %s", row->acked_by, row->acked_why);
}

static void tell(struct fr_doctor *d, const char *check, enum fr_notice_level level,
                 const char *what, const char *mend, const char *acked)
{
    struct fr_symptom s = {.level = level_of(level), .check = check};
    (void)snprintf(s.what, sizeof s.what, "%s", what);
    (void)snprintf(s.mend, sizeof s.mend, "%s", mend);
    (void)snprintf(s.acked, sizeof s.acked, "%s", acked);
    d->fn(d->data, &s);
}

static void tell_conditions(struct fr_doctor *d, const struct fr_condition *all, size_t n)
{
    struct fold folds[2][2] = {0}; /* critical; acknowledged */
    for (size_t i = 0; i < n; i++) {
        const struct fr_condition *c = &all[i];
        char acked[FR_SYMPTOM_ACKED] = "";
        struct fr_notice_row row;
        if (c->stage == FR_STAGE_NONE) continue;
        if (fr_notice_get(d->o.snap, c->id, &row) == FR_OK && row.stage == c->stage)
            print_acked(&row, acked);
        if (strcmp(c->check, "unknown") == 0) d->figures.unknown += c->count;
        if (c->name[0] == '\0') {
            tell(d, c->check, c->level, c->what, c->mend, acked);
            continue;
        }
        d->figures.overdue++;
        fold(&folds[c->level == FR_NOTICE_CRITICAL][acked[0] != '\0'], c, acked);
    }
    for (int is_acked = 0; is_acked < 2; is_acked++) {
        tell_fold(d, FR_SYMPTOM_CRITICAL, &folds[1][is_acked]);
        tell_fold(d, FR_SYMPTOM_WARNING, &folds[0][is_acked]);
    }
}

/* What only a running broker sees: as it has noted it. */
static enum fr_err tell_noted(void *data, const struct fr_notice_row *row)
{
    static const char *const kinds[] = {"walk/", "budget/", "audit-copy"};
    struct fr_doctor *d = data;
    char acked[FR_SYMPTOM_ACKED];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(row->id, kinds[i], strlen(kinds[i])) != 0) continue;
        print_acked(row, acked);
        tell(d, i < 2 ? "member" : "audit", row->level, row->what, row->mend, acked);
    }
    return FR_OK;
}

enum fr_err fr_doctor_look_notices(struct fr_doctor *d)
{
    const struct fr_alarm_seen seen = {.backup_s = fr_backup_noted_s(d->o.state),
                                       .diverged = fr_diverged_count(d->o.state),
                                       .trail = d->trail[0] != '\0' ? d->trail : NULL};
    const struct fr_survey_options options = {
        .state = d->o.state, .now_s = d->o.now_s, .seen = &seen};
    struct fr_survey *survey = NULL;
    bool done = false;
    uint64_t dropped = 0;
    size_t n = 0;
    if (seen.backup_s > 0)
        d->figures.backup_age_s = d->o.now_s > seen.backup_s ? d->o.now_s - seen.backup_s : 0;
    enum fr_err err = fr_survey_new(&options, &survey);
    while (!err && !done) err = fr_survey_step(survey, d->o.store, SLICE_MS, &done);
    if (!err) {
        const struct fr_condition *all = fr_survey_conditions(survey, &n, &dropped);
        tell_conditions(d, all, n);
        d->figures.overdue += (int64_t)dropped;
        err = fr_notice_each(d->o.snap, tell_noted, d);
    }
    if (!err) err = fr_authority_each(d->o.snap, measure_authority, d);
    measure_server(d);
    fr_survey_free(survey);
    return err;
}
