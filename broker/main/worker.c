#include "main/worker.h"

#include "api/problem.h"
#include "api/route.h"
#include "base/mem.h"
#include "main/stranger.h"
#include "transport/loop_ev.h"

#include <pthread.h>
#include <string.h>

#define STANDBY_RETRY_AFTER_S "30"
#define REFUSALS_LOGGED 20 /* lines a second, so that a scanner does not fill the disk */

struct worker_fed {
    struct fr_fed *fed;
    struct fr_ident *ident;
    struct fr_stranger_desk strangers;
    struct fr_gate *gate;
    struct fr_doh *doh;
    struct fr_crl_shelf *shelf;
    struct fr_est *est;
    struct fr_api *api;
    struct fr_feeder *feeder;
};

/* What select() needs to know of the listener a connection came in by. */
struct entrance {
    struct fr_worker *worker;
    struct worker_fed *nameless; /* for clients without a server name; NULL: refuse them */
};

struct fr_worker {
    struct fr_worker_options options;
    size_t n_feds, n_entrances;
    struct worker_fed *feds;
    struct entrance *entrances;
    struct fr_loop *loop;
    struct fr_http_server *server;
    pthread_t thread;
    bool is_started;
    int64_t refusals_ms; /* the second that is being counted */
    unsigned refusals;
    uint32_t drain_ms;
    void (*on_stopped)(void *data, struct fr_worker *worker);
    void *on_stopped_data;
    struct fr_post stop_post;
    struct fr_http_server_counters last;
};

/* --- connections --- */

static bool choose(struct worker_fed *fed, enum fr_service service, struct fr_tls_choice *out)
{
    fr_ident_choose(fed->ident, service, out);
    out->tag = fed;
    return true;
}

static bool select_context(void *data, const char *sni, struct fr_tls_choice *out)
{
    struct entrance *entrance = data;
    struct fr_worker *w = entrance->worker;
    if (!sni) return entrance->nameless && choose(entrance->nameless, FR_SERVICE_BROKER, out);
    for (size_t i = 0; i < w->n_feds; i++) {
        enum fr_service service = fr_service_of(w->feds[i].fed->name, sni);
        if (service != FR_SERVICE_NONE) return choose(&w->feds[i], service, out);
    }
    return false;
}

/* Without TLS there is no server name: the request's own says whose list it is about. */
static struct worker_fed *fed_meant(struct fr_worker *w, struct fr_span authority)
{
    for (size_t i = 0; i < w->n_feds; i++)
        if (fr_crl_shelf_is_named(w->feds[i].shelf, authority)) return &w->feds[i];
    return w->n_feds == 1 ? &w->feds[0] : NULL;
}

static void on_plain_request(struct fr_worker *w, struct fr_http_exchange *x)
{
    struct worker_fed *fed = fed_meant(w, x->authority);
    if (fed)
        fr_crl_shelf_request(fed->shelf, x);
    else
        fr_http_reply_text(x, 404, "Ask for http://crl.<federation>/.");
}

/* What only the primary does, or a replica that is in step. */
static void refuse_here(struct fr_http_exchange *x, const char *text)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
        FR_HTTP_FIELD("cache-control", "no-store"),
        FR_HTTP_FIELD("retry-after", STANDBY_RETRY_AFTER_S),
    };
    fr_http_reply(x, 503, fields, sizeof fields / sizeof fields[0], fr_span_str(text));
}

/* What ca.<fed> has for whoever comes; true when x was answered. Questions are for broker.<fed>. */
static bool serve_ca(struct worker_fed *fed, struct fr_http_exchange *x)
{
    const char *sni = fr_http_conn_peer(x->conn)->sni;
    if (fr_service_of(fed->fed->name, sni) != FR_SERVICE_CA) return false;
    if (fr_est_is_meant(x->path) && !fr_standby_is_primary(fed->fed->standby)) {
        refuse_here(x, "This broker is a replica and issues nothing: ask the primary.");
        return true;
    }
    if (fr_est_is_meant(x->path)) {
        fr_est_request(fed->est, x);
        return true;
    }
    if (!fr_span_starts(x->path, "/crl/") ||
        !fr_service_answers(FR_SERVICE_CA, fed->fed->name, x->authority))
        return false;
    fr_crl_shelf_request(fed->shelf, x); /* the same lists as crl.<fed> has */
    return true;
}

/* A replica reads for members, and passes on whoever would change something; the feed has its own rules. */
static void serve_api(struct worker_fed *fed, struct fr_http_exchange *x)
{
    const struct fr_standby *standby = fed->fed->standby;
    const bool is_read = fr_span_is(x->method, "GET") || fr_span_is(x->method, "HEAD");
    struct fr_diag diag = {0};
    const struct fr_problem problem = {
        .status = 503, .code = FR_E_UNAVAILABLE, .diag = &diag, .retry_after_s = 30};
    bool may = is_read ? fr_standby_is_serving(standby) : fr_standby_is_primary(standby);
    if (may || fr_span_is(x->path, FR_API_FEED)) {
        fr_api_request(fed->api, x);
        return;
    }
    (void)fr_diag_fail(&diag, FR_E_UNAVAILABLE, "this broker is a replica");
    fr_diag_hint(&diag, "ask the federation's primary broker");
    fr_problem_reply(x, &problem);
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    struct fr_worker *w = data;
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct worker_fed *fed = peer->tag;
    if (!peer->is_tls)
        on_plain_request(w, x);
    else if (serve_ca(fed, x))
        return;
    else if (fr_api_is_meant(x->path))
        serve_api(fed, x);
    else if (!fr_standby_is_serving(fed->fed->standby))
        refuse_here(x, "This broker is a replica that is not in step with its primary.");
    else
        fr_doh_request(fed->doh, x);
}

/* Long bodies are taken as they come. */
static void on_head(void *data, struct fr_http_exchange *x)
{
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct worker_fed *fed = peer->tag;
    (void)data;
    if (peer->is_tls) fr_api_head(fed->api, x);
}

static void on_refused(void *data, const struct fr_addr *peer, const struct fr_tls_refusal *why)
{
    struct fr_worker *w = data;
    char text[FR_ADDR_TEXT];
    int64_t now_ms = fr_loop_now_ms(w->loop);
    if (now_ms - w->refusals_ms >= 1000) {
        w->refusals_ms = now_ms;
        w->refusals = 0;
    }
    if (++w->refusals > REFUSALS_LOGGED) return;
    fr_addr_print(peer, text);
    FR_LOG(w->options.log, FR_LOG_WARN, "handshake.refused", FR_STR("peer", text),
           FR_STR("reason", why->reason), FR_STR("sni", why->sni), FR_STR("subject", why->subject),
           FR_STR("alert", why->alert));
}

static void on_close(void *data, struct fr_http_conn *conn)
{
    (void)data;
    fr_gate_on_close(conn);
}

/* --- making --- */

static void part_idle(void *data);

static enum fr_err make_feds(struct fr_worker *w)
{
    const struct fr_broker_conf *conf = w->options.conf;
    w->feds = fr_calloc(conf->n_federations, sizeof *w->feds);
    if (!w->feds) return FR_E_NOMEM;
    for (size_t i = 0; i < conf->n_federations; i++) {
        struct worker_fed *fed = &w->feds[i];
        w->n_feds++;
        fed->fed = w->options.feds[i];
        fed->ident = fr_ident_ref(fed->fed->ident);
        fed->strangers =
            (struct fr_stranger_desk){fed->fed->writer, fed->fed->standby, w->options.clock, 0};
        const struct fr_gate_options gate = {
            .on_unknown = fr_stranger_seen,
            .on_unknown_data = &fed->strangers,
            .store = fed->fed->store,
            .log = w->options.log,
            .clock = w->options.clock,
            .usage = fed->fed->usage,
        };
        enum fr_err err = fr_gate_new(&gate, &fed->gate);
        if (!err) err = fr_doh_new(fed->gate, &fed->doh);
        if (!err) err = fr_crl_shelf_new(fed->fed->state, fed->fed->store, &fed->shelf);
        const struct fr_est_options est = {
            .gate = fed->gate,
            .writer = fed->fed->writer,
            .store = fed->fed->store,
            .loop = w->loop,
            .limits = {conf->limits.enrolments, conf->limits.enrolment_failures},
            .on_idle = part_idle,
            .data = w,
        };
        if (!err) err = fr_est_new(&est, &fed->est);
        const struct fr_feeder_options feeder = {
            .store = fed->fed->store,
            .desk = fr_standby_desk(fed->fed->standby),
            .loop = w->loop,
            .log = w->options.log,
            .clock = w->options.clock,
            .on_idle = part_idle,
            .data = w,
        };
        if (!err) err = fr_feeder_new(&feeder, &fed->feeder);
        const struct fr_api_options api = {
            .feeder = fed->feeder,
            .prober = fed->fed->prober,
            .gate = fed->gate,
            .writer = fed->fed->writer,
            .store = fed->fed->store,
            .loop = w->loop,
            .limits = {.under_way = conf->limits.api_requests},
            .on_idle = part_idle,
            .data = w,
        };
        if (!err) err = fr_api_new(&api, &fed->api);
        if (err) return err;
    }
    return FR_OK;
}

static struct fr_http_server_conf server_conf(const struct fr_broker_limits *limits)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    conf.connections = limits->connections;
    conf.streams = limits->streams;
    conf.per_address = limits->connections_per_address;
    conf.handshake_ms = limits->handshake_ms;
    conf.first_request_ms = limits->first_request_ms;
    conf.request_ms = limits->request_ms;
    conf.idle_ms = limits->idle_ms;
    conf.kept_ms = limits->kept_ms;
    conf.write_ms = limits->write_ms;
    conf.head_bytes = conf.target_bytes = limits->head;
    conf.body_bytes = limits->body;
    conf.backlog_bytes = limits->backlog;
    conf.resets = limits->resets;
    conf.control_frames = limits->control_frames;
    conf.continuations = limits->continuations;
    return conf;
}

static struct worker_fed *fed_named(struct fr_worker *w, const char *name)
{
    for (size_t i = 0; name && i < w->n_feds; i++)
        if (strcmp(w->feds[i].fed->name, name) == 0) return &w->feds[i];
    return NULL;
}

static enum fr_err make_server(struct fr_worker *w, struct fr_diag *diag)
{
    const struct fr_broker_conf *conf = w->options.conf;
    const struct fr_http_server_conf limits = server_conf(&conf->limits);
    const struct fr_http_handler handler = {.data = w,
                                            .on_request = on_request,
                                            .on_head = on_head,
                                            .on_refused = on_refused,
                                            .on_close = on_close};
    enum fr_err err = fr_http_server_new(w->loop, &limits, &handler, &w->server);
    if (err) return err;
    w->entrances = fr_calloc(conf->n_listen, sizeof *w->entrances);
    if (!w->entrances) return FR_E_NOMEM;
    for (size_t i = 0; !err && i < conf->n_listen; i++) {
        const struct fr_broker_listen_conf *listen = &conf->listen[i];
        if (listen->serve >= FR_SERVE_NOTIFY) continue;
        w->entrances[i] = (struct entrance){w, fed_named(w, listen->federation)};
        const bool is_plain = listen->serve == FR_SERVE_CRL;
        const struct fr_http_listen how = {
            .at = {listen->address, listen->port},
            .shared_fd = fr_doors_fd(w->options.doors, i, w->options.index),
            .tls = is_plain ? NULL : w->options.acceptor,
            .select = select_context,
            .select_data = &w->entrances[i],
            .proxies = listen->proxies,
            .n_proxies = listen->n_proxies,
        };
        err = fr_http_server_listen(w->server, &how, diag, NULL);
    }
    return err;
}

enum fr_err fr_worker_new(const struct fr_worker_options *options, struct fr_diag *diag,
                          struct fr_worker **out)
{
    struct fr_worker *w = fr_calloc(1, sizeof *w);
    if (!w) return FR_E_NOMEM;
    w->options = *options;
    w->options.acceptor = fr_tls_acceptor_ref(options->acceptor);
    enum fr_err err = fr_loop_ev_new(&w->loop);
    if (err) goto out;
    err = fr_loop_enable_posts(w->loop);
    if (err) goto out;
    err = make_feds(w);
    if (err) goto out;
    err = make_server(w, diag);
    if (err) goto out;
    *out = w;
    w = NULL;
out:
    fr_worker_free(w);
    return err;
}

/* --- running --- */

static void *worker_run(void *data)
{
    struct fr_worker *w = data;
    fr_loop_ev_run(w->loop);
    return NULL;
}

enum fr_err fr_worker_start(struct fr_worker *w)
{
    int errnum = pthread_create(&w->thread, NULL, worker_run, w);
    if (errnum) return fr_err_from_errno(errnum);
    w->is_started = true;
    return FR_OK;
}

struct ident_message {
    struct fr_post post;
    struct fr_worker *worker;
    size_t fed;
    struct fr_ident *ident;
};

static void ident_arrived(struct fr_post *post)
{
    struct ident_message *message = post->data;
    struct worker_fed *fed = &message->worker->feds[message->fed];
    fr_ident_unref(fed->ident);
    fed->ident = message->ident;
    fr_free(message);
}

enum fr_err fr_worker_set_ident(struct fr_worker *w, size_t fed, struct fr_ident *ident)
{
    struct ident_message *message = fr_calloc(1, sizeof *message);
    if (!message) return FR_E_NOMEM;
    message->worker = w;
    message->fed = fed;
    message->ident = fr_ident_ref(ident);
    fr_loop_post(w->loop, &message->post, ident_arrived, message);
    return FR_OK;
}

void fr_worker_last(const struct fr_worker *w, struct fr_http_server_counters *http,
                    struct fr_fed_counts *feds)
{
    *http = w->server ? *fr_http_server_counters(w->server) : w->last;
    for (size_t i = 0; i < w->n_feds; i++)
        feds[i] = (struct fr_fed_counts){
            *fr_gate_counters(w->feds[i].gate),     *fr_doh_counters(w->feds[i].doh),
            fr_gate_desk_counters(w->feds[i].gate), *fr_crl_shelf_counters(w->feds[i].shelf),
            *fr_est_counters(w->feds[i].est),       *fr_api_counters(w->feds[i].api),
            *fr_feeder_counters(w->feds[i].feeder)};
}

static void sample_delivered(struct fr_post *post)
{
    struct fr_worker_sample *sample = post->data;
    sample->on_sampled(sample);
}

static void sample_asked(struct fr_post *post)
{
    struct fr_worker_sample *sample = post->data;
    struct fr_worker *w = sample->worker;
    fr_worker_last(w, &sample->http, sample->feds);
    fr_loop_post(w->options.main_loop, &sample->post, sample_delivered, sample);
}

void fr_worker_sample(struct fr_worker *w, struct fr_worker_sample *sample)
{
    sample->worker = w;
    fr_loop_post(w->loop, &sample->post, sample_asked, sample);
}

/* --- stopping --- */

static void stop_delivered(struct fr_post *post)
{
    struct fr_worker *w = post->data;
    w->on_stopped(w->on_stopped_data, w);
}

/* The loop goes last: the writer's answers come by it. */
static void end_when_idle(struct fr_worker *w)
{
    if (w->server) return;
    for (size_t i = 0; i < w->n_feds; i++)
        if (fr_est_under_way(w->feds[i].est) || fr_api_under_way(w->feds[i].api) ||
            fr_feeder_waiting(w->feds[i].feeder))
            return;
    fr_loop_ev_stop(w->loop);
    fr_loop_post(w->options.main_loop, &w->stop_post, stop_delivered, w);
}

static void part_idle(void *data)
{
    end_when_idle(data);
}

static void server_stopped(void *data)
{
    struct fr_worker *w = data;
    w->last = *fr_http_server_counters(w->server);
    fr_http_server_free(w->server);
    w->server = NULL;
    end_when_idle(w);
}

static void stop_asked(struct fr_post *post)
{
    struct fr_worker *w = post->data;
    for (size_t i = 0; i < w->n_feds; i++) {
        fr_feeder_stop(w->feds[i].feeder);
        fr_api_stop(w->feds[i].api);
    }
    fr_http_server_stop(w->server, w->drain_ms, server_stopped, w);
}

void fr_worker_stop(struct fr_worker *w, uint32_t drain_ms,
                    void (*on_stopped)(void *data, struct fr_worker *worker), void *data)
{
    w->drain_ms = drain_ms;
    w->on_stopped = on_stopped;
    w->on_stopped_data = data;
    fr_loop_post(w->loop, &w->stop_post, stop_asked, w);
}

void fr_worker_free(struct fr_worker *w)
{
    if (!w) return;
    if (w->is_started) pthread_join(w->thread, NULL);
    fr_http_server_free(w->server);
    for (size_t i = 0; i < w->n_feds; i++) {
        fr_api_free(w->feds[i].api);
        fr_feeder_free(w->feds[i].feeder);
        fr_est_free(w->feds[i].est);
        fr_crl_shelf_free(w->feds[i].shelf);
        fr_doh_free(w->feds[i].doh);
        fr_gate_free(w->feds[i].gate);
        fr_ident_unref(w->feds[i].ident);
    }
    fr_free(w->feds);
    fr_free(w->entrances);
    fr_loop_ev_free(w->loop);
    fr_tls_acceptor_unref(w->options.acceptor);
    fr_free(w);
}
