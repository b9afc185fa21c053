#include "main/standby.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/url.h"
#include "replica/diverged.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TRIM_TICKS 60
#define NAG_TICKS 3600 /* lost changes are told of once an hour */
#define ADDRS_MAX 16

struct fr_standby {
    struct fr_standby_options options;
    struct fr_feed_desk *desk;
    struct fr_follower *follower;
    int64_t max_lag_s, max_stale_s;
    int64_t since_s; /* this process: what has never been in step lags since then */
    struct fr_feed_state state;
    uint64_t seen_txn;
    bool has_more_to_trim;
    bool is_known; /* state has been read */
    unsigned diverged, ticks;
    atomic_bool is_serving, is_primary;
};

/* --- the configuration --- */

struct source {
    struct fr_url url;
    size_t n;
    struct fr_addr addrs[ADDRS_MAX];
    char text[FR_URL_MAX + 1]; /* for people */
};

static enum fr_err read_source(const struct fr_broker_fed_conf *conf, struct fr_diag *diag,
                               struct source *out)
{
    *out = (struct source){0};
    if (fr_url_parse(fr_span_str(conf->replica_of.url), &out->url) || !out->url.is_tls)
        return fr_diag_fail(diag, FR_E_CONFIG, "replica_of: %s is no https URL",
                            conf->replica_of.url);
    if (conf->replica_of.n_addresses > ADDRS_MAX)
        return fr_diag_fail(diag, FR_E_CONFIG, "replica_of: at most %d addresses", ADDRS_MAX);
    for (size_t i = 0; i < conf->replica_of.n_addresses; i++)
        if (fr_addr_parse(fr_span_str(conf->replica_of.addresses[i]), out->url.port,
                          &out->addrs[out->n++]))
            return fr_diag_fail(diag, FR_E_CONFIG, "replica_of: %s is no address",
                                conf->replica_of.addresses[i]);
    if (out->n == 0) {
        (void)fr_diag_fail(diag, FR_E_CONFIG,
                           "replica_of needs addresses: every broker answers to the name %s",
                           out->url.host);
        return FR_E_CONFIG;
    }
    char at[FR_ADDR_TEXT];
    fr_addr_print(&out->addrs[0], at);
    (void)snprintf(out->text, sizeof out->text, "%s (%s%s)", conf->replica_of.url, at,
                   out->n > 1 ? ", …" : "");
    return FR_OK;
}

enum fr_err fr_standby_check(const struct fr_broker_fed_conf *conf, struct fr_diag *diag)
{
    struct source source;
    return conf->replica_of.url ? read_source(conf, diag, &source) : FR_OK;
}

static char *file_of(const struct fr_standby *s, const char *configured, const char *name)
{
    return configured ? fr_strdup(configured) : fr_path_join(s->options.state, name);
}

static enum fr_err start(struct fr_standby *s, const struct fr_broker_fed_conf *conf,
                         struct fr_diag *diag, struct fr_follower **out)
{
    struct source source;
    char *chain = file_of(s, conf->replica_of.certificate, "server.chain.pem");
    char *key = file_of(s, conf->replica_of.key, "server.key");
    char *ca = file_of(s, conf->replica_of.ca, "root.pem");
    enum fr_err err = chain && key && ca ? FR_OK : FR_E_NOMEM;
    if (!err) err = read_source(conf, diag, &source);
    if (!err) {
        const struct fr_follower_options options = {
            .store = s->options.store,
            .log = s->options.log,
            .clock = s->options.clock,
            .url = source.text,
            .host = source.url.host,
            .port = source.url.port,
            .addrs = source.addrs,
            .n_addrs = source.n,
            .chain = chain,
            .key = key,
            .ca = ca,
        };
        err = fr_follower_start(&options, diag, out);
    }
    fr_free(ca);
    fr_free(key);
    fr_free(chain);
    return err;
}

enum fr_err fr_standby_set(struct fr_standby *s, const struct fr_broker_fed_conf *conf,
                           struct fr_diag *diag)
{
    struct fr_follower *follower = NULL;
    if (conf->replica_of.url) {
        enum fr_err err = fr_standby_check(conf, diag);
        if (err) return err;
        fr_follower_stop(s->follower); /* two would get into each other's way */
        s->follower = NULL;
        err = start(s, conf, diag, &follower);
        if (err) return err;
    } else {
        fr_follower_stop(s->follower);
    }
    s->follower = follower;
    s->max_lag_s = (int64_t)(conf->replica_of.max_lag_ms / 1000);
    s->max_stale_s = (int64_t)(conf->replica_of.max_stale_ms / 1000);
    fr_feed_desk_set_limit(s->desk, conf->ack == FR_ACK_REPLICA ? conf->ack_wait_ms : 0);
    fr_standby_tend(s);
    return FR_OK;
}

/* --- every second --- */

static void save_diverged(struct fr_standby *s)
{
    struct fr_diag diag = {0};
    uint64_t n = 0;
    if (s->state.role != FR_ROLE_DEPOSED || s->state.is_saved) return;
    enum fr_err err = fr_diverged_save(s->options.store, &diag, &n);
    s->diverged = fr_diverged_count(s->options.state);
    FR_LOG(s->options.log, FR_LOG_ERROR, err ? "replica.diverged_failed" : "replica.diverged",
           FR_STR("federation", s->options.federation), FR_UINT("changes", n),
           FR_STR("why", err ? diag.what : NULL));
}

static void nag(struct fr_standby *s)
{
    if (s->ticks % NAG_TICKS != 0) return;
    s->diverged = fr_diverged_count(s->options.state);
    if (s->diverged)
        FR_LOG(s->options.log, FR_LOG_ERROR, "replica.diverged_waiting",
               FR_STR("federation", s->options.federation), FR_UINT("files", s->diverged),
               FR_STR("do", "fedroam replica diverged list"));
}

static void trim(struct fr_standby *s)
{
    if (s->ticks % TRIM_TICKS != 0 && !s->has_more_to_trim) return;
    if (fr_feed_trim(s->options.store, fr_clock_real_s(s->options.clock), &s->has_more_to_trim))
        s->has_more_to_trim = false; /* in a minute again */
}

static int64_t lag_of(struct fr_standby *s)
{
    struct fr_follower_status status = {0};
    const int64_t now_s = fr_clock_real_s(s->options.clock);
    if (s->state.role != FR_ROLE_REPLICA) return 0;
    if (s->follower) fr_follower_read(s->follower, &status);
    const int64_t since_s = status.in_step_s ? status.in_step_s : s->since_s;
    return now_s > since_s ? now_s - since_s : 0;
}

static void read_state(struct fr_standby *s)
{
    struct fr_snap *snap = NULL;
    struct fr_feed_state state;
    uint64_t txn = 0;
    if (s->is_known && fr_store_last_txn(s->options.store) == s->seen_txn) return;
    enum fr_err err = fr_snap_begin(s->options.store, &snap);
    if (!err) txn = fr_snap_txn(snap); /* the number above moves a moment before readers do */
    if (!err) err = fr_feed_get(snap, &state);
    fr_snap_end(snap);
    if (err) return; /* the next second looks again */
    if (s->is_known && state.role != s->state.role)
        FR_LOG(s->options.log, FR_LOG_WARN, "replica.role",
               FR_STR("federation", s->options.federation), FR_STR("is", fr_role_text(state.role)),
               FR_STR("was", fr_role_text(s->state.role)), FR_UINT("term", state.term));
    s->state = state;
    s->seen_txn = txn;
    s->is_known = true;
}

/* A deposed primary hears of no revocation: it must not answer at all. */
static bool is_serving(struct fr_standby *s)
{
    switch (s->state.role) {
    case FR_ROLE_PRIMARY: return true;
    case FR_ROLE_REPLICA: return !s->state.has_image && lag_of(s) <= s->max_stale_s;
    case FR_ROLE_DEPOSED: return false;
    }
    return false;
}

static void publish(struct fr_standby *s)
{
    atomic_store(&s->is_serving, is_serving(s));
    atomic_store(&s->is_primary, s->state.role == FR_ROLE_PRIMARY);
}

void fr_standby_tend(struct fr_standby *s)
{
    read_state(s);
    save_diverged(s);
    nag(s);
    trim(s);
    publish(s);
    s->ticks++;
}

/* --- questions --- */

bool fr_standby_is_serving(const struct fr_standby *s)
{
    return atomic_load(&s->is_serving);
}

bool fr_standby_is_primary(const struct fr_standby *s)
{
    return atomic_load(&s->is_primary);
}

struct fr_feed_desk *fr_standby_desk(struct fr_standby *s)
{
    return s->desk;
}

static const char *why_unready(struct fr_standby *s)
{
    if (s->state.role == FR_ROLE_PRIMARY) return NULL;
    if (s->state.role == FR_ROLE_DEPOSED) return "deposed: another broker is the primary";
    if (s->state.has_image) return "replica: the first copy is not whole yet";
    return lag_of(s) > s->max_lag_s ? "replica: behind its primary for longer than max_lag" : NULL;
}

void fr_standby_read(struct fr_standby *s, struct fr_standby_facts *out)
{
    *out = (struct fr_standby_facts){.has_follower = s->follower != NULL};
    read_state(s);
    publish(s); /* who is told that it is ready may ask at once */
    out->state = s->state;
    if (s->follower) fr_follower_read(s->follower, &out->follower);
    fr_feed_desk_read(s->desk, &out->desk);
    out->lag_s = lag_of(s);
    out->diverged = s->diverged;
    out->unready = why_unready(s);
}

/* --- handle --- */

enum fr_err fr_standby_new(const struct fr_standby_options *options, struct fr_standby **out)
{
    struct fr_standby *s = fr_calloc(1, sizeof *s);
    if (!s) return FR_E_NOMEM;
    s->options = *options;
    s->since_s = fr_clock_real_s(options->clock);
    s->max_lag_s = s->max_stale_s = INT64_MAX;
    enum fr_err err = fr_feed_desk_new(options->store, options->clock, &s->desk);
    if (err) {
        fr_free(s);
        return err;
    }
    fr_standby_tend(s);
    *out = s;
    return FR_OK;
}

void fr_standby_free(struct fr_standby *s)
{
    if (!s) return;
    fr_follower_stop(s->follower);
    fr_feed_desk_free(s->desk);
    fr_free(s);
}
