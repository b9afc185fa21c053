#include "main/crew.h"

#include "base/mem.h"

#include <string.h>

struct fr_crew {
    struct fr_broker_conf conf;
    struct fr_fed **feds;
    struct fr_tls_acceptor *acceptor;
    struct fr_worker **workers;
    size_t n_workers, n_running;
    void (*on_stopped)(void *data, struct fr_crew *crew, const struct fr_crew_counts *last);
    void *on_stopped_data;
};

void fr_http_counts_add(struct fr_http_server_counters *sum,
                        const struct fr_http_server_counters *more)
{
    sum->accepted += more->accepted;
    sum->closed += more->closed;
    sum->handshakes += more->handshakes;
    sum->handshakes_resumed += more->handshakes_resumed;
    sum->handshakes_refused += more->handshakes_refused;
    for (size_t i = 0; i < sizeof sum->requests / sizeof sum->requests[0]; i++)
        sum->requests[i] += more->requests[i];
    sum->bad_requests += more->bad_requests;
    sum->bytes_in += more->bytes_in;
    sum->bytes_out += more->bytes_out;
    sum->limit_connections += more->limit_connections;
    sum->limit_streams += more->limit_streams;
    sum->limit_head += more->limit_head;
    sum->limit_body += more->limit_body;
    sum->limit_backlog += more->limit_backlog;
    sum->limit_address += more->limit_address;
    sum->limit_resets += more->limit_resets;
    sum->limit_control += more->limit_control;
    sum->limit_continuations += more->limit_continuations;
    sum->limit_chain += more->limit_chain;
    sum->bad_proxy += more->bad_proxy;
    sum->late_handshake += more->late_handshake;
    sum->late_first_request += more->late_first_request;
    sum->late_request += more->late_request;
    sum->late_idle += more->late_idle;
    sum->late_write += more->late_write;
    sum->open += more->open;
    sum->in_progress += more->in_progress;
}

/* --- making --- */

static enum fr_err make_workers(struct fr_crew *crew, const struct fr_crew_options *options,
                                struct fr_diag *diag)
{
    struct fr_worker_options worker = {
        .conf = &crew->conf,
        .feds = crew->feds,
        .doors = options->doors,
        .acceptor = crew->acceptor,
        .log = options->log,
        .clock = options->clock,
        .main_loop = options->main_loop,
    };
    crew->workers = fr_calloc(crew->conf.workers, sizeof *crew->workers);
    if (!crew->workers) return FR_E_NOMEM;
    for (unsigned i = 0; i < crew->conf.workers; i++) {
        worker.index = i;
        enum fr_err err = fr_worker_new(&worker, diag, &crew->workers[i]);
        if (err) return err;
        crew->n_workers++;
    }
    return FR_OK;
}

enum fr_err fr_crew_new(const struct fr_crew_options *options, struct fr_diag *diag,
                        struct fr_crew **out)
{
    const struct fr_broker_limits *limits = &options->conf->limits;
    struct fr_crew *crew = fr_calloc(1, sizeof *crew);
    if (!crew) return FR_E_NOMEM;
    crew->conf = *options->conf;
    crew->feds = fr_memdup(options->feds, crew->conf.n_federations * sizeof *crew->feds);
    enum fr_err err = crew->feds ? FR_OK : FR_E_NOMEM;
    if (!err)
        err = fr_tls_acceptor_new(limits->session_ms / 1000, limits->sessions, &crew->acceptor);
    if (!err) fr_tls_acceptor_set_chain_max(crew->acceptor, limits->client_chain);
    if (!err) err = make_workers(crew, options, diag);
    if (err) {
        crew->conf = (struct fr_broker_conf){0}; /* still the caller's */
        fr_crew_free(crew);
        return err;
    }
    *options->conf = (struct fr_broker_conf){0};
    *out = crew;
    return FR_OK;
}

enum fr_err fr_crew_start(struct fr_crew *crew)
{
    enum fr_err err = FR_OK;
    while (!err && crew->n_running < crew->n_workers) {
        err = fr_worker_start(crew->workers[crew->n_running]);
        if (!err) crew->n_running++;
    }
    /* Out of threads: those that run do the work; listeners of the others must not hold connections
     * nobody serves. */
    while (crew->n_workers > crew->n_running) fr_worker_free(crew->workers[--crew->n_workers]);
    return crew->n_running ? FR_OK : err;
}

const struct fr_broker_conf *fr_crew_conf(const struct fr_crew *crew)
{
    return &crew->conf;
}

size_t fr_crew_n_feds(const struct fr_crew *crew)
{
    return crew->conf.n_federations;
}

unsigned fr_crew_sessions(const struct fr_crew *crew)
{
    return fr_tls_acceptor_sessions(crew->acceptor);
}

struct fr_fed *const *fr_crew_feds(const struct fr_crew *crew)
{
    return crew->feds;
}

void fr_crew_spread_ident(struct fr_crew *crew, const struct fr_fed *fed)
{
    for (size_t f = 0; f < crew->conf.n_federations; f++) {
        if (crew->feds[f] != fed) continue;
        /* Without memory a worker keeps the old one: as good as a change that comes later. */
        for (size_t i = 0; i < crew->n_workers; i++)
            (void)fr_worker_set_ident(crew->workers[i], f, fed->ident);
    }
}

/* --- counting --- */

struct count {
    size_t left, n_feds;
    struct fr_crew_counts sum;
    fr_crew_counted_fn counted;
    void *data;
    struct fr_worker_sample *samples;
    struct fr_fed_counts *rooms; /* of the sum, then of each sample */
};

static void count_free(struct count *count)
{
    if (!count) return;
    fr_free(count->rooms);
    fr_free(count->samples);
    fr_free(count);
}

static void counts_add(struct fr_crew_counts *sum, const struct fr_http_server_counters *http,
                       const struct fr_fed_counts *feds, size_t n_feds)
{
    fr_http_counts_add(&sum->http, http);
    for (size_t i = 0; i < n_feds; i++) fr_fed_counts_add(&sum->feds[i], &feds[i]);
}

static void sample_arrived(struct fr_worker_sample *sample)
{
    struct count *count = sample->data;
    counts_add(&count->sum, &sample->http, sample->feds, count->n_feds);
    if (--count->left) return;
    count->counted(count->data, &count->sum);
    count_free(count);
}

enum fr_err fr_crew_count(struct fr_crew *crew, fr_crew_counted_fn counted, void *data)
{
    const size_t n_feds = crew->conf.n_federations;
    struct count *count = fr_calloc(1, sizeof *count);
    if (!count) return FR_E_NOMEM;
    count->samples = fr_calloc(crew->n_workers, sizeof *count->samples);
    count->rooms = fr_calloc((crew->n_workers + 1) * n_feds, sizeof *count->rooms);
    if (!count->samples || !count->rooms) {
        count_free(count);
        return FR_E_NOMEM;
    }
    count->left = crew->n_workers;
    count->n_feds = n_feds;
    count->sum.feds = count->rooms;
    count->counted = counted;
    count->data = data;
    for (size_t i = 0; i < crew->n_workers; i++) {
        count->samples[i].feds = &count->rooms[(i + 1) * n_feds];
        count->samples[i].on_sampled = sample_arrived;
        count->samples[i].data = count;
        fr_worker_sample(crew->workers[i], &count->samples[i]);
    }
    return FR_OK;
}

/* --- stopping --- */

static void crew_stopped(struct fr_crew *crew)
{
    const size_t n_feds = crew->conf.n_federations;
    struct fr_crew_counts sum = {.feds = fr_calloc(n_feds, sizeof *sum.feds)};
    struct fr_fed_counts *feds = fr_calloc(n_feds, sizeof *feds);
    for (size_t i = 0; sum.feds && feds && i < crew->n_workers; i++) {
        struct fr_http_server_counters http;
        fr_worker_last(crew->workers[i], &http, feds);
        counts_add(&sum, &http, feds, n_feds);
    }
    crew->on_stopped(crew->on_stopped_data, crew, &sum);
    fr_free(sum.feds);
    fr_free(feds);
}

static void worker_stopped(void *data, struct fr_worker *worker)
{
    struct fr_crew *crew = data;
    (void)worker;
    if (--crew->n_running == 0) crew_stopped(crew);
}

void fr_crew_stop(struct fr_crew *crew, uint32_t drain_ms,
                  void (*on_stopped)(void *data, struct fr_crew *crew,
                                     const struct fr_crew_counts *last),
                  void *data)
{
    crew->on_stopped = on_stopped;
    crew->on_stopped_data = data;
    for (size_t i = 0; i < crew->n_workers; i++)
        fr_worker_stop(crew->workers[i], drain_ms, worker_stopped, crew);
}

void fr_crew_free(struct fr_crew *crew)
{
    if (!crew) return;
    for (size_t i = 0; i < crew->n_workers; i++) fr_worker_free(crew->workers[i]);
    fr_free(crew->workers);
    fr_tls_acceptor_unref(crew->acceptor);
    fr_free(crew->feds);
    fr_broker_conf_free(&crew->conf);
    fr_free(crew);
}
