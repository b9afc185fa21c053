/* Certificates that should have been renewed, and that nothing has followed. */
#include "alarm/survey_priv.h"

#include "base/clock.h"
#include "base/hex.h"
#include "store/cert.h"

#include <stdio.h>
#include <string.h>

/* A quarter of the longest life that policy allows, and the slack. */
#define AHEAD_S (101 * 86400LL)

struct walk {
    struct fr_survey *survey;
    struct fr_snap *snap;
    const struct fr_cert_row *row;
    bool has_later;
    int64_t end_ms; /* the slice's; on the clock of this thread */
    int64_t at_s;   /* end of the certificate that was looked at last */
    bool is_cut;
};

static enum fr_err look_later(void *data, const struct fr_cert_row *row)
{
    struct walk *w = data;

    if (row->status == FR_CERT_ISSUED && row->profile == w->row->profile &&
        row->netid == w->row->netid && row->joineui == w->row->joineui &&
        strcmp(row->host, w->row->host) == 0 && row->not_after_s > w->row->not_after_s) {
        w->has_later = true;
        return FR_E_EXISTS; /* enough */
    }
    return FR_OK;
}

static enum fr_err find_later(struct walk *w, const struct fr_cert_row *row)
{
    w->row = row;
    w->has_later = false;
    enum fr_err err = fr_cert_row_each_of(w->snap, row->member, look_later, w);
    return w->has_later ? FR_OK : err;
}

static void tell(struct walk *w, const struct fr_cert_row *row, const struct fr_seen_life *life)
{
    const bool is_late = life->stage >= FR_STAGE_1D;
    const bool is_broker = row->member[0] == '\0';
    char until[FR_TIME_TEXT], serial[2 * FR_SERIAL_SIZE + 1];
    struct fr_condition *c =
        fr_survey_add(w->survey, is_broker ? "server" : "overdue",
                      is_late ? FR_NOTICE_CRITICAL : FR_NOTICE_WARNING, life, row->not_after_s);

    if (!c) return;
    fr_hex_print(row->serial, sizeof row->serial, serial);
    fr_time_print(row->not_after_s, until);
    fr_condition_id(c, "certificate/%s", serial);
    if (is_broker) {
        fr_condition_what(c, "the certificate of the broker %s ends on %s: %s", row->host, until,
                          fr_stage_phrase(life->stage));
        fr_condition_mend(c, "see that broker's log; docs/replicas.md");
        return;
    }
    (void)snprintf(c->name, sizeof c->name, "%s %s (%.10s)", row->member,
                   fr_profile_text(row->profile), until);
    fr_condition_what(c, "the certificate of %s (%s%s%s) ends on %s: %s", row->member,
                      fr_profile_text(row->profile), row->host[0] ? ", " : "", row->host, until,
                      fr_stage_phrase(life->stage));
    if (life->stage == FR_STAGE_OVER)
        fr_condition_mend(c,
                          "fedroam grace open --member %s --until DATE; on the member's machine: "
                          "fedroam renew --all",
                          row->member);
    else
        fr_condition_mend(c,
                          "call %s (fedroam member show %s); on its machine: fedroam renew --all",
                          row->member, row->member);
}

/* A slice ends between two seconds, so that the next one knows where to begin. */
static enum fr_err look_at(void *data, const struct fr_cert_row *row)
{
    struct walk *w = data;
    struct fr_seen_life life;

    if (row->not_after_s != w->at_s && fr_clock_mono_ms(fr_clock_system()) > w->end_ms) {
        w->survey->certs_from_s = row->not_after_s;
        w->is_cut = true;
        return FR_E_EXISTS;
    }
    w->at_s = row->not_after_s;
    if (row->status != FR_CERT_ISSUED) return FR_OK;
    if (!fr_survey_judge(w->survey, FR_LADDER_LEAF, row->not_before_s, row->not_after_s, &life))
        return FR_OK;
    if (row->member[0] == '\0' && strcmp(row->host, w->survey->own_host) == 0)
        return FR_OK; /* told by its file */
    enum fr_err err = find_later(w, row);
    if (!err && !w->has_later) tell(w, row, &life);
    return err;
}

enum fr_err fr_survey_certs(struct fr_survey *survey, struct fr_snap *snap, unsigned budget_ms,
                            bool *done)
{
    struct walk w = {.survey = survey,
                     .snap = snap,
                     .end_ms = fr_clock_mono_ms(fr_clock_system()) + budget_ms,
                     .at_s = survey->certs_from_s};

    enum fr_err err =
        fr_cert_row_each_ending(snap, survey->certs_from_s, survey->o.now_s + AHEAD_S, look_at, &w);
    *done = !err;
    return w.is_cut ? FR_OK : err;
}
