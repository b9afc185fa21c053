#include "main/fed.h"

#include "base/mem.h"
#include "ca/server.h"
#include "main/inquiries.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_MS 50
#define BULK_PATIENCE_MS 10000 /* of a stop; with the drain less than the unit's TimeoutStopSec */

void fr_fed_counts_add(struct fr_fed_counts *sum, const struct fr_fed_counts *more)
{
    sum->gate.admitted += more->gate.admitted;
    sum->gate.misdirected += more->gate.misdirected;
    for (int i = 0; i < FR_ACCESS_COUNT; i++) sum->gate.refused[i] += more->gate.refused[i];
    sum->doh.get += more->doh.get;
    sum->doh.post += more->doh.post;
    sum->doh.bad += more->doh.bad;
    sum->doh.faults += more->doh.faults;
    if (more->doh.damaged > sum->doh.damaged) sum->doh.damaged = more->doh.damaged;
    sum->crl.given += more->crl.given;
    sum->crl.same += more->crl.same;
    sum->crl.absent += more->crl.absent;
    for (size_t i = 0; i < FR_EST_OPS; i++) sum->est.requests[i] += more->est.requests[i];
    for (size_t i = 0; i < FR_EST_REFUSALS; i++) sum->est.refused[i] += more->est.refused[i];
    sum->api.requests += more->api.requests;
    sum->api.unchanged += more->api.unchanged;
    sum->api.batch_lines += more->api.batch_lines;
    sum->api.changes += more->api.changes;
    sum->feed.messages += more->feed.messages;
    sum->feed.bytes += more->feed.bytes;
    for (size_t i = 0; i < FR_API_REFUSALS; i++) sum->api.refused[i] += more->api.refused[i];
    sum->est.issued += more->est.issued;
    sum->est.renewed += more->est.renewed;
    sum->est.repeated += more->est.repeated;
    sum->est.pending += more->est.pending;
    for (size_t i = 0; i < sizeof sum->doh.rcode / sizeof sum->doh.rcode[0]; i++)
        sum->doh.rcode[i] += more->doh.rcode[i];
    for (int i = 0; i < FR_BUDGETS; i++) sum->desk.over[i] += more->desk.over[i];
    sum->desk.walks += more->desk.walks;
}

/* A directory that does not hold what it should is a fault of the configuration that names it;
 * trouble of the machine stays what it is. */
static enum fr_err as_config(enum fr_err err)
{
    switch ((int)err) {
    case FR_OK:
    case FR_E_NOMEM:
    case FR_E_PERM:
    case FR_E_IO:
    case FR_E_BUSY: return err;
    default: return FR_E_CONFIG;
    }
}

/* Files made by another user could not be read back by this one, or by that one afterwards. */
static enum fr_err check_owner(const char *state, struct fr_diag *diag)
{
    struct stat st;
    if (stat(state, &st)) {
        enum fr_err err = fr_diag_fail(diag, FR_E_CONFIG, "there is no state directory %s", state);
        fr_diag_hint(diag, "make one with: fedroam ca init --fed NAME --state %s", state);
        return err;
    }
    if (st.st_uid == geteuid()) return FR_OK;
    return fr_diag_fail(diag, FR_E_PERM,
                        "the state directory %s belongs to user %lu, the broker runs as user %lu",
                        state, (unsigned long)st.st_uid, (unsigned long)geteuid());
}

enum fr_err fr_fed_open(const struct fr_broker_fed_conf *conf, const struct fr_fed_options *options,
                        struct fr_diag *diag, struct fr_fed **out)
{
    enum fr_err err = check_owner(conf->state, diag);
    if (err) return err;
    struct fr_fed *fed = fr_calloc(1, sizeof *fed);
    if (!fed) return FR_E_NOMEM;
    fed->name = fr_strdup(conf->name);
    fed->state = fr_strdup(conf->state);
    if (!fed->name || !fed->state) {
        err = FR_E_NOMEM;
        goto out;
    }
    err = fr_store_open(&(struct fr_store_options){.dir = fed->state}, diag, &fed->store);
    if (err) goto out;
    if (strcmp(fr_store_federation(fed->store), fed->name) != 0) {
        err = fr_diag_fail(diag, FR_E_CONFIG, "%s holds the federation %s, not %s", fed->state,
                           fr_store_federation(fed->store), fed->name);
        goto out;
    }
    err = fr_server_settle(fed->state, diag);
    if (!err) err = fr_ident_mark_read(fed->state, fed->store, &fed->mark);
    if (!err)
        err = fr_ident_load(fed->state, fed->store, fr_clock_real_s(options->clock), diag,
                            &fed->ident);
    if (err) goto out;
    *out = fed;
    fed = NULL;
out:
    fr_fed_close(fed);
    return as_config(err);
}

static enum fr_err confirm(void *data, struct fr_diag *diag)
{
    return fr_feed_desk_wait(fr_standby_desk(data), diag);
}

enum fr_err fr_fed_start(struct fr_fed *fed, const struct fr_fed_options *options,
                         struct fr_diag *diag)
{
    struct fr_diag no_ca = {0};
    const struct fr_admin_fed_options admin = {.state = fed->state,
                                               .store = fed->store,
                                               .log = options->log,
                                               .clock = options->clock,
                                               .passphrase = options->passphrase};
    const struct fr_usage_options usage = {fed->name, options->log, options->clock};
    enum fr_err err = fr_usage_new(&usage, &fed->usage);
    if (err) return err;
    const struct fr_clerk_options clerk = {
        .usage = fed->usage, .store = fed->store, .log = options->log, .clock = options->clock};
    err = fr_clerk_start(&clerk, &fed->clerk);
    if (err) return err;
    err = fr_admin_fed_new(&admin, diag, &fed->admin);
    if (err) return err;
    err = fr_admin_fed_load_ca(fed->admin, &no_ca);
    if (err == FR_E_CONFIG) { /* a key that others can read */
        *diag = no_ca;
        return err;
    }
    if (err && fr_store_check_role(fed->store, NULL) == FR_OK) /* a replica has none to load */
        FR_LOG(options->log, FR_LOG_WARN, "ca.unavailable", FR_STR("federation", fed->name),
               FR_STR("why", no_ca.what), FR_STR("hint", no_ca.hint));
    const struct fr_standby_options standby = {
        .federation = fed->name,
        .state = fed->state,
        .store = fed->store,
        .log = options->log,
        .clock = options->clock,
    };
    err = fr_standby_new(&standby, &fed->standby);
    if (err) return err;
    const struct fr_writer_options writer = {.fed = fed->admin,
                                             .queue = options->changes,
                                             .slice_ms = SLICE_MS,
                                             .patience_ms = BULK_PATIENCE_MS,
                                             .confirm = {confirm, fed->standby}};
    err = fr_writer_start(&writer, &fed->writer);
    if (err) return err;
    fed->loop = options->loop;
    fed->started_s = fr_clock_real_s(options->clock);
    const struct fr_prober_options prober = {.loop = options->loop,
                                             .state = fed->state,
                                             .store = fed->store,
                                             .log = options->log,
                                             .clock = options->clock};
    const struct fr_notice_duty_options notices = {.loop = options->loop,
                                                   .state = fed->state,
                                                   .store = fed->store,
                                                   .writer = fed->writer,
                                                   .admin = fed->admin,
                                                   .usage = fed->usage,
                                                   .log = options->log,
                                                   .clock = options->clock};
    err = fr_notice_duty_new(&notices, &fed->notice_duty);
    if (err) return err;
    err = fr_prober_new(&prober, &fed->prober);
    if (!err) err = fr_board_new(fed->store, &fed->board);
    if (err) return err;
    const struct fr_control_options control = {.loop = options->loop,
                                               .state = fed->state,
                                               .writer = fed->writer,
                                               .log = options->log,
                                               .inquiries = fr_inquiries,
                                               .inquiries_data = fed};
    err = fr_control_open(&control, diag, &fed->control);
    if (err == FR_E_EXISTS) fr_diag_hint(diag, "does another broker serve this federation?");
    if (err) return err;
    const struct fr_outlet_options outlet = {
        .loop = options->loop,
        .state = fed->state,
        .store = fed->store,
        .log = options->log,
        .clock = options->clock,
    };
    return fr_outlet_new(&outlet, &fed->outlet);
}

static bool is_same_log(const struct fr_query_file_conf *a, const struct fr_query_file_conf *b)
{
    if (!a->path || !b->path) return a->path == b->path;
    return strcmp(a->path, b->path) == 0 && a->keep_s == b->keep_s && a->size == b->size;
}

enum fr_err fr_fed_set_query_log(struct fr_fed *fed, const struct fr_broker_fed_conf *conf,
                                 struct fr_diag *diag)
{
    struct fr_query_file_conf next = {
        .path = conf->query_log.file,
        .keep_s = (int64_t)(conf->query_log.keep_ms / 1000),
        .size = conf->query_log.size,
    };
    if (is_same_log(&next, &fed->query_log)) return FR_OK;
    char *path = next.path ? fr_strdup(next.path) : NULL;
    if (next.path && !path) return FR_E_NOMEM;
    enum fr_err err = fr_clerk_set_log(fed->clerk, path ? &next : NULL, diag);
    if (err) {
        fr_free(path);
        return err;
    }
    fr_free((char *)fed->query_log.path);
    next.path = path;
    fed->query_log = next;
    return FR_OK;
}

bool fr_fed_refresh(struct fr_fed *fed, const struct fr_fed_options *options, bool force)
{
    struct fr_ident_mark mark;
    struct fr_ident *ident = NULL;
    struct fr_diag diag = {0};
    if (fr_ident_mark_read(fed->state, fed->store, &mark)) return false;
    if (!force && fr_ident_mark_equal(&mark, &fed->mark)) return false;
    fed->mark = mark;
    enum fr_err err =
        fr_ident_load(fed->state, fed->store, fr_clock_real_s(options->clock), &diag, &ident);
    if (err) {
        FR_LOG(options->log, FR_LOG_ERROR, "certificate.refused", FR_STR("federation", fed->name),
               FR_STR("why", diag.what[0] ? diag.what : fr_err_text(err)),
               FR_STR("hint", diag.hint));
        return false;
    }
    fr_ident_unref(fed->ident);
    fed->ident = ident;
    fed->is_renewed = true;
    char until[FR_TIME_TEXT];
    fr_time_print(fr_ident_not_after_s(ident), until);
    FR_LOG(options->log, FR_LOG_INFO, "certificate.loaded", FR_STR("federation", fed->name),
           FR_STR("until", until));
    return true;
}

enum fr_err fr_fed_set_standby(struct fr_fed *fed, const struct fr_broker_fed_conf *conf,
                               struct fr_diag *diag)
{
    return fr_standby_set(fed->standby, conf, diag);
}

enum fr_err fr_fed_set_notify(struct fr_fed *fed, const struct fr_broker_fed_conf *conf)
{
    return fr_notice_duty_set(fed->notice_duty, &conf->notify);
}

/* Members' zones are followed by the broker that may write, and by no other. */
static void tend_secondary(struct fr_fed *fed, const struct fr_fed_options *options, bool may_write)
{
    const struct fr_secondary_options secondary = {
        .loop = options->loop,
        .state = fed->state,
        .store = fed->store,
        .writer = fed->writer,
        .log = options->log,
        .clock = options->clock,
        .limits = options->transfers,
    };
    if (!may_write) {
        fr_secondary_free(fed->secondary);
        fed->secondary = NULL;
        return;
    }
    if (!fed->secondary && fr_secondary_new(&secondary, &fed->secondary)) return; /* next time */
    fr_secondary_tend(fed->secondary, &options->transfers, fed->is_renewed);
    fed->is_renewed = false;
}

void fr_fed_tend(struct fr_fed *fed, const struct fr_fed_options *options)
{
    fr_standby_tend(fed->standby);
    fr_board_tend(fed->board);
    fr_prober_tend(fed->prober, fed->is_renewed, fr_standby_is_primary(fed->standby));
    tend_secondary(fed, options, fr_standby_is_primary(fed->standby));
    fr_outlet_tend(fed->outlet);                      /* replicas give the zone, too */
    if (!fr_standby_is_primary(fed->standby)) return; /* what follows changes something */
    const struct fr_crl_duty_options lists = {
        .state = fed->state,
        .store = fed->store,
        .writer = fed->writer,
        .log = options->log,
        .clock = options->clock,
    };
    fr_crl_duty_look(&fed->crl_duty, &lists);
    fr_server_duty_look(&fed->server_watch, fed->state, fed->store, fed->writer, options->clock);
    fr_notice_duty_tend(fed->notice_duty); /* last: what is made anew by itself is no news */
}

void fr_fed_stop(struct fr_fed *fed, uint32_t drain_ms, void (*on_stopped)(void *data), void *data)
{
    fr_secondary_stop(fed->secondary);
    fr_prober_stop(fed->prober);
    fr_notice_duty_stop(fed->notice_duty);
    fr_control_stop(fed->control, drain_ms, on_stopped, data);
}

void fr_fed_close(struct fr_fed *fed)
{
    if (!fed) return;
    fr_outlet_free(fed->outlet);
    fr_secondary_free(fed->secondary);
    fr_notice_duty_free(fed->notice_duty);
    fr_writer_stop(fed->writer);
    fr_standby_free(fed->standby);
    fr_prober_free(fed->prober);
    fr_board_free(fed->board);
    fr_control_free(fed->control);
    fr_admin_fed_free(fed->admin);
    fr_clerk_stop(fed->clerk);
    fr_usage_free(fed->usage);
    fr_free((char *)fed->query_log.path);
    fr_ident_unref(fed->ident);
    fr_store_close(fed->store);
    fr_free(fed->state);
    fr_free(fed->name);
    fr_free(fed);
}
