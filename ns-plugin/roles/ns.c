#include "roles/ns.h"

#include "base/url.h"
#include "names/netid.h"
#include "resolver/open.h"
#include "roles/ns_priv.h"

#include <string.h>

enum {
    DEDUP_MEMORY_MS = 1000, /* a late copy of a frame is known for this long */
    DEDUP_FRAMES = 4096,
    TLS_SESSION_S = 3600,
    TLS_SESSIONS = 1024,
    EXPIRE_EVERY_MS = 60000,
    FOLLOW_EVERY_MS = 2000, /* a stat of each certificate file */
    EXPIRE_AT_ONCE = 1000,  /* visitors looked at in one turn of the loop */
};

struct fr_js fr_ns_js(struct fr_ns *ns)
{
    return (struct fr_js){.crypto = ns->crypto,
                          .state = ns->state,
                          .keys = ns->keys,
                          .own_netid = ns->options->netid};
}

struct fr_bi_id fr_ns_id(const struct fr_ns *ns)
{
    return (struct fr_bi_id){.kind = FR_BI_ID_NETID, .value = ns->options->netid};
}

enum fr_err fr_ns_check(const struct fr_ns_options *o, struct fr_diag *diag)
{
    enum fr_err err = fr_netid_check(o->netid, diag);

    if (err) return err;
    if ((o->roles.home || o->roles.join_server) && o->devices == NULL) {
        return fr_diag_fail(diag, FR_E_CONFIG,
                            "the home and join_server roles need devices: a file with them");
    }
    if (o->roles.forwarding && o->gateways.listen.ip.family == 0) {
        return fr_diag_fail(diag, FR_E_CONFIG, "the forwarding role needs gateways: listen");
    }
    for (size_t i = 0; i < o->n_join_servers; i++) {
        struct fr_url url;
        if (fr_url_parse(fr_span_str(o->join_servers[i].url), &url) != FR_OK || !url.is_tls) {
            return fr_diag_fail(diag, FR_E_CONFIG, "join_servers: %s is not an https URL",
                                o->join_servers[i].url);
        }
        if (!url.is_ip && o->join_servers[i].n_addresses == 0) {
            return fr_diag_fail(diag, FR_E_CONFIG, "join_servers: %s needs addresses",
                                o->join_servers[i].url);
        }
    }
    return FR_OK;
}

enum fr_err fr_ns_check_files(const struct fr_ns_options *options, struct fr_diag *diag)
{
    struct fr_ns probe = {0};
    struct fedroam_options *lookups = NULL;

    enum fr_err err = fr_ns_check(options, diag);
    if (!err)
        err = fr_federations_read(options->federations, options->n_federations, &options->lookup,
                                  diag, &lookups);
    fedroam_options_free(lookups);
    if (err == FR_OK && options->devices != NULL) {
        err = fr_keys_load(options->devices, diag, &probe.keys);
    }
    if (err == FR_OK) err = fr_ns_feds_load(&probe, options, diag);
    if (probe.feds != NULL) fr_ns_feds_free(&probe);
    fr_keys_free(probe.keys);
    return err;
}

static const char *federation_of(void *data, void *tag)
{
    (void)data;
    return ((const struct fr_ns_fed *)tag)->name;
}

static bool is_us(void *data, struct fr_bi_id receiver)
{
    const struct fr_ns *ns = data;

    if (receiver.kind == FR_BI_ID_NETID) return receiver.value == ns->options->netid;
    return receiver.kind == FR_BI_ID_EUI && ns->options->roles.join_server &&
           fr_keys_has_join_eui(ns->keys, receiver.value);
}

static bool on_answer(void *data, const struct fr_bi_peer *peer, struct fr_bi_message *answer)
{
    struct fr_ns *ns = data;

    return fr_bi_client_take_answer(ns->client, peer->federation, peer->spki_sha256, answer);
}

static enum fr_err open_resolver(struct fr_ns *ns, struct fr_diag *diag)
{
    struct fedroam_options *options = NULL;

    enum fr_err err = fr_federations_options(ns->options->federations, ns->options->n_federations,
                                             &ns->options->lookup, diag, &options);
    if (err) return err;
    err = fr_resolver_open(options, ns->loop, diag, &ns->resolver);
    fedroam_options_free(options);
    return err;
}

static enum fr_err open_backend(struct fr_ns *ns, struct fr_diag *diag)
{
    const struct fr_bi_server_options options = {.data = ns,
                                                 .federation_of = federation_of,
                                                 .is_us = is_us,
                                                 .on_request = fr_ns_on_request,
                                                 .on_answer = on_answer};
    struct fr_http_server_conf conf = fr_http_server_conf_default();

    enum fr_err err = fr_bi_client_new(ns->loop, &ns->client);
    if (err || ns->options->backend.listen.ip.family == 0) return err;
    err = fr_bi_server_new(ns->loop, &options, ns->log, &ns->server);
    if (err) return err;
    err = fr_tls_acceptor_new(TLS_SESSION_S, TLS_SESSIONS, &ns->acceptor);
    if (err) return err;
    conf.body_bytes = FR_BI_BODY_MAX;
    conf.is_h2_off = true; /* Backend Interfaces 1.0 is HTTP/1.1 */
    struct fr_http_handler handler = fr_bi_server_handler(ns->server);
    err = fr_http_server_new(ns->loop, &conf, &handler, &ns->http);
    if (err) return err;
    const struct fr_http_listen how = {.at = ns->options->backend.listen,
                                       .tls = ns->acceptor,
                                       .select = fr_ns_select_tls,
                                       .select_data = ns};
    return fr_http_server_listen(ns->http, &how, diag, &ns->listener);
}

/* Roaming ends silently when its lifetime does. */
static void on_expire(struct fr_timer *timer)
{
    struct fr_ns *ns = timer->data;
    size_t ended = 0;
    bool is_done = true;

    enum fr_err err = fr_state_expire_visitors(ns->state, fr_loop_real_s(ns->loop), EXPIRE_AT_ONCE,
                                               &ns->expire_at, &ended, &is_done);
    if (err) FR_LOG(ns->log, FR_LOG_WARN, "state.expire_failed", FR_ERR("error", err));
    if (ended > 0) FR_LOG(ns->log, FR_LOG_INFO, "roaming.ended", FR_UINT("visitors", ended));
    fr_timer_start(ns->loop, timer, is_done || err ? EXPIRE_EVERY_MS : 0);
}

/* Certificates are renewed beside us; nobody has to tell. */
static void on_follow(struct fr_timer *timer)
{
    struct fr_ns *ns = timer->data;

    fr_ns_feds_follow(ns);
    fr_timer_start(ns->loop, timer, FOLLOW_EVERY_MS);
}

static enum fr_err open_gateways(struct fr_ns *ns, struct fr_diag *diag)
{
    const struct fr_gateways_options options = {.at = ns->options->gateways.listen,
                                                .allow = ns->options->gateways.allow,
                                                .n_allow = ns->options->gateways.n_allow};

    if (options.at.ip.family == 0) return FR_OK;
    enum fr_err err =
        fr_dedup_new(ns->options->dedup_ms, DEDUP_MEMORY_MS, DEDUP_FRAMES, &ns->dedup);
    if (err) return err;
    return fr_gateways_open(ns->loop, &options, ns->log, fr_ns_on_frame, ns, diag, &ns->gateways);
}

static void on_stopped(struct fr_defer *d)
{
    struct fr_ns *ns = d->data;

    ns->on_stopped(ns->stopped_data);
}

enum fr_err fr_ns_new(struct fr_loop *loop, const struct fr_ns_options *options,
                      const struct fr_log *log, struct fr_diag *diag, struct fr_ns **out)
{
    struct fr_ns *ns = fr_calloc(1, sizeof *ns);

    if (ns == NULL) return FR_E_NOMEM;
    ns->loop = loop;
    ns->log = log;
    ns->options = options;
    fr_timer_init(&ns->dedup_timer, fr_ns_on_dedup, ns);
    fr_timer_init(&ns->drain_timer, NULL, ns);
    fr_timer_init(&ns->expire_timer, on_expire, ns);
    fr_timer_init(&ns->follow_timer, on_follow, ns);
    fr_defer_init(&ns->stopped, on_stopped, ns);
    enum fr_err err = fr_ns_check(options, diag);
    if (err) goto out;
    err = fr_crypto_new(&ns->crypto);
    if (err) goto out;
    if (options->devices != NULL) {
        err = fr_keys_load(options->devices, diag, &ns->keys);
        if (err) goto out;
    }
    err = fr_ns_feds_load(ns, options, diag);
    if (err) goto out;
    err = fr_state_open(options->state, options->map_size, diag, &ns->state);
    if (err) goto out;
    err = open_resolver(ns, diag);
    if (err) goto out;
    err = open_backend(ns, diag);
    if (err) goto out;
    err = open_gateways(ns, diag);
    if (err) goto out;
    fr_timer_start(loop, &ns->expire_timer, 0);
    fr_timer_start(loop, &ns->follow_timer, FOLLOW_EVERY_MS);
    *out = ns;
    ns = NULL;
out:
    fr_ns_free(ns);
    return err;
}

/* What cannot change under a running server. */
static const char *needs_restart(const struct fr_ns_options *a, const struct fr_ns_options *b)
{
    if (a->netid != b->netid) return "netid";
    if (a->n_federations != b->n_federations) return "federations";
    for (size_t i = 0; i < a->n_federations; i++) {
        /* Connections point at the entries; what is in them may change. */
        if (strcmp(a->federations[i].name, b->federations[i].name) != 0) return "federations";
    }
    if (!fr_addr_equal(&a->gateways.listen, &b->gateways.listen)) return "gateways.listen";
    if (!fr_addr_equal(&a->backend.listen, &b->backend.listen)) return "backend.listen";
    if (strcmp(a->state, b->state) != 0) return "state";
    if (a->dedup_ms != b->dedup_ms) return "timers.dedup";
    return NULL;
}

/* Brokers, limits and certificate files of the look-ups. The files were just read for the peers' sake,
 * so only memory can be missing. */
static enum fr_err reload_resolver(struct fr_ns *ns, const struct fedroam_options *options,
                                   struct fr_diag *diag)
{
    enum fedroam_err err = fedroam_reload(ns->resolver, options);
    return err == FEDROAM_OK ? FR_OK
                             : fr_diag_fail(diag, FR_E_CONFIG, "look-ups go on as before: %s",
                                            fedroam_err_text(err));
}

enum fr_err fr_ns_reload(struct fr_ns *ns, const struct fr_ns_options *options,
                         struct fr_diag *diag)
{
    struct fr_keys *keys = NULL;
    struct fedroam_options *lookups = NULL;
    const char *key = needs_restart(ns->options, options);

    if (key != NULL) return fr_diag_fail(diag, FR_E_CONFIG, "%s changed: restart for that", key);
    enum fr_err err = fr_ns_check(options, diag);
    if (err) return err;
    if (options->devices != NULL) {
        err = fr_keys_load(options->devices, diag, &keys);
        if (err) return err;
    }
    err = fr_federations_options(options->federations, options->n_federations, &options->lookup,
                                 diag, &lookups);
    if (!err) err = fr_ns_feds_load(ns, options, diag);
    if (!err) err = reload_resolver(ns, lookups, diag);
    fedroam_options_free(lookups);
    if (err) {
        fr_keys_free(keys);
        return err;
    }
    fr_keys_free(ns->keys);
    ns->keys = keys;
    ns->options = options;
    if (ns->gateways != NULL) {
        fr_gateways_set_allow(ns->gateways, options->gateways.allow, options->gateways.n_allow);
    }
    fr_bi_client_close_idle(ns->client);
    return FR_OK;
}

void fr_ns_ended(struct fr_ns *ns)
{
    if (ns->is_stopping && ns->n_runs == 0 && ns->n_inbounds == 0) {
        fr_timer_stop(&ns->drain_timer);
        fr_loop_defer(ns->loop, &ns->stopped);
    }
}

static void on_drained(struct fr_timer *timer)
{
    struct fr_ns *ns = timer->data;

    fr_ns_drop_runs(ns);
    fr_ns_drop_inbounds(ns);
    fr_ns_ended(ns);
}

void fr_ns_stop(struct fr_ns *ns, uint32_t drain_ms, void (*stopped)(void *data), void *data)
{
    ns->is_stopping = true;
    ns->on_stopped = stopped;
    ns->stopped_data = data;
    if (ns->listener != NULL) fr_http_listener_close(ns->listener);
    ns->listener = NULL;
    ns->drain_timer.fn = on_drained;
    fr_timer_start(ns->loop, &ns->drain_timer, drain_ms);
    fr_ns_ended(ns);
}

void fr_ns_free(struct fr_ns *ns)
{
    if (ns == NULL) return;
    fr_timer_stop(&ns->dedup_timer);
    fr_timer_stop(&ns->drain_timer);
    fr_timer_stop(&ns->expire_timer);
    fr_timer_stop(&ns->follow_timer);
    fr_ns_drop_runs(ns);
    fr_ns_drop_inbounds(ns);
    fr_defer_cancel(&ns->stopped);
    fr_gateways_close(ns->gateways);
    fr_dedup_free(ns->dedup);
    fr_http_server_free(ns->http);
    fr_tls_acceptor_unref(ns->acceptor);
    fr_bi_server_free(ns->server);
    fr_bi_client_free(ns->client);
    fedroam_free(ns->resolver);
    fr_state_close(ns->state);
    if (ns->feds != NULL) fr_ns_feds_free(ns);
    fr_keys_free(ns->keys);
    fr_crypto_free(ns->crypto);
    fr_free(ns);
}

const struct fr_addr *fr_ns_gateways_addr(const struct fr_ns *ns)
{
    return ns->gateways != NULL ? fr_gateways_addr(ns->gateways) : NULL;
}

const struct fr_addr *fr_ns_backend_addr(const struct fr_ns *ns)
{
    return ns->listener != NULL ? fr_http_listener_addr(ns->listener) : NULL;
}
