#include "main/conf.h"

#include "base/file.h"
#include "base/log_conf.h"
#include "base/mem.h"
#include "main/conf_limits.h"
#include "main/standby.h"
#include "names/member.h"

#include <string.h>
#include <unistd.h>

#define STATE_ROOT "/var/lib/fedroam"
#define WORKERS_MAX 256

static const struct fr_conf_word serve_words[] = {
    {"https", FR_SERVE_HTTPS}, {"crl", FR_SERVE_CRL}, {"notify", FR_SERVE_NOTIFY},
    {"xfr", FR_SERVE_XFR},     {"xot", FR_SERVE_XOT}, {NULL, 0}};

static const struct fr_conf_row query_log_rows[] = {
    {.key = "file",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, query_log.file),
     .flags = FR_CONF_REQUIRED,
     .help = "Who asked for which device, when, and the answer: a JSON object a line."},
    {.key = "keep",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_broker_fed_conf, query_log.keep_ms),
     .def = "30d",
     .min = 3600000,
     .max = 315360000000,
     .help = "Files moved aside longer ago than this are deleted."},
    {.key = "size",
     .type = FR_T_SIZE,
     FR_CONF_AT(struct fr_broker_fed_conf, query_log.size),
     .def = "100MiB",
     .min = 4096,
     .max = 1099511627776,
     .help = "The file is moved aside at this size, and at midnight UTC."},
    {.key = NULL},
};

static const struct fr_conf_word ack_words[] = {
    {"local", FR_ACK_LOCAL}, {"replica", FR_ACK_REPLICA}, {NULL, 0}};

static const struct fr_conf_row replica_rows[] = {
    {.key = "url",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.url),
     .max = 512,
     .flags = FR_CONF_REQUIRED,
     .help = "The primary: https://broker.<federation>:443."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_broker_fed_conf, replica_of.addresses, replica_of.n_addresses),
     .max = 16,
     .help = "Where it is, ADDRESS or ADDRESS:PORT; several brokers: whichever is the primary."},
    {.key = "certificate",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.certificate),
     .help = "Chain shown to the primary; without it this broker's own, server.chain.pem."},
    {.key = "key",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.key),
     .help = "Its key; without it server.key."},
    {.key = "ca",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.ca),
     .help = "Root that the primary must be of; without it root.pem."},
    {.key = "max_lag",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.max_lag_ms),
     .def = "1h",
     .min = 2000,
     .max = 2592000000,
     .help = "Not in step with the primary for longer: /readyz fails."},
    {.key = "max_stale",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_broker_fed_conf, replica_of.max_stale_ms),
     .def = "24h",
     .min = 2000,
     .max = 2592000000,
     .help = "Not in step for longer: look-ups are answered with 503."},
    {.key = NULL},
};

static const struct fr_conf_row audit_rows[] = {
    {.key = "also",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, audit_also),
     .help = "File of a second copy of the audit trail, best on another disk or machine."},
    {.key = NULL},
};

static const struct fr_conf_row federation_rows[] = {
    {.key = "name",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_broker_fed_conf, name),
     .max = FR_FED_TEXT - 1,
     .flags = FR_CONF_REQUIRED,
     .help = "Name of the federation, its zone's apex."},
    {.key = "state",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_broker_fed_conf, state),
     .help = "State directory; without it " STATE_ROOT "/<name>."},
    {.key = "query_log",
     .type = FR_T_GROUP,
     .rows = query_log_rows,
     .help = "Query log; without it none is written."},
    {.key = "audit", .type = FR_T_GROUP, .rows = audit_rows, .help = "The audit trail."},
    {.key = "notify",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_broker_fed_conf, notify),
     .rows = fr_notify_rows,
     .help =
         "How the operator is told what wants a person; without it: notify list, doctor, metrics."},
    {.key = "replica_of",
     .type = FR_T_GROUP,
     .rows = replica_rows,
     .help = "The primary that this broker's replica follows."},
    {.key = "ack",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_broker_fed_conf, ack),
     .def = "local",
     .words = ack_words,
     .help = "A change is done when it is on this broker's disk (local), or on a replica's, too."},
    {.key = "ack_wait",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_broker_fed_conf, ack_wait_ms),
     .def = "5s",
     .min = 100,
     .max = 60000,
     .help = "With ack: replica, for so long; then the change fails, though it was made here."},
    {.key = NULL},
};

static enum fr_err parse_prefix(struct fr_span text, void *member, struct fr_diag *diag)
{
    struct fr_prefix *prefix = member;
    enum fr_err err = fr_prefix_parse(text, prefix);
    if (err)
        return fr_diag_fail(diag, err, "not an address or prefix such as 192.0.2.0/24: %.*s",
                            (int)text.n, (const char *)text.p);
    return FR_OK;
}

static const struct fr_conf_row proxy_rows[] = {
    {.key = "prefix",
     .type = FR_T_CUSTOM,
     .size = sizeof(struct fr_prefix),
     .flags = FR_CONF_REQUIRED,
     .parse = parse_prefix,
     .help = "Address or prefix of the proxies."},
    {.key = NULL},
};

static const struct fr_conf_row listen_rows[] = {
    {.key = "address",
     .type = FR_T_IP,
     FR_CONF_AT(struct fr_broker_listen_conf, address),
     .flags = FR_CONF_REQUIRED,
     .help = "IPv4 or IPv6 address to listen on."},
    {.key = "port",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_broker_listen_conf, port),
     .def = "443",
     .min = 1,
     .max = 65535,
     .help = "TCP port."},
    {.key = "serve",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_broker_listen_conf, serve),
     .def = "https",
     .words = serve_words,
     .help = "https: look-ups and enrolment. crl: revocation lists over plain HTTP (port 80). "
             "notify: NOTIFY of members' name servers, UDP and TCP (port 53). "
             "xfr: the zone for secondaries with a TSIG key (port 53). "
             "xot: the same over TLS for certificates with the right secondary (port 853)."},
    {.key = "federation",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_broker_listen_conf, federation),
     .help = "Federation of clients that send no server name; the only one by default."},
    {.key = "proxy_protocol",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_broker_listen_conf, proxies, n_proxies),
     .flags = FR_CONF_SHORT,
     .rows = proxy_rows,
     .help = "Proxies (HAProxy: send-proxy-v2): their connections must begin with a PROXY header."},
    {.key = NULL},
};

static const struct fr_conf_row admin_rows[] = {
    {.key = "address",
     .type = FR_T_IP,
     FR_CONF_AT(struct fr_broker_conf, admin.address),
     .def = "127.0.0.1",
     .help = "Address of /healthz, /readyz and /metrics (plain HTTP)."},
    {.key = "port",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_broker_conf, admin.port),
     .def = "9153",
     .max = 65535,
     .help = "TCP port; 0 turns it off."},
    {.key = NULL},
};

static const struct fr_conf_row rows[] = {
    {.key = "federations",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_broker_conf, federations, n_federations),
     .flags = FR_CONF_REQUIRED,
     .rows = federation_rows,
     .help = "The federations served."},
    {.key = "listen",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_broker_conf, listen, n_listen),
     .flags = FR_CONF_REQUIRED,
     .rows = listen_rows,
     .help = "Where clients come in."},
    {.key = "admin", .type = FR_T_GROUP, .rows = admin_rows, .help = "Health and metrics."},
    {.key = "workers",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_broker_conf, workers),
     .def = "0",
     .max = WORKERS_MAX,
     .help = "Threads that serve; 0: one for each core."},
    {.key = "limits",
     .type = FR_T_GROUP,
     .rows = fr_broker_limit_rows,
     .help = "What one client or all may use."},
    {.key = "log",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_broker_conf, log),
     .rows = fr_log_rows,
     .help = "Records on standard error."},
    {.key = NULL},
};

const struct fr_conf_schema fr_broker_schema = {
    .title = "broker.yaml",
    .summary = "federations that fedroam-broker serves, and where and how",
    .size = sizeof(struct fr_broker_conf),
    .rows = rows};

const char *fr_serve_text(enum fr_serve serve)
{
    return serve_words[serve].word;
}

static const struct fr_broker_fed_conf *fed_find(const struct fr_broker_conf *conf,
                                                 const char *name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(conf->federations[i].name, name) == 0) return &conf->federations[i];
    return NULL;
}

static enum fr_err complete_federations(struct fr_broker_conf *conf, struct fr_diag *diag)
{
    for (size_t i = 0; i < conf->n_federations; i++) {
        struct fr_broker_fed_conf *fed = &conf->federations[i];
        if (fr_fed_check(fr_span_str(fed->name), diag)) return FR_E_CONFIG;
        if (fed_find(conf, fed->name, i))
            return fr_diag_fail(diag, FR_E_CONFIG, "federation %s is listed twice", fed->name);
        if (fr_standby_check(fed, diag)) return FR_E_CONFIG;
        if (fr_notify_conf_check(&fed->notify, diag)) return FR_E_CONFIG;
        if (!fed->state) fed->state = fr_path_join(STATE_ROOT, fed->name);
        if (!fed->state) return FR_E_NOMEM;
    }
    return FR_OK;
}

static enum fr_err complete_listen(struct fr_broker_conf *conf, struct fr_diag *diag)
{
    for (size_t i = 0; i < conf->n_listen; i++) {
        struct fr_broker_listen_conf *listen = &conf->listen[i];
        if (listen->federation) {
            if (fed_find(conf, listen->federation, conf->n_federations)) continue;
            return fr_diag_fail(diag, FR_E_CONFIG,
                                "listen names the federation %s, which is not listed",
                                listen->federation);
        }
        if (conf->n_federations > 1) continue; /* then clients must send a server name */
        listen->federation = fr_strdup(conf->federations[0].name);
        if (!listen->federation) return FR_E_NOMEM;
    }
    return FR_OK;
}

enum fr_err fr_broker_conf_load(const char *path, struct fr_diag *diag, struct fr_broker_conf *out)
{
    struct fr_broker_conf conf = {0};
    enum fr_err err = fr_conf_load(&fr_broker_schema, path, diag, &conf);
    if (err) return err;
    err = complete_federations(&conf, diag);
    if (!err) err = complete_listen(&conf, diag);
    if (err) {
        fr_diag_where(diag, path, 0, 0);
        fr_broker_conf_free(&conf);
        return err;
    }
    if (conf.workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        conf.workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    }
    *out = conf;
    return FR_OK;
}

void fr_broker_conf_free(struct fr_broker_conf *conf)
{
    fr_conf_free(&fr_broker_schema, conf);
}
