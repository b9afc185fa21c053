#include "main/copies_metrics.h"

#include "base/mem.h"
#include "main/copies.h"

#define FED(i)                                                                                     \
    {                                                                                              \
        "federation", counts->feds[i]->name                                                        \
    }

struct family {
    const char *name, *help;
    const char *label;
    bool is_of_secondaries;
    uint64_t (*read)(const struct fr_copy *copy);
};

static uint64_t behind(const struct fr_copy *copy)
{
    return copy->behind;
}
static uint64_t lag(const struct fr_copy *copy)
{
    return (uint64_t)copy->lag_s;
}
static uint64_t silence(const struct fr_copy *copy)
{
    return (uint64_t)copy->silent_s;
}
static uint64_t at(const struct fr_copy *copy)
{
    return copy->at;
}

static const struct family families[] = {
    {"fedroam_replica_follower_behind", "Entries of the feed that a replica of this primary lacks.",
     "host", false, behind},
    {"fedroam_replica_follower_lag_seconds",
     "Time since that replica last had all that there was; 0: it has.", "host", false, lag},
    {"fedroam_replica_follower_silence_seconds",
     "Time since that replica was last heard, or since this broker's start.", "host", false,
     silence},
    {"fedroam_secondary_serial", "Serial of the zone that a secondary has, as far as it said.",
     "secondary", true, at},
    {"fedroam_secondary_behind", "Changes that the secondary lacks.", "secondary", true, behind},
    {"fedroam_secondary_silence_seconds", "Time since the secondary last asked for the zone.",
     "secondary", true, silence},
};

void fr_copies_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    struct fr_copies *copies = fr_calloc(counts->n_feds, sizeof *copies);
    if (!copies) return;
    for (size_t i = 0; i < counts->n_feds; i++)
        if (fr_copies_read(counts->feds[i], &copies[i])) copies[i] = (struct fr_copies){0};
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        const struct family *family = &families[f];
        fr_metrics_family(m, FR_METRIC_GAUGE, family->name, family->help);
        for (size_t i = 0; i < counts->n_feds; i++) {
            const struct fr_copy *list =
                family->is_of_secondaries ? copies[i].secondaries : copies[i].replicas;
            const size_t n =
                family->is_of_secondaries ? copies[i].n_secondaries : copies[i].n_replicas;
            for (size_t k = 0; k < n; k++)
                FR_METRIC(m, family->read(&list[k]), FED(i), {family->label, list[k].name});
        }
    }
    fr_free(copies);
}
