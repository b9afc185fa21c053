#include "alarm/ledger.h"

#include "alarm/stage.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_STEP_S 3600LL /* how late an event may be seen to go on */

struct look {
    struct fr_ledger *ledger;
    int64_t now_s;
    size_t at; /* the next condition */
    struct fr_notice_row *put;
    size_t n_put;
    char (*gone)[FR_NOTICE_ID_MAX + 1];
    size_t n_gone;
};

static bool is_full(const struct look *l)
{
    return l->n_put + l->n_gone >= FR_LEDGER_AT_ONCE;
}

static void put(struct look *l, const struct fr_condition *c, const struct fr_notice_row *before)
{
    struct fr_notice_row *row = &l->put[l->n_put++];

    *row = (struct fr_notice_row){.level = c->level,
                                  .stage = c->stage,
                                  .begun_s = before ? before->begun_s : l->now_s,
                                  .since_s = l->now_s,
                                  .until_s = c->until_s};
    memcpy(row->id, c->id, sizeof row->id);
    memcpy(row->what, c->what, sizeof row->what);
    memcpy(row->mend, c->mend, sizeof row->mend);
}

static void take_away(struct look *l, const char *id)
{
    (void)fr_span_copy(fr_span_str(id), l->gone[l->n_gone++], sizeof l->gone[0]);
}

/* What happened is not repeated: it is kept so long after it was seen last. */
static void look_event(struct look *l, const struct fr_condition *c,
                       const struct fr_notice_row *row)
{
    if (c->until_s - row->until_s < EVENT_STEP_S && row->until_s - c->until_s < FR_STAGE_SLACK_S)
        return;
    l->put[l->n_put] = *row;
    l->put[l->n_put++].until_s = c->until_s;
}

static void look_both(struct look *l, const struct fr_condition *c, const struct fr_notice_row *row)
{
    if (c->is_event) {
        look_event(l, c, row);
        return;
    }
    const bool is_other = row->until_s != c->until_s; /* another list, another CA of that name */
    if (!is_other && row->stage >= c->stage && row->stage <= c->soon) return;
    if (c->stage == FR_STAGE_NONE)
        take_away(l, row->id);
    else
        put(l, c, is_other ? NULL : row);
}

static bool is_kept_event(const struct look *l, const struct fr_notice_row *row)
{
    return row->stage == FR_STAGE_OPEN && row->until_s >= l->now_s &&
           row->until_s - l->now_s <= 2 * FR_STAGE_SLACK_S;
}

static enum fr_err look_row(void *data, const struct fr_notice_row *row)
{
    struct look *l = data;
    const struct fr_condition *all = l->ledger->conditions;

    while (l->at < l->ledger->n && !is_full(l) && strcmp(all[l->at].id, row->id) < 0) {
        if (all[l->at].stage != FR_STAGE_NONE) put(l, &all[l->at], NULL);
        l->at++;
    }
    if (is_full(l)) return FR_E_EXISTS;
    if (l->at < l->ledger->n && strcmp(all[l->at].id, row->id) == 0)
        look_both(l, &all[l->at++], row);
    else if (!is_kept_event(l, row))
        take_away(l, row->id);
    return FR_OK;
}

static enum fr_err compare(struct look *l, struct fr_snap *snap)
{
    enum fr_err err = fr_notice_each(snap, look_row, l);

    if (is_full(l)) return FR_OK;
    for (; !err && l->at < l->ledger->n && !is_full(l); l->at++)
        if (l->ledger->conditions[l->at].stage != FR_STAGE_NONE)
            put(l, &l->ledger->conditions[l->at], NULL);
    return err;
}

/* What goes makes room for what comes. */
static enum fr_err write(const struct look *l, struct fr_change *change, struct fr_diag *diag)
{
    struct fr_ledger *ledger = l->ledger;
    enum fr_err err = FR_OK;

    ledger->no_room = 0;
    for (size_t i = 0; !err && i < l->n_gone; i++) {
        err = fr_notice_remove(change, l->gone[i]);
        if (!err && ledger->noted) ledger->noted(ledger->data, l->gone[i], NULL);
    }
    for (size_t i = 0; !err && i < l->n_put; i++) {
        const struct fr_notice_row *row = &l->put[i];
        err = fr_notice_put(change, row, diag);
        if (!err && ledger->noted && row->since_s == l->now_s)
            ledger->noted(ledger->data, row->id, row);
        if (err != FR_E_LIMIT) continue;
        ledger->no_room++;
        err = FR_OK;
    }
    return err;
}

enum fr_err fr_ledger_reckon(struct fr_ledger *ledger, struct fr_change *change,
                             struct fr_diag *diag, bool *done)
{
    struct look l = {.ledger = ledger, .now_s = fr_change_now(change)};

    l.put = fr_calloc(FR_LEDGER_AT_ONCE, sizeof *l.put);
    l.gone = fr_calloc(FR_LEDGER_AT_ONCE, sizeof *l.gone);
    enum fr_err err = l.put && l.gone ? compare(&l, fr_change_snap(change)) : FR_E_NOMEM;
    if (!err) err = write(&l, change, diag);
    if (!err) {
        ledger->raised += l.n_put - ledger->no_room;
        ledger->cleared += l.n_gone;
        *done = l.n_put + l.n_gone == ledger->no_room;
    }
    fr_free(l.gone);
    fr_free(l.put);
    return err;
}
