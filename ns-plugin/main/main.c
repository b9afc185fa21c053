/* fedroam-ns: a thin LoRaWAN network server that roams through federations. */
#include "base/cli.h"
#include "base/mem.h"
#include "base/seal.h"
#include "daemon/daemon.h"
#include "ns/config.h"
#include "roles/ns.h"
#include "state/keys.h"
#include "transport/health.h"
#include "x509/locked.h"

#include <signal.h>

#define CONFIG_DEFAULT "/etc/fedroam/ns.yaml"

struct run {
    const char *path;
    struct fr_daemon *daemon;
    struct fr_log log;
    struct fr_ns_conf *conf; /* ns borrows it */
    struct fr_ns *ns;
    struct fr_health *health;
};

static void stop(void *data)
{
    struct run *run = data;

    if (run->health != NULL) fr_health_set_stopping(run->health);
    fr_ns_stop(run->ns, run->conf->drain_ms, fr_daemon_over, run->daemon);
}

static enum fr_err reload(void *data, struct fr_diag *diag)
{
    struct run *run = data;
    struct fr_ns_conf *conf = NULL;

    enum fr_err err = fr_ns_conf_load(run->path, diag, &conf);
    if (err == FR_OK) err = fr_ns_reload(run->ns, &conf->ns, diag);
    fr_ns_conf_free(err == FR_OK ? run->conf : conf);
    if (err == FR_OK) run->conf = conf;
    return err;
}

static void log_ready(const struct run *run)
{
    char gateways[FR_ADDR_TEXT], backend[FR_ADDR_TEXT];
    const struct fr_addr *g = fr_ns_gateways_addr(run->ns), *b = fr_ns_backend_addr(run->ns);

    if (g != NULL) fr_addr_print(g, gateways);
    if (b != NULL) fr_addr_print(b, backend);
    FR_LOG(&run->log, FR_LOG_INFO, "ns.ready", FR_STR("version", FR_VERSION),
           FR_NETID("netid", run->conf->ns.netid), FR_STR("gateways", g != NULL ? gateways : NULL),
           FR_STR("backend", b != NULL ? backend : NULL),
           FR_BOOL("forwarding", run->conf->ns.roles.forwarding),
           FR_BOOL("home", run->conf->ns.roles.home),
           FR_BOOL("join_server", run->conf->ns.roles.join_server));
    if (g != NULL && !fr_ip_is_loopback(&g->ip)) {
        FR_LOG(&run->log, FR_LOG_WARN, "ns.open_gateways", FR_STR("address", gateways),
               FR_STR("why", "the packet-forwarder protocol proves no sender: keep it on a private "
                             "network, and list gateways in gateways: allow"));
    }
}

static void write_metrics(void *ns, struct fr_metrics *m)
{
    fr_ns_write_metrics(ns, m);
}

static enum fr_err serve(struct run *run, struct fr_diag *diag)
{
    const struct fr_daemon_options options = {
        .name = "ns", .log = &run->log, .reload = reload, .stop = stop, .data = run};

    enum fr_err err = fr_daemon_new(&options, &run->daemon);
    if (err) return err;
    struct fr_loop *loop = fr_daemon_loop(run->daemon);
    err = fr_ns_new(loop, &run->conf->ns, &run->log, diag, &run->ns);
    if (err == FR_OK && run->conf->admin.port != 0)
        err = fr_health_open(loop, &run->conf->admin, write_metrics, run->ns, diag, &run->health);
    if (err == FR_OK) {
        log_ready(run);
        err = fr_daemon_run(run->daemon);
    }
    fr_health_close(run->health);
    fr_ns_free(run->ns);
    fr_daemon_free(run->daemon);
    return err;
}

static enum fr_exit run_ns(struct fr_cli *cli)
{
    struct run run = {.path = fr_cli_opt(cli, "config")};
    struct fr_diag diag = {0};

    if (run.path == NULL) run.path = CONFIG_DEFAULT;
    enum fr_err err = fr_ns_conf_load(run.path, &diag, &run.conf);
    if (err) goto out;
    if (fr_cli_flag(cli, "check")) {
        err = fr_ns_check_files(&run.conf->ns, &diag);
        if (err == FR_OK) fr_cli_note(cli, "%s: good", run.path);
        goto out;
    }
    struct fr_log_options options = run.conf->log;
    options.sink = fr_log_stderr_sink;
    err = fr_log_init(&run.log, &options);
    if (err == FR_OK) err = serve(&run, &diag);
out:
    fr_ns_conf_free(run.conf);
    return fr_cli_fail(cli, err, &diag);
}

static const struct fr_cli_option OPTIONS[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     .help = "configuration (" CONFIG_DEFAULT ")"},
    {.name = "check", .help = "check the configuration and all it names, then end"},
    {0},
};

static const struct fr_cli_command COMMANDS[] = {
    {.path = "",
     .options = OPTIONS,
     .summary = "serve gateways, peers and devices of one LoRaWAN network",
     .details = "SIGHUP reads configuration, devices and certificates again, SIGTERM drains and "
                "ends. Logs go to standard error.",
     .example = "fedroam-ns --config ns.yaml --check",
     .run = run_ns},
    {0},
};

int main(int argc, char **argv)
{
    static const struct fr_conf_schema *const FILES[] = {&fr_keys_schema, &fr_ns_schema, NULL};
    static const struct fr_cli_command *const TABLES[] = {COMMANDS, NULL};
    const struct fr_cli_program program = {.name = "fedroam-ns",
                                           .summary = "a LoRaWAN network server that roams",
                                           .tables = TABLES,
                                           .files = FILES};

    (void)signal(SIGPIPE, SIG_IGN);
    fr_process_seal(true);
    (void)fr_locked_open(); /* unlocked is second best */
    int code = fr_cli_main(&program, argc, argv);
    fr_locked_close();
    fr_process_seal(false); /* every key is gone; leak checkers may look now */
    return code;
}
