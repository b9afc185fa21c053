#include "main/list_metrics.h"

#include "ca/crl.h"
#include "main/broker.h"
#include "main/fed.h"
#include "store/authority.h"

#include <string.h>

/* Its place; of one that is not known yet, a free one. NULL: more CAs than sign lists at a time. */
static struct fr_list_time *find(struct fr_list_times *times, const char *name)
{
    const size_t n = sizeof times->lists / sizeof times->lists[0];
    struct fr_list_time *free_one = NULL;
    for (size_t i = 0; i < n; i++) {
        struct fr_list_time *t = &times->lists[i];
        if (strcmp(t->name, name) == 0) return t;
        if (!free_one && t->name[0] == '\0') free_one = t;
    }
    return free_one;
}

struct writing {
    struct fr_metrics *m;
    struct fr_fed *fed;
    int64_t now_s;
    bool wants_age;
};

static void write_list(const struct writing *w, const char *name)
{
    struct fr_list_time *t = find(&w->fed->list_times, name);
    struct fr_crl_fields fields;
    char path[FR_CRL_PATH_MAX];
    if (!t || fr_crl_path(w->fed->state, name, path)) return;
    const struct fr_file_stamp stamp = fr_file_stamp(path);
    if (strcmp(t->name, name) != 0 || !fr_file_stamp_equal(&t->stamp, &stamp)) {
        *t = (struct fr_list_time){.stamp = stamp};
        (void)fr_span_copy(fr_span_str(name), t->name, sizeof t->name);
        if (fr_crl_load(w->fed->state, name, NULL, &fields) == FR_OK) {
            t->this_update_s = fields.this_update_s;
            t->next_update_s = fields.next_update_s;
        }
    }
    if (t->next_update_s == 0) return;
    const struct fr_label labels[] = {{"federation", w->fed->name}, {"certificate", name}};
    fr_metrics_sample_int(
        w->m, w->wants_age ? w->now_s - t->this_update_s : t->next_update_s - w->now_s, labels, 2);
}

static enum fr_err write_of(void *data, const struct fr_authority_row *row)
{
    const struct writing *w = data;
    if (row->kind == FR_AUTHORITY_ROOT ? !w->wants_age : fr_ca_row_signs_lists(row, w->now_s))
        write_list(w, row->name);
    return FR_OK;
}

static void write_lists(struct fr_metrics *m, const struct fr_broker_counts *counts, int64_t now_s,
                        bool wants_age)
{
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_snap *snap = NULL;
        struct writing w = {m, counts->feds[i], now_s, wants_age};
        if (fr_snap_begin(w.fed->store, &snap)) continue;
        (void)fr_authority_each(snap, write_of, &w); /* what cannot be read is absent */
        fr_snap_end(snap);
    }
}

void fr_list_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts,
                           int64_t now_s)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_crl_age_seconds",
                      "Age of an issuing CA's revocation list; a new one is due each hour.");
    write_lists(m, counts, now_s, true);
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_crl_expiry_seconds",
                      "Time left of a revocation list, the root's among them.");
    write_lists(m, counts, now_s, false);
}
