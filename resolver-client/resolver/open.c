#include "resolver/open.h"

#include "base/clock.h"
#include "base/mem.h"
#include "resolver/flight.h"
#include "resolver/host_loop.h"
#include "resolver/link_http.h"
#include "resolver/lookup.h"
#include "resolver/memory.h"
#include "resolver/open_with.h"
#include "resolver/records.h"
#include "resolver/text.h"
#include "transport/loop_poll.h"

enum fr_err fr_resolver_open_with(const struct fedroam_options *options, struct fr_loop *loop,
                                  const struct fr_link_maker *maker, struct fr_diag *diag,
                                  struct fedroam **out)
{
    enum fr_err err = fr_options_check(options, diag);
    if (err) return err;
    struct fedroam *f = fr_calloc(1, sizeof *f);
    if (!f) return FR_E_NOMEM;
    f->loop = loop;
    fr_lookups_init(f);
    err = fr_options_dup(options, &f->options);
    if (err) goto out;
    struct fr_cache_limits limits = {.max_entries = f->options->cache_entries,
                                     .max_bytes = f->options->cache_bytes,
                                     .keep_ms = (int64_t)f->options->stale_s * 1000};
    err = fr_cache_new(&limits, &f->cache);
    if (err) goto out;
    struct fr_link_maker http = {.make = fr_link_http_make, .data = f};
    for (size_t i = 0; i < f->options->n_federations && !err; i++)
        err = fr_brokers_new(f->options, f->options->federations[i], loop, maker ? maker : &http,
                             &f->brokers[i]);
    if (err) goto out;
    fr_memory_start(f);
    *out = f;
    f = NULL;
out:
    fedroam_free(f);
    return err;
}

enum fr_err fr_resolver_open(const struct fedroam_options *options, struct fr_loop *loop,
                             struct fr_diag *diag, struct fedroam **out)
{
    return fr_resolver_open_with(options, loop, NULL, diag, out);
}

static void free_loop(struct fr_loop *loop, bool is_hosted)
{
    if (is_hosted)
        fr_host_loop_free(loop);
    else
        fr_loop_poll_free(loop);
}

enum fedroam_err fedroam_new(const struct fedroam_options *options, struct fedroam **out)
{
    struct fr_loop *loop = NULL;
    struct fedroam *f = NULL;
    enum fr_err err = options->has_host ? fr_host_loop_new(&options->host, options->host_data,
                                                           fr_clock_system(), &loop)
                                        : fr_loop_poll_new(NULL, &loop);
    if (err) return fr_public_err(err);
    err = fr_resolver_open(options, loop, NULL, &f);
    if (err) {
        free_loop(loop, options->has_host);
        return fr_public_err(err);
    }
    f->own_loop = loop;
    f->is_hosted = options->has_host;
    *out = f;
    return FEDROAM_OK;
}

void fedroam_free(struct fedroam *f)
{
    if (!f) return;
    struct fr_loop *own = f->own_loop;
    bool is_hosted = f->is_hosted;
    fr_lookups_free(f);
    fr_flights_free(f);
    fr_records_free(f);
    for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++) fr_brokers_free(f->brokers[i]);
    fr_memory_end(f);
    fr_cache_free(f->cache);
    fedroam_options_free(f->options);
    fr_free(f);
    if (own) free_loop(own, is_hosted);
}

void fr_resolver_traffic(struct fedroam *f, struct fr_resolver_traffic *out)
{
    *out = (struct fr_resolver_traffic){0};
    for (size_t i = 0; i < f->options->n_federations; i++)
        fr_brokers_add_traffic(f->brokers[i], out);
}

uint64_t fedroam_count(const struct fedroam *f, enum fedroam_counter which)
{
    struct fr_brokers_counts sum = {0};
    for (size_t i = 0; i < f->options->n_federations; i++) {
        struct fr_brokers_counts c = fr_brokers_counts(f->brokers[i]);
        sum.exchanges += c.exchanges;
        sum.failures += c.failures;
        sum.hedges += c.hedges;
        sum.probes += c.probes;
        sum.held += c.held;
    }
    switch (which) {
    case FEDROAM_COUNT_EXCHANGES: return sum.exchanges;
    case FEDROAM_COUNT_FAILURES: return sum.failures;
    case FEDROAM_COUNT_CACHE_ENTRIES: return fr_cache_counts(f->cache).entries;
    case FEDROAM_COUNT_CACHE_BYTES: return fr_cache_counts(f->cache).bytes;
    case FEDROAM_COUNT_CACHE_EVICTED: return fr_cache_counts(f->cache).evicted;
    case FEDROAM_COUNT_PREFETCHES: return f->prefetches;
    case FEDROAM_COUNT_HEDGES: return sum.hedges;
    case FEDROAM_COUNT_PROBES: return sum.probes;
    case FEDROAM_COUNT_HELD: return sum.held;
    case FEDROAM_COUNT_LOOKUPS:
    case FEDROAM_COUNT_CACHED:
    case FEDROAM_COUNT_SHARED:
    case FEDROAM_COUNT_STALE:
    case FEDROAM_COUNT_RELOADS: return f->counts[which];
    }
    return 0;
}
