#pragma once
/*
 * Notices: what an operator was told, or has to be told, that a person must do.
 *
 * Model: one row for each thing that is wrong ("certificate/41c0…", "issuing/2026a", "list/root"), from the moment it is noted
 *   until it is mended; then it goes. A thing with an end gets worse by *stages*; a row is at one of them, and whoever reaches
 *   the next one forgets who was told and who acknowledged the last. So each stage is told once, by whichever broker is the
 *   primary at the time, and a restart or a promotion changes nothing about it.
 * Errors: FR_E_NOT_FOUND, FR_E_INVALID (an id, level or stage that cannot be), FR_E_LIMIT (FR_NOTICES_MAX rows are there).
 * Units: Unix seconds; 0: never.
 * Trust: texts are our own and may hold a file's name: control bytes and what is no UTF-8 are stored as '?'.
 */
#include "store/change.h"

#define FR_NOTICES_MAX 10000
#define FR_NOTICE_ID_MAX 320
#define FR_NOTICE_WHAT_MAX 400
#define FR_NOTICE_MEND_MAX 300

/* How bad it is: something to plan, something for working hours, something for now. Numbers as they are stored. */
enum fr_notice_level { FR_NOTICE_PLAN = 1, FR_NOTICE_WARNING = 2, FR_NOTICE_CRITICAL = 3 };

/* Numbers as they are stored, worse ones higher. */
enum fr_notice_stage {
    FR_STAGE_NONE = 0,     /* nothing to tell; never stored */
    FR_STAGE_OPEN = 1,     /* it is so: nothing that gets worse by itself */
    FR_STAGE_HALF = 10,    /* half of its life is over */
    FR_STAGE_THIRD = 11,   /* a third is left */
    FR_STAGE_YEAR = 12,    /* 365 days are left */
    FR_STAGE_90D = 13,     /* 90 days */
    FR_STAGE_30D = 14,     /* 30 days */
    FR_STAGE_OVERDUE = 15, /* it should have been renewed */
    FR_STAGE_7D = 16,
    FR_STAGE_3D = 17,
    FR_STAGE_1D = 18,
    FR_STAGE_OVER = 19, /* its life is over */
};

/* By which way it was told; or-ed. */
enum fr_notice_way { FR_NOTICE_BY_EXEC = 1, FR_NOTICE_BY_POST = 2 };

struct fr_notice_row {
    char id[FR_NOTICE_ID_MAX + 1];
    enum fr_notice_level level;
    enum fr_notice_stage stage;
    int64_t begun_s; /* when its first stage was noted */
    int64_t since_s; /* when this one was */
    int64_t
        until_s;  /* the end that is near, or until when something that happened is kept; 0: none */
    uint8_t told; /* enum fr_notice_way, or-ed: of this stage */
    int64_t told_s;  /* last */
    int64_t acked_s; /* of this stage; 0: nobody has acknowledged it */
    char acked_by[FR_ACTOR_MAX + 1];
    char acked_why[FR_REASON_MAX + 1];
    char what[FR_NOTICE_WHAT_MAX + 1]; /* one sentence */
    char mend[FR_NOTICE_MEND_MAX + 1]; /* what to type, or to do; "" */
};

const char *fr_notice_level_text(enum fr_notice_level level); /* "plan", "warning", "critical" */
const char *
fr_notice_stage_text(enum fr_notice_stage stage); /* "open", "overdue", "3d", "expired", … */

enum fr_err fr_notice_get(struct fr_snap *snap, const char *id, struct fr_notice_row *out);
typedef enum fr_err (*fr_notice_fn)(void *data, const struct fr_notice_row *row);
enum fr_err fr_notice_each(struct fr_snap *snap, fr_notice_fn fn, void *data); /* by id */

/* Adds one, or puts it in the place of what is there. The same again: no change. */
enum fr_err fr_notice_put(struct fr_change *change, const struct fr_notice_row *row,
                          struct fr_diag *diag);
/* It is mended. */
enum fr_err fr_notice_remove(struct fr_change *change, const char *id);

/* This stage was told by this way. Nothing when it is at another stage by now. */
enum fr_err fr_notice_told(struct fr_change *change, const char *id, enum fr_notice_stage stage,
                           enum fr_notice_way way);
/* Somebody has taken note of the present stage: it is not told any more, until the next one. Acknowledged already: no change. */
enum fr_err fr_notice_ack(struct fr_change *change, const char *id, const char *by, const char *why,
                          struct fr_diag *diag);
