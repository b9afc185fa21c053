#pragma once
/*
 * How near the end of something is, in the stages that people are told of.
 *
 * Model: each kind of thing has its own ladder of stages, the worst that was reached counts. A step that is so many days before the
 *   end belongs to the ladder only where the life is so long that the step comes after those that are parts of the life.
 *   A *step back* of the clock by less than FR_STAGE_SLACK_S changes no stage that was reached (alarm/ledger.h).
 * Owns: nothing; pure. Units: Unix seconds; a life is over behind its last second.
 */
#include "store/notice.h"

#define FR_STAGE_SLACK_S 86400LL

enum fr_ladder {
    FR_LADDER_LEAF, /* certificates that renew by themselves: 3/4 of the life, 3 days, 1 day, over */
    FR_LADDER_AUTHORITY, /* what people renew: 1/2, 1/3 left, 365, 90, 30, 7 days, over */
    FR_LADDER_LIST,      /* lists that are made anew each hour: two were missed, over */
};

enum fr_notice_stage fr_stage_at(enum fr_ladder ladder, int64_t from_s, int64_t until_s,
                                 int64_t now_s);

/* "a third of its life is left": for a sentence. */
const char *fr_stage_phrase(enum fr_notice_stage stage);
