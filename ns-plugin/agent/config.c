#include "agent/config.h"

#include "base/log_conf.h"
#include "base/mem.h"

#define AT(member) FR_CONF_AT(struct fr_agent_conf, member)

/* Not 5353, where multicast DNS lives (avahi, systemd-resolved), nor 53, where another resolver
 * mostly listens already. */
enum { DEFAULT_PORT = 5300 };

static const struct fr_conf_row LISTEN_ROWS[] = {
    {.key = "address",
     .type = FR_T_IP,
     FR_CONF_AT(struct fr_agent_listen, address),
     .flags = FR_CONF_REQUIRED,
     .help = "IP address."},
    {.key = "port",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_agent_listen, port),
     .def = "5300",
     .min = 1,
     .max = 65535,
     .help = "UDP and TCP port."},
    {0},
};

static const struct fr_conf_row LIMIT_ROWS[] = {
    {.key = "pending",
     .type = FR_T_UINT,
     AT(agent.pending),
     .def = "1000",
     .min = 1,
     .max = 1000000,
     .help = "Questions that may wait for a broker at a time; more are answered with SERVFAIL."},
    {.key = "connections",
     .type = FR_T_UINT,
     AT(agent.tcp.conns),
     .def = "100",
     .min = 1,
     .max = 10000,
     .help = "TCP connections to each listening address, and connections to the socket."},
    {.key = "idle",
     .type = FR_T_DURATION,
     AT(agent.tcp.idle_ms),
     .def = "10s",
     .min = 100,
     .max = 3600000,
     .help = "A connection without progress for so long is closed."},
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
     .def = "9155",
     .max = 65535,
     .help = "TCP port; 0 turns it off."},
    {0},
};

static const struct fr_conf_row ROWS[] = {
    {.key = "federations",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_agent_conf, agent.federations, agent.n_federations),
     .max = 16,
     .flags = FR_CONF_REQUIRED,
     .rows = fr_federation_rows,
     .help = "The federations whose names are answered."},
    {.key = "lookup",
     .type = FR_T_GROUP,
     AT(agent.lookup),
     .rows = fr_lookup_rows,
     .help = "Times and limits of look-ups."},
    {.key = "join_servers",
     .type = FR_T_GROUP,
     AT(agent.join_servers),
     .rows = fr_trees_rows,
     .help = "Join Servers: what is taken of them, and where else to look."},
    {.key = "networks",
     .type = FR_T_GROUP,
     AT(agent.networks),
     .rows = fr_trees_rows,
     .help = "Networks outside all federations: the same."},
    {.key = "listen",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_agent_conf, listen, n_listen),
     .max = 16,
     .rows = LISTEN_ROWS,
     .flags = FR_CONF_SHORT,
     .help = "Where DNS is answered, UDP and TCP (127.0.0.1 and port 5300)."},
    {.key = "allow",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_agent_conf, allow, n_allow),
     .help = "Prefixes that may ask besides this machine; needed to listen elsewhere than on a "
             "loopback address (none)."},
    {.key = "socket",
     .type = FR_T_PATH,
     AT(agent.socket),
     .help = "Unix socket for the same answers as JSON over HTTP (none)."},
    {.key = "limits", .type = FR_T_GROUP, .rows = LIMIT_ROWS, .help = "What one machine may cost."},
    {.key = "admin", .type = FR_T_GROUP, .rows = ADMIN_ROWS, .help = "Health and metrics."},
    {.key = "log",
     .type = FR_T_GROUP,
     AT(log),
     .rows = fr_log_rows,
     .help = "Records on standard error."},
    {0},
};

const struct fr_conf_schema fr_agent_schema = {
    .title = "agent.yaml",
    .summary = "which federations fedroam-agent answers for, and where",
    .size = sizeof(struct fr_agent_conf),
    .rows = ROWS};

static enum fr_err complete_listen(struct fr_agent_conf *conf, struct fr_diag *diag)
{
    struct fr_agent_options *o = &conf->agent;
    char text[FR_IP_TEXT];

    o->listen = fr_calloc(conf->n_listen + 1, sizeof *o->listen);
    if (o->listen == NULL) return FR_E_NOMEM;
    for (; o->n_listen < conf->n_listen; o->n_listen++) {
        const struct fr_agent_listen *l = &conf->listen[o->n_listen];
        o->listen[o->n_listen] = (struct fr_addr){.ip = l->address, .port = l->port};
        if (fr_ip_is_loopback(&l->address) || conf->n_allow > 0) continue;
        fr_ip_print(&l->address, text);
        enum fr_err err =
            fr_diag_fail(diag, FR_E_CONFIG,
                         "listen: %s is not a loopback address, and nobody may ask there", text);
        fr_diag_hint(diag, "name the prefixes that may, with allow:");
        return err;
    }
    if (o->n_listen == 0) {
        o->listen[0] =
            (struct fr_addr){.ip = {.family = 4, .b = {127, 0, 0, 1}}, .port = DEFAULT_PORT};
        o->n_listen = 1;
    }
    return FR_OK;
}

static enum fr_err complete_allow(struct fr_agent_conf *conf, struct fr_diag *diag)
{
    struct fr_agent_options *o = &conf->agent;

    o->allow = fr_calloc(conf->n_allow + 1, sizeof *o->allow);
    if (o->allow == NULL) return FR_E_NOMEM;
    for (; o->n_allow < conf->n_allow; o->n_allow++) {
        const char *text = conf->allow[o->n_allow];
        enum fr_err err = fr_prefix_parse(fr_span_str(text), &o->allow[o->n_allow]);
        if (err == FR_OK) continue;
        err = fr_diag_fail(diag, FR_E_CONFIG, "allow: \"%s\" is no prefix%s", text,
                           err == FR_E_INVALID ? ": there are bits set behind its length" : "");
        fr_diag_hint(diag, "write it as 172.17.0.0/16");
        return err;
    }
    return FR_OK;
}

enum fr_err fr_agent_conf_load(const char *path, struct fr_diag *diag, struct fr_agent_conf **out)
{
    struct fr_agent_conf *conf = fr_calloc(1, sizeof *conf);

    if (conf == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_conf_load(&fr_agent_schema, path, diag, conf);
    if (err) {
        fr_free(conf); /* untouched by the failed load */
        return err;
    }
    err = complete_listen(conf, diag);
    if (err == FR_OK) err = complete_allow(conf, diag);
    if (err) {
        fr_diag_where(diag, path, 0, 0);
        fr_agent_conf_free(conf);
        return err;
    }
    *out = conf;
    return FR_OK;
}

void fr_agent_conf_free(struct fr_agent_conf *conf)
{
    if (conf == NULL) return;
    fr_free(conf->agent.listen);
    fr_free(conf->agent.allow);
    fr_conf_free(&fr_agent_schema, conf);
    fr_free(conf);
}
