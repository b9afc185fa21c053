#pragma once
/*
 * Looks at a federation and finds what wants a person: ends that come near, and states that do not mend themselves.
 *
 * Model: a survey goes through the store in slices, each in a snapshot of its own, so that a million certificates hold up nobody,
 *   and collects *conditions*. What the store does not know (a member walking EUIs, a trail that cannot be written) is told to it
 *   as *seen*. The same survey is what `doctor` prints and what notices are made from (alarm/ledger.h).
 * Owns: its conditions, until it is freed; options are borrowed as long. Threads: one at a time.
 * Errors: the store's, FR_E_NOMEM. What cannot be read of the state directory is a condition.
 * Units and limits: Unix seconds; FR_NOTICES_MAX conditions, those that come first.
 * Trust: our own store and files.
 */
#include "base/diag.h"
#include "store/notice.h"

struct fr_survey;

/* What the caller knows. What merely happens counts for a day after it was seen last. */
struct fr_alarm_seen {
    int64_t backup_s;  /* when the last one was made; 0: never; -1: not known */
    unsigned diverged; /* files of changes that were lost at a promotion */
    const char *trail; /* why the audit trail cannot be written; NULL: it can, or nobody looked */
    bool copy_fails;   /* its second copy cannot be written */
    const char *const *walks; /* members that walk through neighbouring DevEUIs */
    size_t n_walks;
    const char *const *over; /* "acme/queries": a member, and the budget it is over */
    size_t n_over;
};

struct fr_survey_options {
    const char *state; /* directory */
    int64_t now_s;
    const struct fr_alarm_seen *seen;
};

struct fr_condition {
    char id[FR_NOTICE_ID_MAX + 1];
    const char *check; /* of `doctor`; static */
    enum fr_notice_level level;
    enum fr_notice_stage stage; /* now; FR_STAGE_NONE: not yet, but within FR_STAGE_SLACK_S */
    enum fr_notice_stage soon;  /* FR_STAGE_SLACK_S from now */
    int64_t until_s;            /* as in a notice */
    bool is_event;
    unsigned count;                  /* of things it stands for */
    char name[FR_NOTICE_ID_MAX + 1]; /* of a certificate: whose, for a list of names; else "" */
    char what[FR_NOTICE_WHAT_MAX + 1];
    char mend[FR_NOTICE_MEND_MAX + 1];
};

enum fr_err fr_survey_new(const struct fr_survey_options *options, struct fr_survey **out);
void fr_survey_free(struct fr_survey *survey); /* NULL is fine */

/* Goes on for about budget_ms. */
enum fr_err fr_survey_step(struct fr_survey *survey, struct fr_store *store, unsigned budget_ms,
                           bool *done);

/* Once done: in the order of their ids. *dropped: how many more there would be. */
const struct fr_condition *fr_survey_conditions(const struct fr_survey *survey, size_t *n,
                                                uint64_t *dropped);
