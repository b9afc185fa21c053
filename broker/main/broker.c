#include "main/broker.h"

#include "base/mem.h"
#include "main/health.h"
#include "main/notify_doors.h"
#include "main/transfer_doors.h"

#include <string.h>

#define TICK_MS 1000
#define TIDY_TICKS 60

struct fr_broker {
    struct fr_broker_options options;
    struct fr_crew *crew;
    struct fr_doors *doors; /* of the crew's configuration */
    unsigned draining;      /* crews of earlier configurations */
    struct fr_fed **feds; /* every open one: the crew's, and those that draining crews still use */
    size_t n_feds;
    struct fr_health *health;
    struct fr_notify_doors *notify;
    struct fr_transfer_doors *transfers;
    struct fr_timer tick;
    unsigned ticks;
    struct fr_http_server_counters retired;
    unsigned reloads, reloads_refused;
    bool is_stopping;
    unsigned stopping; /* what fr_broker_stop still waits for */
    void (*on_stopped)(void *data);
    void *on_stopped_data;
};

static struct fr_fed_options fed_options(const struct fr_broker_options *options,
                                         const struct fr_broker_conf *conf)
{
    return (struct fr_fed_options){.loop = options->loop,
                                   .log = options->log,
                                   .clock = options->clock,
                                   .passphrase = options->passphrase,
                                   .changes = conf->limits.changes,
                                   .transfers = {
                                       .at_once = conf->limits.transfers,
                                       .records_max = conf->limits.transfer_records,
                                       .bytes_max = conf->limits.transfer_size,
                                       .transfer_ms = conf->limits.transfer_ms,
                                       .idle_ms = conf->limits.transfer_idle_ms,
                                       .connect_ms = conf->limits.transfer_idle_ms,
                                   }};
}

/* --- federations of a configuration --- */

static struct fr_fed *fed_find(const struct fr_broker *broker,
                               const struct fr_broker_fed_conf *conf)
{
    for (size_t i = 0; i < broker->n_feds; i++)
        if (strcmp(broker->feds[i]->name, conf->name) == 0 &&
            strcmp(broker->feds[i]->state, conf->state) == 0)
            return broker->feds[i];
    return NULL;
}

static enum fr_err fed_add(struct fr_broker *broker, const struct fr_broker_conf *conf, size_t i,
                           struct fr_diag *diag)
{
    const struct fr_fed_options options = fed_options(&broker->options, conf);
    struct fr_fed *fed = NULL;
    struct fr_fed **feds = fr_reallocarray(broker->feds, broker->n_feds + 1, sizeof *feds);
    if (!feds) return FR_E_NOMEM;
    broker->feds = feds;
    enum fr_err err = fr_fed_open(&conf->federations[i], &options, diag, &fed);
    if (!err) err = fr_fed_start(fed, &options, diag);
    if (!err) err = fr_fed_set_query_log(fed, &conf->federations[i], diag);
    if (!err) err = fr_admin_fed_set_audit_also(fed->admin, conf->federations[i].audit_also);
    if (!err) err = fr_fed_set_notify(fed, &conf->federations[i]);
    if (!err) err = fr_fed_set_standby(fed, &conf->federations[i], diag);
    if (err) {
        fr_fed_close(fed);
        return err;
    }
    broker->feds[broker->n_feds++] = fed;
    return FR_OK;
}

/* Closes what was opened from `first` on. */
static void feds_drop(struct fr_broker *broker, size_t first)
{
    while (broker->n_feds > first) {
        struct fr_fed *fed = broker->feds[--broker->n_feds];
        fr_transfer_doors_leave(broker->transfers, fed);
        fr_fed_close(fed);
    }
}

/* The federations of a configuration, in its order: kept ones and newly opened ones. */
static enum fr_err feds_open(struct fr_broker *broker, const struct fr_broker_conf *conf,
                             struct fr_diag *diag, struct fr_fed ***out)
{
    const size_t first = broker->n_feds;
    enum fr_err err = FR_OK;
    struct fr_fed **list = fr_calloc(conf->n_federations, sizeof *list);
    if (!list) return FR_E_NOMEM;
    for (size_t i = 0; !err && i < conf->n_federations; i++) {
        list[i] = fed_find(broker, &conf->federations[i]);
        if (list[i]) continue;
        err = fed_add(broker, conf, i, diag);
        if (!err) list[i] = broker->feds[broker->n_feds - 1];
    }
    if (err) {
        feds_drop(broker, first);
        fr_free(list);
        return err;
    }
    *out = list;
    return FR_OK;
}

/* Opens all that this configuration names and makes a crew for it, which takes it over. On failure
 * nothing has changed. */
static enum fr_err crew_make(struct fr_broker *broker, struct fr_broker_conf *conf,
                             struct fr_diag *diag, struct fr_crew **out)
{
    const size_t first = broker->n_feds;
    struct fr_fed **feds = NULL;
    struct fr_doors *doors = NULL;
    enum fr_err err = fr_doors_open(conf, broker->doors, diag, &doors);
    if (err) return err;
    err = feds_open(broker, conf, diag, &feds);
    if (err) goto out;
    const struct fr_crew_options options = {
        .conf = conf,
        .feds = feds,
        .doors = doors,
        .log = broker->options.log,
        .clock = broker->options.clock,
        .main_loop = broker->options.loop,
    };
    err = fr_crew_new(&options, diag, out);
    if (!err) err = fr_notify_doors_set(broker->notify, fr_crew_conf(*out), diag);
    if (!err) err = fr_transfer_doors_set(broker->transfers, fr_crew_conf(*out), diag);
    if (err) {
        fr_crew_free(*out);
        *out = NULL;
        feds_drop(broker, first);
        goto out;
    }
    fr_doors_close(broker->doors); /* what stays was duplicated */
    broker->doors = doors;
    doors = NULL;
out:
    fr_doors_close(doors);
    fr_free(feds);
    return err;
}

/* --- every second --- */

static void tick(struct fr_timer *timer)
{
    struct fr_broker *broker = timer->data;
    const struct fr_fed_options options = fed_options(&broker->options, fr_crew_conf(broker->crew));
    for (size_t i = 0; i < broker->n_feds; i++) {
        if (fr_fed_refresh(broker->feds[i], &options, false))
            fr_crew_spread_ident(broker->crew, broker->feds[i]);
        fr_fed_tend(broker->feds[i], &options);
        if (broker->ticks % TIDY_TICKS == 0) fr_store_tidy(broker->feds[i]->store);
    }
    broker->ticks++;
    fr_timer_start(broker->options.loop, timer, TICK_MS);
}

/* --- start --- */

static void log_serving(const struct fr_broker *broker)
{
    const struct fr_broker_conf *conf = fr_crew_conf(broker->crew);
    for (size_t i = 0; i < conf->n_listen; i++) {
        char text[FR_ADDR_TEXT];
        const struct fr_addr at = {conf->listen[i].address, conf->listen[i].port};
        fr_addr_print(&at, text);
        FR_LOG(broker->options.log, FR_LOG_INFO, "listener.started", FR_STR("address", text),
               FR_STR("serve", fr_serve_text(conf->listen[i].serve)),
               FR_UINT("workers", conf->workers));
    }
}

enum fr_err fr_broker_start(const struct fr_broker_options *options, struct fr_broker_conf *conf,
                            struct fr_diag *diag, struct fr_broker **out)
{
    struct fr_addr admin = {conf->admin.address, conf->admin.port};
    struct fr_broker *broker = fr_calloc(1, sizeof *broker);
    if (!broker) return FR_E_NOMEM;
    broker->options = *options;
    fr_timer_init(&broker->tick, tick, broker);
    enum fr_err err = fr_notify_doors_new(options->loop, options->clock, &broker->feds,
                                          &broker->n_feds, &broker->notify);
    if (!err)
        err = fr_transfer_doors_new(options->loop, &broker->feds, &broker->n_feds,
                                    &broker->transfers);
    if (!err) err = crew_make(broker, conf, diag, &broker->crew);
    if (err) goto out;
    if (admin.port) err = fr_health_open(options->loop, broker, &admin, diag, &broker->health);
    if (err) goto out;
    err = fr_crew_start(broker->crew);
    if (err) goto out;
    fr_timer_start(options->loop, &broker->tick, TICK_MS);
    log_serving(broker);
    *out = broker;
    broker = NULL;
out:
    fr_broker_free(broker);
    return err;
}

enum fr_err fr_broker_check(const struct fr_broker_conf *conf, struct fr_diag *diag)
{
    const struct fr_fed_options options = {.clock = fr_clock_system()};
    for (size_t i = 0; i < conf->n_federations; i++) {
        struct fr_fed *fed = NULL;
        enum fr_err err = fr_fed_open(&conf->federations[i], &options, diag, &fed);
        fr_fed_close(fed);
        if (err) return err;
    }
    return FR_OK;
}

/* --- reload --- */

/* Federations that the present crew does not serve any more, once no older crew can be using them.
 */
static void feds_sweep(struct fr_broker *broker)
{
    size_t kept = 0;
    if (broker->draining) return;
    for (size_t i = 0; i < broker->n_feds; i++) broker->feds[i]->is_kept = false;
    for (size_t i = 0; i < fr_crew_n_feds(broker->crew); i++)
        fr_crew_feds(broker->crew)[i]->is_kept = true;
    for (size_t i = 0; i < broker->n_feds; i++) {
        struct fr_fed *fed = broker->feds[i];
        if (fed->is_kept) {
            broker->feds[kept++] = fed;
        } else {
            FR_LOG(broker->options.log, FR_LOG_INFO, "federation.closed",
                   FR_STR("federation", fed->name));
            fr_transfer_doors_leave(broker->transfers, fed);
            fr_fed_close(fed);
        }
    }
    broker->n_feds = kept;
}

static void retire_counts(struct fr_broker *broker, struct fr_crew *crew,
                          const struct fr_crew_counts *last)
{
    struct fr_http_server_counters http = last->http;
    http.open = http.in_progress = 0;
    fr_http_counts_add(&broker->retired, &http);
    for (size_t i = 0; last->feds && i < fr_crew_n_feds(crew); i++)
        fr_fed_counts_add(&fr_crew_feds(crew)[i]->retired, &last->feds[i]);
}

static void part_stopped(void *data)
{
    struct fr_broker *broker = data;
    if (--broker->stopping == 0 && !broker->draining) broker->on_stopped(broker->on_stopped_data);
}

static void old_crew_stopped(void *data, struct fr_crew *crew, const struct fr_crew_counts *last)
{
    struct fr_broker *broker = data;
    retire_counts(broker, crew, last);
    fr_crew_free(crew);
    broker->draining--;
    if (!broker->is_stopping)
        feds_sweep(broker);
    else if (!broker->draining && !broker->stopping)
        broker->on_stopped(broker->on_stopped_data);
}

static void note_fixed(const struct fr_broker *broker, const struct fr_broker_conf *conf)
{
    const struct fr_broker_conf *old = fr_crew_conf(broker->crew);
    bool is_same = old->log.level == conf->log.level && old->log.format == conf->log.format &&
                   old->log.identifiers == conf->log.identifiers &&
                   old->admin.port == conf->admin.port &&
                   fr_ip_equal(&old->admin.address, &conf->admin.address);
    if (!is_same)
        FR_LOG(broker->options.log, FR_LOG_WARN, "config.restart_needed",
               FR_STR("why", "log and admin are read at start only"));
}

static enum fr_err reload(struct fr_broker *broker, struct fr_diag *diag)
{
    struct fr_broker_conf conf = {0};
    struct fr_crew *crew = NULL;
    enum fr_err err = fr_broker_conf_load(broker->options.path, diag, &conf);
    if (err) return err;
    note_fixed(broker, &conf);
    err = crew_make(broker, &conf, diag, &crew);
    if (!err) err = fr_crew_start(crew);
    if (err) {
        fr_crew_free(crew);
        fr_broker_conf_free(&conf);
        return err;
    }
    struct fr_crew *old = broker->crew;
    broker->crew = crew;
    broker->draining++;
    fr_crew_stop(old, fr_crew_conf(old)->limits.drain_ms, old_crew_stopped, broker);
    return FR_OK;
}

static void renew_standbys(const struct fr_broker *broker)
{
    const struct fr_broker_conf *conf = fr_crew_conf(broker->crew);
    for (size_t i = 0; i < conf->n_federations; i++) {
        struct fr_diag diag = {0};
        enum fr_err err =
            fr_fed_set_standby(fr_crew_feds(broker->crew)[i], &conf->federations[i], &diag);
        if (err)
            FR_LOG(broker->options.log, FR_LOG_ERROR, "replica.refused",
                   FR_STR("federation", conf->federations[i].name),
                   FR_STR("why", diag.what[0] ? diag.what : fr_err_text(err)));
    }
}

static void renew_notify(const struct fr_broker *broker)
{
    const struct fr_broker_conf *conf = fr_crew_conf(broker->crew);
    for (size_t i = 0; i < conf->n_federations; i++)
        if (fr_fed_set_notify(fr_crew_feds(broker->crew)[i], &conf->federations[i]))
            FR_LOG(broker->options.log, FR_LOG_ERROR, "notify.refused",
                   FR_STR("federation", conf->federations[i].name), FR_STR("why", "no memory"));
}

static void renew_query_logs(const struct fr_broker *broker)
{
    const struct fr_broker_conf *conf = fr_crew_conf(broker->crew);
    for (size_t i = 0; i < conf->n_federations; i++) {
        struct fr_diag diag = {0};
        enum fr_err err =
            fr_fed_set_query_log(fr_crew_feds(broker->crew)[i], &conf->federations[i], &diag);
        if (fr_admin_fed_set_audit_also(fr_crew_feds(broker->crew)[i]->admin,
                                        conf->federations[i].audit_also))
            err = FR_E_NOMEM;
        if (err)
            FR_LOG(broker->options.log, FR_LOG_ERROR, "query_log.refused",
                   FR_STR("federation", conf->federations[i].name),
                   FR_STR("why", diag.what[0] ? diag.what : fr_err_text(err)));
    }
}

enum fr_err fr_broker_reload(struct fr_broker *broker, struct fr_diag *diag)
{
    if (broker->is_stopping) return FR_E_BUSY;
    enum fr_err err = reload(broker, diag);
    if (err) {
        broker->reloads_refused++;
        return err;
    }
    const struct fr_fed_options options = fed_options(&broker->options, fr_crew_conf(broker->crew));
    for (size_t i = 0; i < broker->n_feds; i++)
        if (fr_fed_refresh(broker->feds[i], &options, true))
            fr_crew_spread_ident(broker->crew, broker->feds[i]);
    renew_query_logs(broker);
    renew_notify(broker);
    renew_standbys(broker);
    broker->reloads++;
    log_serving(broker);
    return FR_OK;
}

/* --- counting --- */

struct counting {
    struct fr_broker *broker;
    fr_broker_counted_fn counted;
    void *data;
    struct fr_crew *crew;
};

static void crew_counted(void *data, struct fr_crew_counts *sum)
{
    struct counting *counting = data;
    struct fr_broker *broker = counting->broker;
    struct fr_fed *const *feds = fr_crew_feds(counting->crew);
    const size_t n = fr_crew_n_feds(counting->crew);
    fr_http_counts_add(&sum->http, &broker->retired);
    for (size_t i = 0; i < n; i++) fr_fed_counts_add(&sum->feds[i], &feds[i]->retired);
    const struct fr_broker_counts counts = {
        .http = sum->http,
        .sessions = fr_crew_sessions(counting->crew),
        .n_feds = n,
        .feds = feds,
        .fed_counts = sum->feds,
        .workers = fr_crew_conf(counting->crew)->workers,
        .reloads = broker->reloads,
        .reloads_refused = broker->reloads_refused,
        .notifies_dropped = fr_notify_doors_dropped(broker->notify),
        .transfers_dropped = fr_transfer_doors_dropped(broker->transfers),
    };
    counting->counted(counting->data, &counts);
    fr_free(counting);
}

enum fr_err fr_broker_count(struct fr_broker *broker, fr_broker_counted_fn counted, void *data)
{
    if (broker->is_stopping) return FR_E_BUSY;
    struct counting *counting = fr_malloc(sizeof *counting);
    if (!counting) return FR_E_NOMEM;
    *counting = (struct counting){broker, counted, data, broker->crew};
    enum fr_err err = fr_crew_count(broker->crew, crew_counted, counting);
    if (err) fr_free(counting);
    return err;
}

const char *fr_broker_why_unready(const struct fr_broker *broker)
{
    if (!broker->crew || broker->is_stopping) return "stopping";
    for (size_t i = 0; i < fr_crew_n_feds(broker->crew); i++) {
        struct fr_standby_facts facts;
        fr_standby_read(fr_crew_feds(broker->crew)[i]->standby, &facts);
        if (facts.unready) return facts.unready;
    }
    return NULL;
}

/* --- stop --- */

static void crew_stopped(void *data, struct fr_crew *crew, const struct fr_crew_counts *last)
{
    struct fr_broker *broker = data;
    retire_counts(broker, crew, last);
    part_stopped(broker);
}

void fr_broker_stop(struct fr_broker *broker, void (*on_stopped)(void *data), void *data)
{
    const uint32_t drain_ms = fr_crew_conf(broker->crew)->limits.drain_ms;
    if (broker->is_stopping) return;
    broker->is_stopping = true;
    broker->on_stopped = on_stopped;
    broker->on_stopped_data = data;
    fr_timer_stop(&broker->tick);
    fr_doors_close(broker->doors); /* who comes now is told at once */
    broker->doors = NULL;
    broker->stopping = 1 + (unsigned)broker->n_feds;
    for (size_t i = 0; i < broker->n_feds; i++)
        fr_fed_stop(broker->feds[i], drain_ms, part_stopped, broker);
    fr_crew_stop(broker->crew, drain_ms, crew_stopped, broker);
}

void fr_broker_free(struct fr_broker *broker)
{
    if (!broker) return;
    fr_timer_stop(&broker->tick);
    fr_health_close(broker->health);
    fr_notify_doors_free(broker->notify);
    fr_transfer_doors_free(broker->transfers);
    broker->transfers = NULL;
    fr_crew_free(broker->crew);
    fr_doors_close(broker->doors);
    feds_drop(broker, 0);
    fr_free(broker->feds);
    fr_free(broker);
}
