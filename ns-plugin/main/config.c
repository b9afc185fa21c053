#include "ns/config.h"

#include "base/log_conf.h"
#include "base/mem.h"
#include "names/conf.h"
#include "names/eui.h"
#include "names/member.h"
#include "roles/ns.h"

#define AT(member) FR_CONF_AT(struct fr_ns_conf, member)

static const struct fr_conf_row ROLE_ROWS[] = {
    {.key = "forwarding",
     .type = FR_T_BOOL,
     AT(ns.roles.forwarding),
     .def = "false",
     .help = "Carry devices of other networks that our gateways hear."},
    {.key = "home",
     .type = FR_T_BOOL,
     AT(ns.roles.home),
     .def = "true",
     .help = "Serve our own devices, here and where others carry them."},
    {.key = "join_server",
     .type = FR_T_BOOL,
     AT(ns.roles.join_server),
     .def = "true",
     .help = "Answer JoinReq and HomeNSReq of peers for the devices whose keys are here."},
    {0},
};

static const struct fr_conf_row GATEWAY_ROWS[] = {
    {.key = "address",
     .type = FR_T_IP,
     AT(ns.gateways.listen.ip),
     .help = "Address for packet forwarders (UDP). Without it there are no gateways."},
    {.key = "port",
     .type = FR_T_UINT,
     AT(ns.gateways.listen.port),
     .def = "1700",
     .max = 65535,
     .help = "UDP port."},
    {.key = "allow",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_ns_conf, ns.gateways.allow_text, ns.gateways.n_allow),
     .max = 100000,
     .help = "EUIs of the gateways listened to (every gateway)."},
    {0},
};

static const struct fr_conf_row BACKEND_ROWS[] = {
    {.key = "address",
     .type = FR_T_IP,
     AT(ns.backend.listen.ip),
     .help = "Address for peers (HTTPS). Without it no peer can ask us."},
    {.key = "port",
     .type = FR_T_UINT,
     AT(ns.backend.listen.port),
     .def = "8005",
     .max = 65535,
     .help = "TCP port."},
    {.key = "check_keys",
     .type = FR_T_BOOL,
     AT(ns.backend.check_keys),
     .def = "true",
     .help = "Talk only to peers whose key the broker names for their network: a revocation then "
             "holds everywhere within a minute."},
    {0},
};

static const struct fr_conf_word RULES[] = {
    {"allow", FR_RULE_ALLOW}, {"deny", FR_RULE_DENY}, {NULL, 0}};
static const struct fr_conf_word ANSWERS[] = {
    {"sync", FR_ANSWERS_SYNC}, {"async", FR_ANSWERS_ASYNC}, {NULL, 0}};

static const struct fr_conf_row PEER_ROWS[] = {
    {.key = "netid",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_ns_peer_rule, netid),
     .parse = fr_conf_parse_netid,
     .flags = FR_CONF_REQUIRED,
     .help = "NetID of the network."},
    {.key = "federation",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_ns_peer_rule, federation),
     .max = FR_FED_TEXT - 1,
     .help = "Federation it is in (any): the NetID may be another's elsewhere."},
    {.key = "roaming",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_ns_peer_rule, roaming),
     .def = "allow",
     .words = RULES,
     .help = "Whether devices may join through it, and its through us."},
    {.key = "answers",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_ns_peer_rule, answers),
     .def = "sync",
     .words = ANSWERS,
     .help = "Answers in the HTTP response (sync) or as requests of their own (async); both sides "
             "alike."},
    {.key = "lifetime",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_ns_peer_rule, lifetime_ms),
     .max = UINT32_MAX,
     .help = "How long a device of ours is carried after a join (as roaming.lifetime)."},
    {.key = "kek",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_ns_peer_rule, kek),
     .max = 64,
     .help = "Label of the KEK, in the devices file, that wraps keys sent to it (none)."},
    {0},
};

static const struct fr_conf_row ROAMING_ROWS[] = {
    {.key = "default",
     .type = FR_T_ENUM,
     AT(ns.roaming.otherwise),
     .def = "allow",
     .words = RULES,
     .help = "What holds for members of our federations that no peer entry names."},
    {.key = "lifetime",
     .type = FR_T_DURATION,
     AT(ns.roaming.lifetime_ms),
     .def = "24h",
     .min = 1000,
     .max = UINT32_MAX,
     .help = "How long a device of ours is carried after a join."},
    {.key = "peers",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_ns_conf, ns.roaming.peers, ns.roaming.n_peers),
     .max = 10000,
     .rows = PEER_ROWS,
     .help = "Rules for single networks."},
    {0},
};

static const struct fr_conf_row JOIN_SERVER_ROWS[] = {
    {.key = "joineui",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_ns_join_server, join_eui),
     .parse = fr_conf_parse_eui,
     .flags = FR_CONF_REQUIRED,
     .help = "JoinEUI it serves."},
    {.key = "url",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_ns_join_server, url),
     .flags = FR_CONF_REQUIRED,
     .help = "https://host[:port]/path; its certificate names the host."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_ns_join_server, addresses, n_addresses),
     .max = 8,
     .help = "IP addresses of the host, where that is a name."},
    {.key = "federation",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_ns_join_server, federation),
     .help = "Federation whose certificates are used (the first)."},
    {0},
};

static const struct fr_conf_row TIMER_ROWS[] = {
    {.key = "dedup",
     .type = FR_T_DURATION,
     AT(ns.dedup_ms),
     .def = "200ms",
     .min = 10,
     .max = 2000,
     .help = "How long copies of a frame are collected over the gateways."},
    {.key = "answer",
     .type = FR_T_DURATION,
     AT(ns.answer_ms),
     .def = "4s",
     .min = 100,
     .max = 10000,
     .help = "The most a peer may take to answer."},
    {.key = "lead",
     .type = FR_T_DURATION,
     AT(ns.lead_ms),
     .def = "100ms",
     .min = 10,
     .max = 2000,
     .help = "How long before its window a downlink must leave for the gateway."},
    {.key = "drain",
     .type = FR_T_DURATION,
     AT(drain_ms),
     .def = "7s",
     .max = 600000,
     .help = "At the end: time for what is under way."},
    {0},
};

static const struct fr_conf_row ADMIN_ROWS[] = {
    {.key = "address",
     .type = FR_T_IP,
     AT(admin.ip),
     .def = "127.0.0.1",
     .help = "Address of /healthz, /readyz and /metrics (plain HTTP)."},
    {.key = "port",
     .type = FR_T_UINT,
     AT(admin.port),
     .def = "9154",
     .max = 65535,
     .help = "TCP port; 0 turns it off."},
    {0},
};

static const struct fr_conf_row ROWS[] = {
    {.key = "netid",
     .type = FR_T_CUSTOM,
     AT(ns.netid),
     .parse = fr_conf_parse_netid,
     .flags = FR_CONF_REQUIRED,
     .help = "This network's NetID; quote it, or YAML reads a number."},
    {.key = "roles", .type = FR_T_GROUP, .rows = ROLE_ROWS, .help = "What this server does."},
    {.key = "federations",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_ns_conf, ns.federations, ns.n_federations),
     .max = 16,
     .flags = FR_CONF_REQUIRED,
     .rows = fr_federation_rows,
     .help = "The federations we are in; the certificate is the network's (profile ns)."},
    {.key = "lookup",
     .type = FR_T_GROUP,
     AT(ns.lookup),
     .rows = fr_lookup_rows,
     .help = "Times and limits of look-ups."},
    {.key = "gateways", .type = FR_T_GROUP, .rows = GATEWAY_ROWS, .help = "Our gateways."},
    {.key = "backend", .type = FR_T_GROUP, .rows = BACKEND_ROWS, .help = "Where peers reach us."},
    {.key = "roaming", .type = FR_T_GROUP, .rows = ROAMING_ROWS, .help = "Who may roam."},
    {.key = "devices",
     .type = FR_T_PATH,
     AT(ns.devices),
     .help = "File with our devices and their keys, readable by us alone."},
    {.key = "join_servers",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_ns_conf, ns.join_servers, ns.n_join_servers),
     .rows = JOIN_SERVER_ROWS,
     .help = "Join Servers elsewhere, for our devices without keys here."},
    {.key = "state",
     .type = FR_T_PATH,
     AT(ns.state),
     .def = "/var/lib/fedroam/ns",
     .help = "Directory for nonces, sessions and addresses."},
    {.key = "map_size",
     .type = FR_T_SIZE,
     AT(ns.map_size),
     .def = "16GiB",
     .min = 1 << 20,
     .help = "Address space for the state; the file grows as it is used."},
    {.key = "timers", .type = FR_T_GROUP, .rows = TIMER_ROWS, .help = "Times of a join."},
    {.key = "joins",
     .type = FR_T_UINT,
     AT(ns.joins),
     .def = "1000",
     .min = 1,
     .max = 100000,
     .help = "Joins under way at a time, and requests of peers."},
    {.key = "admin", .type = FR_T_GROUP, .rows = ADMIN_ROWS, .help = "Health and metrics."},
    {.key = "log",
     .type = FR_T_GROUP,
     AT(log),
     .rows = fr_log_rows,
     .help = "Records on standard error."},
    {0},
};

const struct fr_conf_schema fr_ns_schema = {
    .title = "ns.yaml",
    .summary = "gateways, peers, roles and federations of fedroam-ns",
    .size = sizeof(struct fr_ns_conf),
    .rows = ROWS};

static enum fr_err complete(struct fr_ns_conf *conf, struct fr_diag *diag)
{
    size_t n = conf->ns.gateways.n_allow;

    conf->ns.gateways.allow = fr_calloc(n + 1, sizeof(uint64_t));
    if (conf->ns.gateways.allow == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const char *text = conf->ns.gateways.allow_text[i];
        if (fr_eui_parse(fr_span_str(text), &conf->ns.gateways.allow[i]) != FR_OK) {
            return fr_diag_fail(diag, FR_E_CONFIG, "gateways: allow: %s is not an EUI", text);
        }
    }
    return fr_ns_check(&conf->ns, diag);
}

enum fr_err fr_ns_conf_load(const char *path, struct fr_diag *diag, struct fr_ns_conf **out)
{
    struct fr_ns_conf *conf = fr_calloc(1, sizeof *conf);

    if (conf == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_conf_load(&fr_ns_schema, path, diag, conf);
    if (err) {
        fr_free(conf); /* untouched by the failed load */
        return err;
    }
    err = complete(conf, diag);
    if (err) {
        fr_diag_where(diag, path, 0, 0);
        fr_ns_conf_free(conf);
        return err == FR_E_NOMEM ? err : FR_E_CONFIG;
    }
    *out = conf;
    return FR_OK;
}

void fr_ns_conf_free(struct fr_ns_conf *conf)
{
    if (conf == NULL) return;
    fr_free(conf->ns.gateways.allow);
    fr_conf_free(&fr_ns_schema, conf);
    fr_free(conf);
}
