#include "alarm/survey_priv.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An expired certificate is somebody's trouble for so long. */
#define PAST_S (30 * 86400LL)

enum fr_err fr_survey_new(const struct fr_survey_options *options, struct fr_survey **out)
{
    struct fr_survey *survey = fr_calloc(1, sizeof *survey);

    if (!survey) return FR_E_NOMEM;
    survey->o = *options;
    survey->certs_from_s = options->now_s - PAST_S;
    *out = survey;
    return FR_OK;
}

void fr_survey_free(struct fr_survey *survey)
{
    if (!survey) return;
    fr_free(survey->items);
    fr_free(survey);
}

bool fr_survey_judge(const struct fr_survey *survey, enum fr_ladder ladder, int64_t from_s,
                     int64_t until_s, struct fr_seen_life *out)
{
    out->stage = fr_stage_at(ladder, from_s, until_s, survey->o.now_s);
    out->soon = fr_stage_at(ladder, from_s, until_s, survey->o.now_s + FR_STAGE_SLACK_S);
    return out->soon != FR_STAGE_NONE;
}

struct fr_condition *fr_survey_add(struct fr_survey *survey, const char *check,
                                   enum fr_notice_level level, const struct fr_seen_life *life,
                                   int64_t until_s)
{
    if (survey->n == FR_NOTICES_MAX) {
        survey->dropped++;
        return NULL;
    }
    if (survey->n == survey->room) {
        const size_t room = survey->room ? 2 * survey->room : 16;
        void *items = fr_reallocarray(survey->items, room, sizeof *survey->items);
        survey->is_out_of_memory = survey->is_out_of_memory || !items;
        if (!items) return NULL;
        survey->items = items;
        survey->room = room;
    }
    struct fr_condition *c = &survey->items[survey->n++];
    *c = (struct fr_condition){.check = check,
                               .level = level,
                               .stage = life->stage,
                               .soon = life->soon,
                               .until_s = until_s,
                               .count = 1};
    return c;
}

struct fr_condition *fr_survey_add_open(struct fr_survey *survey, const char *check,
                                        enum fr_notice_level level)
{
    static const struct fr_seen_life open = {FR_STAGE_OPEN, FR_STAGE_OPEN};

    return fr_survey_add(survey, check, level, &open, 0);
}

static void print(char *out, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void print(char *out, size_t size, const char *fmt, va_list args)
{
    (void)vsnprintf(out, size, fmt, args);
}

void fr_condition_id(struct fr_condition *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print(c->id, sizeof c->id, fmt, args);
    va_end(args);
}

void fr_condition_what(struct fr_condition *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print(c->what, sizeof c->what, fmt, args);
    va_end(args);
}

void fr_condition_mend(struct fr_condition *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print(c->mend, sizeof c->mend, fmt, args);
    va_end(args);
}

/* --- step by step --- */

static int compare_ids(const void *a, const void *b)
{
    const struct fr_condition *one = a, *other = b;

    return strcmp(one->id, other->id);
}

static enum fr_err read_role(struct fr_survey *survey, struct fr_snap *snap)
{
    struct fr_feed_state feed;
    enum fr_err err = fr_feed_get(snap, &feed);

    if (!err) survey->role = feed.role;
    return err;
}

enum fr_err fr_survey_step(struct fr_survey *survey, struct fr_store *store, unsigned budget_ms,
                           bool *done)
{
    struct fr_snap *snap = NULL;
    bool is_over = false;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    switch (survey->phase) {
    case FR_SURVEY_STATE:
        err = read_role(survey, snap);
        if (!err) err = fr_survey_authorities(survey, snap);
        if (!err) err = fr_survey_state(survey, snap);
        survey->phase = FR_SURVEY_CERTS;
        break;
    case FR_SURVEY_CERTS:
        err = fr_survey_certs(survey, snap, budget_ms, &is_over);
        if (!is_over) break;
        if (survey->n > 0) qsort(survey->items, survey->n, sizeof *survey->items, compare_ids);
        survey->phase = FR_SURVEY_DONE;
        break;
    case FR_SURVEY_DONE: break;
    }
    fr_snap_end(snap);
    if (!err && survey->is_out_of_memory) err = FR_E_NOMEM;
    *done = !err && survey->phase == FR_SURVEY_DONE;
    return err;
}

const struct fr_condition *fr_survey_conditions(const struct fr_survey *survey, size_t *n,
                                                uint64_t *dropped)
{
    *n = survey->n;
    *dropped = survey->dropped;
    return survey->items;
}
