#include "main/notice_metrics.h"

#include "main/fed.h"
#include "store/notice.h"

#include <string.h>

#define LEVELS 3

struct tally {
    uint64_t open[LEVELS], acked[LEVELS]; /* by level, less one */
};

static enum fr_err count(void *data, const struct fr_notice_row *row)
{
    struct tally *t = data;
    (*(row->acked_s > 0 ? &t->acked : &t->open))[row->level - 1]++;
    return FR_OK;
}

static bool tally_of(const struct fr_fed *fed, struct tally *out)
{
    struct fr_snap *snap = NULL;
    *out = (struct tally){0};
    enum fr_err err = fr_snap_begin(fed->store, &snap);
    if (!err) err = fr_notice_each(snap, count, out);
    fr_snap_end(snap);
    return !err;
}

static void write_notices(struct fr_metrics *m, const struct fr_fed *fed)
{
    struct tally t;
    if (!tally_of(fed, &t)) return; /* what cannot be read is absent */
    for (int i = 0; i < LEVELS; i++) {
        const char *level = fr_notice_level_text((enum fr_notice_level)(i + 1));
        FR_METRIC(m, t.open[i], {"federation", fed->name}, {"level", level}, {"state", "open"});
        FR_METRIC(m, t.acked[i], {"federation", fed->name}, {"level", level},
                  {"state", "acknowledged"});
    }
}

static void write_tellings(struct fr_metrics *m, const struct fr_fed *fed)
{
    static const enum fr_notice_way ways[] = {FR_NOTICE_BY_EXEC, FR_NOTICE_BY_POST};
    struct fr_messenger_counters c;
    fr_messenger_count(fr_notice_duty_messenger(fed->notice_duty), &c);
    for (int i = 0; i < 2; i++) {
        const char *way = fr_notice_way_text(ways[i]);
        FR_METRIC(m, c.taken[i], {"federation", fed->name}, {"way", way}, {"result", "taken"});
        FR_METRIC(m, c.failed[i], {"federation", fed->name}, {"way", way}, {"result", "failed"});
    }
}

void fr_notice_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_notices",
                      "What wants a person, by level and whether somebody has taken note of it.");
    for (size_t i = 0; i < counts->n_feds; i++) write_notices(m, counts->feds[i]);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_notice_deliveries",
                      "Attempts to tell a notice, by way and result.");
    for (size_t i = 0; i < counts->n_feds; i++) write_tellings(m, counts->feds[i]);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_notices_waiting",
                      "Notices that are still to be told by some way.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_messenger_counters c;
        fr_messenger_count(fr_notice_duty_messenger(counts->feds[i]->notice_duty), &c);
        FR_METRIC(m, c.waiting, {"federation", counts->feds[i]->name});
    }
}
