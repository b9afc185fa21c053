#pragma once
/* Inside of broker/alarm: a survey on its way. */
#include "alarm/stage.h"
#include "alarm/survey.h"
#include "store/feed.h"

enum fr_survey_phase { FR_SURVEY_STATE, FR_SURVEY_CERTS, FR_SURVEY_DONE };

struct fr_survey {
    struct fr_survey_options o;
    enum fr_survey_phase phase;
    enum fr_role role;              /* of this broker, among the federation's */
    int64_t certs_from_s;           /* where the walk over certificates goes on */
    char own_host[FR_HOST_MAX + 1]; /* of the broker's own certificate */
    struct fr_condition *items;
    size_t n, room;
    uint64_t dropped;
    bool is_out_of_memory;
};

/* A life, seen from now: false when there is nothing to tell. */
struct fr_seen_life {
    enum fr_notice_stage stage, soon;
};
bool fr_survey_judge(const struct fr_survey *survey, enum fr_ladder ladder, int64_t from_s,
                     int64_t until_s, struct fr_seen_life *out);

/* Adds a condition whose fields but stage, soon and texts are set; the caller fills in those of the returned one. NULL: no room. */
struct fr_condition *fr_survey_add(struct fr_survey *survey, const char *check,
                                   enum fr_notice_level level, const struct fr_seen_life *life,
                                   int64_t until_s);
/* The same of something that is so, and gets worse by no clock. */
struct fr_condition *fr_survey_add_open(struct fr_survey *survey, const char *check,
                                        enum fr_notice_level level);

void fr_condition_id(struct fr_condition *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void fr_condition_what(struct fr_condition *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void fr_condition_mend(struct fr_condition *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* CAs, their lists and the broker's own certificate; the rest of the state; a slice of the certificates (*done: all). */
enum fr_err fr_survey_authorities(struct fr_survey *survey, struct fr_snap *snap);
enum fr_err fr_survey_state(struct fr_survey *survey, struct fr_snap *snap);
enum fr_err fr_survey_certs(struct fr_survey *survey, struct fr_snap *snap, unsigned budget_ms,
                            bool *done);

/* The list of a CA (survey_list.c). */
void fr_survey_list(struct fr_survey *survey, const char *name, bool is_root);
