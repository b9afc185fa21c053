#include "main/member_metrics.h"

#include "base/mem.h"
#include "store/cert.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

#define WALK_MAX 20000 /* certificates looked at for who ends first */

struct ending {
    char member[FR_MEMBER_ID_MAX + 1];
    int64_t not_after_s;
    int64_t published_s;
    uint64_t devices;
};

/* The members of one federation, read once for all families. */
struct members {
    const struct fr_fed *fed;
    struct fr_snap *snap;
    struct ending *list;
    size_t n, room, walked, known;
};

static enum fr_err note_network(void *data, const struct fr_network_row *row)
{
    const struct members *all = data;
    struct ending *e = &all->list[all->n - 1];
    const int64_t when_s = fr_board_changed_s(all->fed->board, row->netid);

    if (when_s > e->published_s) e->published_s = when_s;
    e->devices += row->devices;
    return FR_OK;
}

static enum fr_err add_member(void *data, const struct fr_member_row *row)
{
    struct members *all = data;

    if (row->state == FR_MEMBER_REMOVED) return FR_OK;
    if (all->n == all->room) {
        const size_t room = all->room ? 2 * all->room : 64;
        void *list = fr_reallocarray(all->list, room, sizeof *all->list);
        if (!list) return FR_E_NOMEM;
        all->list = list;
        all->room = room;
    }
    struct ending *e = &all->list[all->n++];
    *e = (struct ending){0};
    memcpy(e->member, row->id, sizeof e->member);
    return fr_network_each_of(all->snap, row->id, note_network, all);
}

/* Soonest first: the first of each member is the one. */
static enum fr_err note_ending(void *data, const struct fr_cert_row *row)
{
    struct members *all = data;

    if (++all->walked > WALK_MAX || all->known == all->n) return FR_E_CLOSED;
    if (row->status != FR_CERT_ISSUED) return FR_OK;
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->list[i].member, row->member) != 0) continue;
        if (all->list[i].not_after_s == 0) all->known++;
        if (all->list[i].not_after_s == 0) all->list[i].not_after_s = row->not_after_s;
    }
    return FR_OK;
}

static void read_members(struct members *all, int64_t now_s)
{
    if (fr_snap_begin(all->fed->store, &all->snap)) return;
    enum fr_err err = fr_member_each_sound(all->snap, add_member, NULL, all);
    if (!err) err = fr_cert_row_each_ending(all->snap, now_s, INT64_MAX, note_ending, all);
    (void)err; /* what could be read is told */
    fr_snap_end(all->snap);
}

struct writing {
    struct fr_metrics *m;
    const char *federation;
};

#define LABELS(member_)                                                                            \
    {"federation", w->federation},                                                                 \
    {                                                                                              \
        "member", (member_)                                                                        \
    }

static void write_looked_up(void *data, const struct fr_usage_row *row)
{
    const struct writing *w = data;
    if (row->looked_up_s) FR_METRIC(w->m, (uint64_t)row->looked_up_s, LABELS(row->member));
}

static void write_refused(void *data, const struct fr_usage_row *row)
{
    const struct writing *w = data;
    uint64_t sum = row->turned_away;
    for (int b = 0; b < FR_BUDGETS; b++) sum += row->refused[b];
    FR_METRIC(w->m, sum, LABELS(row->member));
}

static void write_probe_time(void *data, const struct fr_run *run)
{
    const struct writing *w = data;
    FR_METRIC(w->m, (uint64_t)run->when_s, LABELS(run->member));
}

static void write_probe_wrong(void *data, const struct fr_run *run)
{
    const struct writing *w = data;
    if (run->n > 0) FR_METRIC(w->m, run->n_wrong, LABELS(run->member));
}

static void write_of_usage(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_last_lookup_timestamp_seconds",
                      "When a member last had an answer about a device here.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_usage_each(counts->feds[i]->usage, write_looked_up,
                      &(struct writing){m, counts->feds[i]->name});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_refused_24h",
                      "Requests of a member refused in 24 hours: budgets, certificates.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_usage_each(counts->feds[i]->usage, write_refused,
                      &(struct writing){m, counts->feds[i]->name});
}

static void write_of_probes(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_probe_timestamp_seconds",
                      "When a member's endpoints were last connected to.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_prober_each(counts->feds[i]->prober, write_probe_time,
                       &(struct writing){m, counts->feds[i]->name});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_probe_wrong_endpoints",
                      "Endpoints of a member that were not as they should be then.");
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_prober_each(counts->feds[i]->prober, write_probe_wrong,
                       &(struct writing){m, counts->feds[i]->name});
}

static void write_of_store(struct fr_metrics *m, const struct members *all, size_t n)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_devices", "Devices of a member.");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < all[i].n; k++)
            FR_METRIC(m, all[i].list[k].devices, {"federation", all[i].fed->name},
                      {"member", all[i].list[k].member});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_last_publish_timestamp_seconds",
                      "When devices of a member last changed.");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < all[i].n; k++)
            if (all[i].list[k].published_s)
                FR_METRIC(m, (uint64_t)all[i].list[k].published_s, {"federation", all[i].fed->name},
                          {"member", all[i].list[k].member});
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_member_next_expiry_timestamp_seconds",
                      "When the next certificate of a member ends.");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < all[i].n; k++)
            if (all[i].list[k].not_after_s)
                FR_METRIC(m, (uint64_t)all[i].list[k].not_after_s, {"federation", all[i].fed->name},
                          {"member", all[i].list[k].member});
}

void fr_member_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts,
                             int64_t now_s)
{
    struct members *all = fr_calloc(counts->n_feds, sizeof *all);

    write_of_usage(m, counts);
    write_of_probes(m, counts);
    if (!all) return;
    for (size_t i = 0; i < counts->n_feds; i++) {
        all[i].fed = counts->feds[i];
        read_members(&all[i], now_s);
    }
    write_of_store(m, all, counts->n_feds);
    for (size_t i = 0; i < counts->n_feds; i++) fr_free(all[i].list);
    fr_free(all);
}
