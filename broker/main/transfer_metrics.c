#include "main/transfer_metrics.h"

/* What secondaries took. */
static void write_outlets(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_secondary_transfers",
                      "Transfers of the zone to secondaries, by what came of them.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_outlet_counts sums = {0};
        if (counts->feds[i]->outlet) fr_outlet_count(counts->feds[i]->outlet, &sums);
        const struct {
            const char *result;
            uint64_t n;
        } rows[] = {{"full", sums.full},
                    {"changes", sums.changes},
                    {"current", sums.current},
                    {"failed", sums.failed},
                    {"refused", sums.refused}};
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
            FR_METRIC(m, rows[k].n, {"federation", counts->feds[i]->name},
                      {"result", rows[k].result});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_secondary_notifies",
                      "NOTIFY messages to secondaries.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        struct fr_outlet_counts sums = {0};
        if (counts->feds[i]->outlet) fr_outlet_count(counts->feds[i]->outlet, &sums);
        FR_METRIC(m, sums.notify.sent, {"federation", counts->feds[i]->name}, {"result", "sent"});
        FR_METRIC(m, sums.notify.answered, {"federation", counts->feds[i]->name},
                  {"result", "answered"});
        FR_METRIC(m, sums.notify.given_up, {"federation", counts->feds[i]->name},
                  {"result", "given_up"});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_secondary_dropped",
                      "Questions and connections of secondaries over the limit, not answered.");
    fr_metrics_sample(m, counts->transfers_dropped, NULL, 0);
}

void fr_transfer_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    static const struct {
        enum fr_metric_type type;
        const char *name, *help, *label;
        struct {
            const char *value;
            size_t at;
        } samples[4];
    } families[] = {
#define AT(field) offsetof(struct fr_secondary_counts, field)
        {FR_METRIC_COUNTER,
         "fedroam_transfers",
         "Looks at members' zones, by what came of them.",
         "result",
         {{"full", AT(full)},
          {"changes", AT(changes)},
          {"current", AT(current)},
          {"failed", AT(failures)}}},
        {FR_METRIC_COUNTER,
         "fedroam_transfer_notifies",
         "NOTIFY messages from listed servers, by what came of them.",
         "result",
         {{"taken", AT(notifies)}, {"refused", AT(notifies_refused)}}},
        {FR_METRIC_GAUGE,
         "fedroam_transfer_zones",
         "Members' zones that devices come from, and those that need somebody.",
         "state",
         {{"all", AT(zones)},
          {"held", AT(held)},
          {"failing", AT(failing)},
          {"expired", AT(expired)}}},
#undef AT
    };

    write_outlets(m, counts);
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_transfer_notifies_dropped",
                      "NOTIFY messages and connections over the limit, not answered.");
    fr_metrics_sample(m, counts->notifies_dropped, NULL, 0);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        fr_metrics_family(m, families[f].type, families[f].name, families[f].help);
        for (size_t i = 0; i < counts->n_feds; i++) {
            struct fr_secondary_counts sums = {0};
            if (counts->feds[i]->secondary) fr_secondary_count(counts->feds[i]->secondary, &sums);
            for (size_t s = 0; s < 4 && families[f].samples[s].value; s++) {
                const void *at = (const char *)&sums + families[f].samples[s].at;
                FR_METRIC(m, *(const uint64_t *)at, {"federation", counts->feds[i]->name},
                          {families[f].label, families[f].samples[s].value});
            }
        }
    }
}
