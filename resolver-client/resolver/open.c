#include "resolver/open.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "resolver/flight.h"
#include "resolver/host_loop.h"
#include "resolver/link_http.h"
#include "resolver/lookup.h"
#include "resolver/memory.h"
#include "resolver/open_with.h"
#include "resolver/own_loop.h"
#include "resolver/peer.h"
#include "resolver/public_dns.h"
#include "resolver/records.h"
#include "resolver/reload.h"
#include "resolver/text.h"
#include "resolver/turns.h"

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
    fr_reload_init(f);
    err = fr_options_dup(options, &f->options);
    if (err) goto out;
    const struct fr_cache_limits limits = fr_memory_cache_limits(f->options);
    err = fr_cache_new(&limits, &f->cache);
    if (!err) err = fr_public_dns_new(loop, &f->public_dns);
    if (!err) err = fr_public_dns_set(f->public_dns, options, f->options);
    if (err) goto out;
    if (!maker) err = fr_random(&f->draws, sizeof f->draws);
    if (err) goto out;
    f->maker = maker ? *maker : (struct fr_link_maker){.make = fr_link_http_make, .data = f};
    for (size_t i = 0; i < f->options->n_federations && !err; i++)
        err =
            fr_brokers_new(f->options, f->options->federations[i], loop, &f->maker, &f->brokers[i]);
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

enum fr_err fr_resolver_open_own(const struct fedroam_options *options,
                                 const struct fr_link_maker *maker, struct fedroam **out)
{
    struct fr_own_loop *loop = NULL;
    struct fedroam *f = NULL;
    enum fr_err err = fr_own_loop_new(fr_clock_system(), &loop);
    if (err) return err;
    err = fr_resolver_open_with(options, fr_own_loop(loop), maker, NULL, &f);
    if (!err) err = fr_turns_init(f);
    if (err) {
        fedroam_free(f);
        fr_own_loop_free(loop);
        return err;
    }
    f->own_loop = loop;
    *out = f;
    return FR_OK;
}

static enum fr_err open_hosted(const struct fedroam_options *options, struct fedroam **out)
{
    struct fr_loop *loop = NULL;
    enum fr_err err =
        fr_host_loop_new(&options->host, options->host_data, fr_clock_system(), &loop);
    if (err) return err;
    err = fr_resolver_open(options, loop, NULL, out);
    if (err)
        fr_host_loop_free(loop);
    else
        (*out)->host_loop = loop;
    return err;
}

enum fedroam_err fedroam_new(const struct fedroam_options *options, struct fedroam **out)
{
    return fr_public_err(options->has_host ? open_hosted(options, out)
                                           : fr_resolver_open_own(options, NULL, out));
}

void fedroam_free(struct fedroam *f)
{
    if (!f) return;
    fr_peers_free(f);
    fr_lookups_free(f);
    fr_flights_free(f);
    fr_records_free(f);
    for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++) fr_brokers_free(f->brokers[i]);
    fr_reload_free(f);
    fr_public_dns_free(f->public_dns);
    fr_memory_end(f);
    fr_cache_free(f->cache);
    fedroam_options_free(f->options);
    if (f->own_loop) fr_turns_deinit(f);
    fr_own_loop_free(f->own_loop);
    fr_host_loop_free(f->host_loop);
    fr_free(f);
}

void fr_resolver_traffic(struct fedroam *f, struct fr_resolver_traffic *out)
{
    *out = (struct fr_resolver_traffic){0};
    for (size_t i = 0; i < f->options->n_federations; i++)
        fr_brokers_add_traffic(f->brokers[i], out);
}

static uint64_t count(const struct fedroam *f, enum fedroam_counter which)
{
    struct fr_brokers_counts sum = f->past;
    for (size_t i = 0; i < f->options->n_federations; i++)
        fr_brokers_add_counts(f->brokers[i], &sum);
    fr_reload_add_counts(f, &sum);
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
    case FEDROAM_COUNT_PUBLIC_DNS: return fr_public_dns_counts(f->public_dns).asked;
    case FEDROAM_COUNT_PUBLIC_DNS_FAILED: return fr_public_dns_counts(f->public_dns).failed;
    case FEDROAM_COUNT_LOOKUPS:
    case FEDROAM_COUNT_CACHED:
    case FEDROAM_COUNT_SHARED:
    case FEDROAM_COUNT_STALE:
    case FEDROAM_COUNT_RELOADS: return f->counts[which];
    }
    return 0;
}

uint64_t fedroam_count(const struct fedroam *f, enum fedroam_counter which)
{
    struct fedroam *locked =
        (struct fedroam *)(uintptr_t)f; /* reading changes nothing but the lock */
    fr_enter(locked);
    uint64_t n = count(f, which);
    fr_leave(locked);
    return n;
}
