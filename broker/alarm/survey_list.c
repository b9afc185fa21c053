/* Revocation lists: a list that is over is refused by whoever looks at one. Ours are made anew each hour. */
#include "alarm/survey_priv.h"

#include "base/clock.h"
#include "ca/crl.h"

static enum fr_notice_level level_of(enum fr_notice_stage stage, bool is_root)
{
    if (stage == FR_STAGE_OVER || stage == FR_STAGE_7D) return FR_NOTICE_CRITICAL;
    return is_root && stage <= FR_STAGE_HALF ? FR_NOTICE_PLAN : FR_NOTICE_WARNING;
}

/* Who signs lists: this broker, unless it follows one that does. */
static const char *mend_of(const struct fr_survey *survey, const char *name, bool is_root)
{
    if (is_root) return "where the root is: fedroam ca root crl; here: fedroam ca crl install FILE";
    if (survey->role != FR_ROLE_PRIMARY)
        return "look at the primary: it signs them; fedroam replica status";
    if (!fr_ca_has_key(survey->o.state, name))
        return "bring its key, or take the CA out: fedroam ca intermediate retire; see issuing";
    return "fedroam ca crl publish";
}

void fr_survey_list(struct fr_survey *survey, const char *name, bool is_root)
{
    struct fr_crl_fields list;
    struct fr_seen_life life;
    char until[FR_TIME_TEXT];
    struct fr_condition *c = NULL;
    enum fr_err err = fr_crl_load(survey->o.state, name, NULL, &list);

    if (err) {
        c = fr_survey_add_open(survey, "list", is_root ? FR_NOTICE_WARNING : FR_NOTICE_CRITICAL);
        if (!c) return;
        fr_condition_id(c, "list/%s", name);
        fr_condition_what(c, "the revocation list of %s %s", name,
                          err == FR_E_NOT_FOUND ? "was never published" : "cannot be read");
        fr_condition_mend(c, "%s", mend_of(survey, name, is_root));
        return;
    }
    if (!fr_survey_judge(survey, is_root ? FR_LADDER_AUTHORITY : FR_LADDER_LIST, list.this_update_s,
                         list.next_update_s, &life))
        return;
    /* An hourly list is always within the slack of its end: what is not so yet is nothing. */
    if (!is_root && life.stage == FR_STAGE_NONE) return;
    if (!is_root) life.soon = life.stage;
    c = fr_survey_add(survey, "list", level_of(life.stage, is_root), &life, list.next_update_s);
    if (!c) return;
    fr_time_print(list.next_update_s, until);
    fr_condition_id(c, "list/%s", name);
    fr_condition_what(c, "the revocation list of %s ends on %s: %s", name, until,
                      is_root                       ? fr_stage_phrase(life.stage)
                      : life.stage == FR_STAGE_OVER ? "it is over"
                                                    : "it was not made anew in time");
    fr_condition_mend(c, "%s", mend_of(survey, name, is_root));
}
