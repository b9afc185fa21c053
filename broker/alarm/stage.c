#include "alarm/stage.h"

#include "ca/crl.h"

#define DAY 86400LL

/* So much is left: a part of the life, or a time. The longest first. */
struct step {
    enum fr_notice_stage stage;
    int part; /* 1/part of the life; 0: a time */
    int64_t left_s;
};

static const struct step leaf[] = {
    {FR_STAGE_OVERDUE, 4, 0}, {FR_STAGE_3D, 0, 3 * DAY}, {FR_STAGE_1D, 0, DAY}, {0}};

static const struct step authority[] = {{FR_STAGE_HALF, 2, 0},
                                        {FR_STAGE_THIRD, 3, 0},
                                        {FR_STAGE_YEAR, 0, 365 * DAY},
                                        {FR_STAGE_90D, 0, 90 * DAY},
                                        {FR_STAGE_30D, 0, 30 * DAY},
                                        {FR_STAGE_7D, 0, 7 * DAY},
                                        {0}};

static const struct step list[] = {{FR_STAGE_OVERDUE, 0, FR_CRL_LIFETIME_S - 2 * FR_CRL_REFRESH_S},
                                   {0}};

static const struct step *const ladders[] = {
    [FR_LADDER_LEAF] = leaf, [FR_LADDER_AUTHORITY] = authority, [FR_LADDER_LIST] = list};

enum fr_notice_stage fr_stage_at(enum fr_ladder ladder, int64_t from_s, int64_t until_s,
                                 int64_t now_s)
{
    const int64_t left_s = until_s - now_s, life_s = until_s - from_s;
    enum fr_notice_stage reached = FR_STAGE_NONE;
    int64_t before_s = INT64_MAX; /* the step before this one */

    if (left_s < 0) return FR_STAGE_OVER;
    for (const struct step *step = ladders[ladder]; step->stage; step++) {
        const int64_t at_s = step->part > 0 ? life_s / step->part : step->left_s;
        if (at_s >= before_s) continue; /* too long for such a life */
        before_s = at_s;
        if (left_s <= at_s) reached = step->stage;
    }
    return reached;
}

const char *fr_stage_phrase(enum fr_notice_stage stage)
{
    switch (stage) {
    case FR_STAGE_HALF: return "half of its life is over";
    case FR_STAGE_THIRD: return "a third of its life is left";
    case FR_STAGE_YEAR: return "less than a year is left";
    case FR_STAGE_90D: return "less than 90 days are left";
    case FR_STAGE_30D: return "less than 30 days are left";
    case FR_STAGE_OVERDUE: return "it was not renewed in time";
    case FR_STAGE_7D: return "less than 7 days are left";
    case FR_STAGE_3D: return "less than 3 days are left";
    case FR_STAGE_1D: return "less than a day is left";
    case FR_STAGE_OVER: return "it is over";
    case FR_STAGE_NONE:
    case FR_STAGE_OPEN: break;
    }
    return "";
}
