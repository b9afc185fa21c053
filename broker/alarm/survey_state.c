/* CAs and the broker's own certificate; then what is wrong and stays so until somebody does something. */
#include "alarm/survey_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/acted.h"
#include "store/approval.h"
#include "store/authority.h"
#include "store/cert.h"
#include "store/primary.h"
#include "store/unknown.h"
#include "x509/cert.h"

#include <string.h>

#define BACKUP_OLD_S (7 * 86400LL)

/* --- authorities --- */

struct authorities {
    struct fr_survey *survey;
    bool has_successor; /* ready to be activated */
    bool has_active;
    int64_t from_s, until_s; /* of the active one */
    char name[FR_HOST_MAX + 1];
};

static enum fr_notice_level root_level(enum fr_notice_stage stage)
{
    if (stage >= FR_STAGE_30D) return FR_NOTICE_CRITICAL;
    return stage >= FR_STAGE_YEAR ? FR_NOTICE_WARNING : FR_NOTICE_PLAN;
}

static void look_root(struct fr_survey *survey, const struct fr_authority_row *row)
{
    struct fr_seen_life life;
    char until[FR_TIME_TEXT];

    fr_survey_list(survey, row->name, true);
    if (!fr_survey_judge(survey, FR_LADDER_AUTHORITY, row->not_before_s, row->not_after_s, &life))
        return;
    struct fr_condition *c =
        fr_survey_add(survey, "root", root_level(life.stage), &life, row->not_after_s);
    if (!c) return;
    fr_time_print(row->not_after_s, until);
    fr_condition_id(c, "root");
    fr_condition_what(c, "the root ends on %s: %s", until, fr_stage_phrase(life.stage));
    fr_condition_mend(c, "make a new federation's root, and let members join it: see "
                         "docs/authority.md");
}

static enum fr_err look_authority(void *data, const struct fr_authority_row *row)
{
    struct authorities *a = data;

    if (row->kind == FR_AUTHORITY_ROOT) {
        look_root(a->survey, row);
        return FR_OK;
    }
    if (row->state == FR_AUTHORITY_READY) a->has_successor = true;
    if (row->state == FR_AUTHORITY_ACTIVE) {
        a->has_active = true;
        a->from_s = row->not_before_s;
        a->until_s = row->not_after_s;
        (void)fr_span_copy(fr_span_str(row->name), a->name, sizeof a->name);
    }
    if (fr_ca_row_signs_lists(row, a->survey->o.now_s)) fr_survey_list(a->survey, row->name, false);
    return FR_OK;
}

static void tell_no_key(const struct authorities *a)
{
    struct fr_condition *c = fr_survey_add_open(a->survey, "issuing", FR_NOTICE_CRITICAL);

    if (!c) return;
    fr_condition_id(c, "issuing-key/%s", a->name);
    fr_condition_what(c,
                      "the key of the issuing CA %s is not on this machine: nothing is issued, "
                      "renewed or listed as revoked",
                      a->name);
    fr_condition_mend(c,
                      "cp %s.key %s/ca/ from where the lost primary's keys were kept; or make a "
                      "new one with the root: fedroam ca intermediate prepare",
                      a->name, a->survey->o.state);
}

static void look_active(const struct authorities *a)
{
    struct fr_seen_life life;
    char until[FR_TIME_TEXT];
    struct fr_condition *c = NULL;

    if (!a->has_active) {
        c = fr_survey_add_open(a->survey, "issuing", FR_NOTICE_CRITICAL);
        if (!c) return;
        fr_condition_id(c, "issuing");
        fr_condition_what(c, "no issuing CA is active: nothing can be issued");
        fr_condition_mend(c,
                          "fedroam ca intermediate prepare; fedroam ca intermediate activate NAME");
        return;
    }
    if (a->survey->role == FR_ROLE_PRIMARY && !fr_ca_has_key(a->survey->o.state, a->name))
        tell_no_key(a);
    if (!fr_survey_judge(a->survey, FR_LADDER_AUTHORITY, a->from_s, a->until_s, &life)) return;
    const enum fr_notice_level level = life.stage >= FR_STAGE_7D      ? FR_NOTICE_CRITICAL
                                       : life.stage >= FR_STAGE_THIRD ? FR_NOTICE_WARNING
                                                                      : FR_NOTICE_PLAN;
    c = fr_survey_add(a->survey, "issuing", level, &life, a->until_s);
    if (!c) return;
    fr_time_print(a->until_s, until);
    fr_condition_id(c, "issuing/%s", a->name);
    fr_condition_what(c, "the issuing CA %s ends on %s: %s%s", a->name, until,
                      fr_stage_phrase(life.stage),
                      a->has_successor ? "" : ", and none is ready to follow");
    fr_condition_mend(c, "%s",
                      a->has_successor ? "fedroam ca list; fedroam ca intermediate activate NAME"
                                       : "fedroam ca intermediate prepare");
}

/* --- the broker's own certificate, as it shows it --- */

static void look_server(struct fr_survey *survey, struct fr_snap *snap)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields leaf;
    struct fr_cert_row row;
    struct fr_seen_life life;
    struct fr_diag diag = {0};
    struct fr_condition *c = NULL;
    char until[FR_TIME_TEXT];
    char *path = fr_path_join(survey->o.state, "server.chain.pem");
    enum fr_err err = path ? fr_chain_load(path, &diag, &chain) : FR_E_NOMEM;

    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &leaf);
    if (err) {
        c = fr_survey_add_open(survey, "server", FR_NOTICE_CRITICAL);
        if (c)
            fr_condition_what(c, "the broker's certificate cannot be read: %s",
                              diag.what[0] ? diag.what : fr_err_text(err));
    } else {
        if (fr_cert_row_get(snap, leaf.serial, &row) == FR_OK)
            (void)fr_span_copy(fr_span_str(row.host), survey->own_host, sizeof survey->own_host);
        if (fr_survey_judge(survey, FR_LADDER_LEAF, leaf.not_before_s, leaf.not_after_s, &life))
            c = fr_survey_add(survey, "server",
                              life.stage >= FR_STAGE_1D ? FR_NOTICE_CRITICAL : FR_NOTICE_WARNING,
                              &life, leaf.not_after_s);
        fr_time_print(leaf.not_after_s, until);
        if (c)
            fr_condition_what(c, "the broker's certificate ends on %s: %s", until,
                              fr_stage_phrase(life.stage));
    }
    if (c) fr_condition_id(c, "server");
    if (c)
        fr_condition_mend(c, "%s",
                          survey->role == FR_ROLE_PRIMARY
                              ? "fedroam ca server renew"
                              : "the broker asks its primary by itself, see its log; over already: "
                                "issue another there (fedroam cert issue --profile broker)");
    fr_chain_free(chain);
    fr_free(path);
}

enum fr_err fr_survey_authorities(struct fr_survey *survey, struct fr_snap *snap)
{
    struct authorities a = {.survey = survey};

    enum fr_err err = fr_authority_each(snap, look_authority, &a);
    if (err) return err;
    look_active(&a);
    look_server(survey, snap);
    return FR_OK;
}

/* --- states --- */

struct states {
    struct fr_survey *survey;
    struct fr_snap *snap;
    unsigned after_backup;
};

static enum fr_err look_unknown(void *data, const struct fr_unknown_row *row)
{
    struct states *s = data;
    char serial[2 * FR_SERIAL_SIZE + 1];
    bool is_after = false;

    if (row->not_after_s < s->survey->o.now_s) return FR_OK;
    enum fr_err err = fr_unknown_is_after_backup(s->snap, row->not_before_s, &is_after);
    if (err || is_after) {
        s->after_backup += is_after;
        return err;
    }
    struct fr_condition *c = fr_survey_add_open(s->survey, "unknown", FR_NOTICE_CRITICAL);
    if (!c) return FR_OK;
    fr_hex_print(row->serial, sizeof row->serial, serial);
    fr_condition_id(c, "unknown/%s", serial);
    fr_condition_what(c,
                      "a certificate was shown that verifies and that nobody has issued here "
                      "(serial %s): is the issuing key in other hands?",
                      serial);
    fr_condition_mend(c, "fedroam cert list --unknown; then the drill for a stolen issuing key: "
                         "fedroam ca intermediate prepare");
    return FR_OK;
}

static void tell_after_backup(const struct states *s)
{
    struct fr_condition *c = NULL;

    if (s->after_backup > 0) c = fr_survey_add_open(s->survey, "unknown", FR_NOTICE_WARNING);
    if (!c) return;
    c->count = s->after_backup;
    fr_condition_id(c, "adopt");
    fr_condition_what(c, "%u certificates were issued after the restored backup and are refused",
                      s->after_backup);
    fr_condition_mend(c, "fedroam cert list --unknown; fedroam cert adopt --serial SERIAL");
}

static enum fr_err look_zone(void *data, const struct fr_primary_row *row)
{
    struct states *s = data;
    struct fr_primary_state state;
    enum fr_err err = fr_primary_state_get(s->snap, row->member, row->zone, &state);
    struct fr_condition *c = NULL;

    if (err) return err;
    if (state.is_held) {
        c = fr_survey_add_open(s->survey, "zone", FR_NOTICE_WARNING);
        if (!c) return FR_OK;
        fr_condition_id(c, "held/%s/%s", row->member, row->zone);
        fr_condition_what(c,
                          "the zone %s of %s lost %llu of %llu devices and waits: what was there "
                          "is served on",
                          row->zone, row->member, (unsigned long long)state.held_gone,
                          (unsigned long long)state.held_of);
        fr_condition_mend(c,
                          "ask the member; if it is so: fedroam zone accept --member %s --zone %s",
                          row->member, row->zone);
    }
    if (state.contact_s > 0 && state.expire_s > 0 &&
        s->survey->o.now_s - state.contact_s > (int64_t)state.expire_s) {
        c = fr_survey_add_open(s->survey, "zone", FR_NOTICE_WARNING);
        if (!c) return FR_OK;
        fr_condition_id(c, "zone/%s/%s", row->member, row->zone);
        fr_condition_what(c,
                          "no name server of the zone %s of %s was reached for %u hours, its "
                          "expire time; its devices are served on",
                          row->zone, row->member, state.expire_s / 3600);
        fr_condition_mend(c, "fedroam zone primary list; call %s (fedroam member show %s)",
                          row->member, row->member);
    }
    return FR_OK;
}

static enum fr_err look_approval(void *data, const struct fr_approval_row *row)
{
    const struct states *s = data;
    char id[2 * FR_APPROVAL_ID_SIZE + 1];
    struct fr_condition *c = NULL;

    if (row->state == FR_APPROVAL_WAITING && row->expires_s > s->survey->o.now_s)
        c = fr_survey_add_open(s->survey, "approval", FR_NOTICE_WARNING);
    if (!c) return FR_OK;
    fr_hex_print(row->id, sizeof row->id, id);
    fr_condition_id(c, "approval/%s", id);
    fr_condition_what(c, "%s, asked for by %s, waits for another person", row->op, row->asker);
    fr_condition_mend(c, "fedroam approval show %s; fedroam approval approve %s", id, id);
    return FR_OK;
}

static enum fr_err look_clock(struct fr_survey *survey, struct fr_snap *snap)
{
    struct fr_condition *c = NULL;
    char last[FR_TIME_TEXT];
    int64_t acted_s = 0;
    enum fr_err err = fr_acted_get(snap, &acted_s);

    if (err || survey->o.now_s >= acted_s - FR_CLOCK_BACK_S) return err;
    c = fr_survey_add_open(survey, "clock", FR_NOTICE_CRITICAL);
    if (!c) return FR_OK;
    fr_time_print(acted_s, last);
    fr_condition_id(c, "clock");
    fr_condition_what(c, "the clock went back: something was done at %s; nothing is issued", last);
    fr_condition_mend(c, "set the clock; if it is right: fedroam ca clock accept --reason WHY");
    return FR_OK;
}

static void look_seen(struct fr_survey *survey)
{
    const struct fr_alarm_seen *seen = survey->o.seen;
    const int64_t age_s = survey->o.now_s - seen->backup_s;
    struct fr_condition *c = NULL;

    if (survey->role != FR_ROLE_REPLICA && /* the primary makes them */
        (seen->backup_s == 0 || (seen->backup_s > 0 && age_s > BACKUP_OLD_S))) {
        c = fr_survey_add_open(survey, "backup", FR_NOTICE_WARNING);
        if (c) fr_condition_id(c, "backup");
        if (c && seen->backup_s == 0) fr_condition_what(c, "no backup was ever made");
        if (c && seen->backup_s > 0)
            fr_condition_what(c, "the last backup was made %lld days ago",
                              (long long)(age_s / 86400));
        if (c) fr_condition_mend(c, "fedroam backup create --out FILE");
    }
    c = seen->diverged > 0 ? fr_survey_add_open(survey, "diverged", FR_NOTICE_CRITICAL) : NULL;
    if (c) {
        fr_condition_id(c, "diverged");
        fr_condition_what(c, "%u files hold changes that the present primary lacks",
                          seen->diverged);
        fr_condition_mend(c, "fedroam replica diverged list; fedroam replica diverged apply");
    }
    c = seen->trail ? fr_survey_add_open(survey, "audit", FR_NOTICE_CRITICAL) : NULL;
    if (c) {
        fr_condition_id(c, "audit");
        fr_condition_what(c, "%s", seen->trail);
        fr_condition_mend(c,
                          "ls -l %s/audit.jsonl; it must be a file of the broker's user, on a "
                          "disk with room",
                          survey->o.state);
    }
    c = seen->copy_fails ? fr_survey_add_open(survey, "audit", FR_NOTICE_WARNING) : NULL;
    if (c) {
        fr_condition_id(c, "audit-copy");
        fr_condition_what(c, "the second copy of the audit trail cannot be written");
        fr_condition_mend(c, "look at the file that `audit: also:` of broker.yaml names");
    }
}

static struct fr_condition *add_event(struct fr_survey *survey)
{
    struct fr_condition *c = fr_survey_add_open(survey, "member", FR_NOTICE_WARNING);

    if (!c) return NULL;
    c->is_event = true;
    c->until_s = survey->o.now_s + FR_STAGE_SLACK_S;
    return c;
}

static void look_events(struct fr_survey *survey)
{
    const struct fr_alarm_seen *seen = survey->o.seen;

    for (size_t i = 0; i < seen->n_walks; i++) {
        struct fr_condition *c = add_event(survey);
        if (!c) return;
        fr_condition_id(c, "walk/%s", seen->walks[i]);
        fr_condition_what(c, "%s asks for one DevEUI after the other", seen->walks[i]);
        fr_condition_mend(c, "call %s (fedroam member show %s); fedroam member suspend %s",
                          seen->walks[i], seen->walks[i], seen->walks[i]);
    }
    for (size_t i = 0; i < seen->n_over; i++) {
        const char *slash = strchr(seen->over[i], '/');
        const int n = slash ? (int)(slash - seen->over[i]) : 0;
        struct fr_condition *c = slash ? add_event(survey) : NULL;
        if (!c) continue;
        fr_condition_id(c, "budget/%s", seen->over[i]);
        fr_condition_what(c, "%.*s is over its budget of %s and is refused", n, seen->over[i],
                          slash + 1);
        fr_condition_mend(c, "fedroam member list; fedroam policy show budget.%s", slash + 1);
    }
}

enum fr_err fr_survey_state(struct fr_survey *survey, struct fr_snap *snap)
{
    struct states s = {.survey = survey, .snap = snap};

    enum fr_err err = look_clock(survey, snap);
    if (!err) err = fr_unknown_each(snap, look_unknown, &s);
    if (!err) tell_after_backup(&s);
    if (!err) err = fr_primary_each(snap, look_zone, &s);
    if (!err) err = fr_approval_each(snap, look_approval, &s);
    look_seen(survey);
    look_events(survey);
    return err;
}
