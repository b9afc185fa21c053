#include "main/replica_metrics.h"

#include "base/mem.h"

#include <stddef.h>

#define FED(i)                                                                                     \
    {                                                                                              \
        "federation", counts->feds[i]->name                                                        \
    }

struct number {
    enum fr_metric_type kind;
    const char *name, *help;
    uint64_t (*read)(const struct fr_standby_facts *facts);
};

static uint64_t term(const struct fr_standby_facts *f)
{
    return f->state.term;
}
static uint64_t position(const struct fr_standby_facts *f)
{
    return f->state.head.position;
}
static uint64_t lag(const struct fr_standby_facts *f)
{
    return (uint64_t)f->lag_s;
}
static uint64_t whole(const struct fr_standby_facts *f)
{
    return !f->state.has_image;
}
static uint64_t diverged(const struct fr_standby_facts *f)
{
    return f->diverged;
}
static uint64_t connected(const struct fr_standby_facts *f)
{
    return f->follower.is_connected;
}
static uint64_t primary_position(const struct fr_standby_facts *f)
{
    return f->follower.primary;
}
static uint64_t entries(const struct fr_standby_facts *f)
{
    return f->follower.entries;
}
static uint64_t images(const struct fr_standby_facts *f)
{
    return f->follower.images;
}
static uint64_t faults(const struct fr_standby_facts *f)
{
    return f->follower.faults;
}

static const struct number numbers[] = {
    {FR_METRIC_GAUGE, "fedroam_replica_term", "Term of the newest primary known; 0: no feed yet.",
     term},
    {FR_METRIC_GAUGE, "fedroam_replica_position", "Last entry of the feed held here.", position},
    {FR_METRIC_GAUGE, "fedroam_replica_lag_seconds",
     "Time since a replica last held all that its primary had.", lag},
    {FR_METRIC_GAUGE, "fedroam_replica_whole", "1: no first copy is under way.", whole},
    {FR_METRIC_GAUGE, "fedroam_replica_diverged_files",
     "Files of changes that were lost when another broker took over.", diverged},
    {FR_METRIC_GAUGE, "fedroam_replica_connected",
     "1: the last request to the primary was answered.", connected},
    {FR_METRIC_GAUGE, "fedroam_replica_primary_position",
     "Last entry of the primary, as it last said.", primary_position},
    {FR_METRIC_COUNTER, "fedroam_replica_entries", "Entries taken over.", entries},
    {FR_METRIC_COUNTER, "fedroam_replica_images", "Whole copies begun.", images},
    {FR_METRIC_COUNTER, "fedroam_replica_faults", "Requests to a primary that came to nothing.",
     faults},
};

static void write_roles(struct fr_metrics *m, const struct fr_broker_counts *counts,
                        const struct fr_standby_facts *facts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_replica_role",
                      "1 for what this broker is: primary, replica, deposed.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (int role = FR_ROLE_PRIMARY; role <= FR_ROLE_DEPOSED; role++)
            FR_METRIC(m, facts[i].state.role == (enum fr_role)role, FED(i),
                      {"role", fr_role_text((enum fr_role)role)});
}

static void write_followers(struct fr_metrics *m, const struct fr_broker_counts *counts,
                            const struct fr_standby_facts *facts)
{
    fr_metrics_family(m, FR_METRIC_GAUGE, "fedroam_replica_follower_position",
                      "Last entry that a replica of this primary said it has on disk.");
    for (size_t i = 0; i < counts->n_feds; i++)
        for (size_t k = 0; k < facts[i].desk.n; k++)
            FR_METRIC(m, facts[i].desk.followers[k].position, FED(i),
                      {"host", facts[i].desk.followers[k].host});
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_replica_confirmations",
                      "Changes that waited for a replica (ack: replica), by result.");
    for (size_t i = 0; i < counts->n_feds; i++) {
        FR_METRIC(m, facts[i].desk.confirmed, FED(i), {"result", "confirmed"});
        FR_METRIC(m, facts[i].desk.unconfirmed, FED(i), {"result", "unconfirmed"});
    }
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_feed_messages", "Messages to replicas.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].feed.messages, FED(i));
    fr_metrics_family(m, FR_METRIC_COUNTER, "fedroam_feed_bytes", "Bytes of those messages.");
    for (size_t i = 0; i < counts->n_feds; i++)
        FR_METRIC(m, counts->fed_counts[i].feed.bytes, FED(i));
}

void fr_replica_metrics_write(struct fr_metrics *m, const struct fr_broker_counts *counts)
{
    struct fr_standby_facts *facts = fr_calloc(counts->n_feds, sizeof *facts);
    if (!facts) return;
    for (size_t i = 0; i < counts->n_feds; i++)
        fr_standby_read(counts->feds[i]->standby, &facts[i]);
    write_roles(m, counts, facts);
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
        fr_metrics_family(m, numbers[n].kind, numbers[n].name, numbers[n].help);
        for (size_t i = 0; i < counts->n_feds; i++)
            FR_METRIC(m, numbers[n].read(&facts[i]), FED(i));
    }
    write_followers(m, counts, facts);
    fr_free(facts);
}
