/* fedroam-agent: the names of federations for every program of a machine. */
#include "agent/agent.h"
#include "agent/config.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/seal.h"
#include "daemon/daemon.h"
#include "transport/health.h"
#include "x509/locked.h"

#include <signal.h>

#define CONFIG_DEFAULT "/etc/fedroam/agent.yaml"

struct run {
    const char *path;
    struct fr_daemon *daemon;
    struct fr_log log;
    struct fr_agent_conf *conf; /* agent borrows it */
    struct fr_agent *agent;
    struct fr_health *health;
};

/* Every answer that is to come at all comes within the time of a look-up, and whoever misses one asks
 * again: nothing is waited for. */
static void stop(void *data)
{
    struct run *run = data;

    fr_daemon_over(run->daemon);
}

static enum fr_err reload(void *data, struct fr_diag *diag)
{
    struct run *run = data;
    struct fr_agent_conf *conf = NULL;

    enum fr_err err = fr_agent_conf_load(run->path, diag, &conf);
    if (err == FR_OK) err = fr_agent_reload(run->agent, &conf->agent, diag);
    fr_agent_conf_free(err == FR_OK ? run->conf : conf);
    if (err == FR_OK) run->conf = conf;
    return err;
}

static void log_ready(const struct run *run)
{
    const struct fr_agent_options *o = &run->conf->agent;
    char text[FR_ADDR_TEXT];

    for (size_t i = 0; i < o->n_listen; i++) {
        fr_addr_print(&o->listen[i], text);
        FR_LOG(&run->log, FR_LOG_INFO, "agent.listening", FR_STR("address", text));
    }
    FR_LOG(&run->log, FR_LOG_INFO, "agent.ready", FR_STR("version", FR_VERSION),
           FR_UINT("federations", o->n_federations), FR_STR("socket", o->socket));
}

static void write_metrics(void *agent, struct fr_metrics *m)
{
    fr_agent_write_metrics(agent, m);
}

static enum fr_err serve(struct run *run, struct fr_diag *diag)
{
    const struct fr_daemon_options options = {
        .name = "agent", .log = &run->log, .reload = reload, .stop = stop, .data = run};

    enum fr_err err = fr_daemon_new(&options, &run->daemon);
    if (err) return err;
    struct fr_loop *loop = fr_daemon_loop(run->daemon);
    err = fr_agent_open(loop, &run->conf->agent, &run->log, diag, &run->agent);
    if (err == FR_OK && run->conf->admin.port != 0)
        err =
            fr_health_open(loop, &run->conf->admin, write_metrics, run->agent, diag, &run->health);
    if (err == FR_OK) {
        log_ready(run);
        err = fr_daemon_run(run->daemon);
    }
    fr_health_close(run->health);
    fr_agent_close(run->agent);
    fr_daemon_free(run->daemon);
    return err;
}

static enum fr_exit run_agent(struct fr_cli *cli)
{
    struct run run = {.path = fr_cli_opt(cli, "config")};
    struct fr_diag diag = {0};

    if (run.path == NULL) run.path = CONFIG_DEFAULT;
    enum fr_err err = fr_agent_conf_load(run.path, &diag, &run.conf);
    if (err) goto out;
    if (fr_cli_flag(cli, "check")) {
        err = fr_agent_check(&run.conf->agent, &diag);
        if (err == FR_OK) fr_cli_note(cli, "%s: good", run.path);
        goto out;
    }
    struct fr_log_options options = run.conf->log;
    options.sink = fr_log_stderr_sink;
    err = fr_log_init(&run.log, &options);
    if (err == FR_OK) err = serve(&run, &diag);
out:
    fr_agent_conf_free(run.conf);
    return fr_cli_fail(cli, err, &diag);
}

static const struct fr_cli_option OPTIONS[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     .help = "configuration (" CONFIG_DEFAULT ")"},
    {.name = "check", .help = "check the configuration and the files it names, then end"},
    {0},
};

static const struct fr_cli_command COMMANDS[] = {
    {.path = "",
     .options = OPTIONS,
     .summary = "answer the names of federations as plain DNS, and as JSON on a socket",
     .details = "SIGHUP reads configuration and certificates again, SIGTERM ends. Logs go to "
                "standard error.",
     .example = "fedroam-agent --config agent.yaml --check",
     .run = run_agent},
    {0},
};

int main(int argc, char **argv)
{
    static const struct fr_conf_schema *const FILES[] = {&fr_agent_schema, NULL};
    static const struct fr_cli_command *const TABLES[] = {COMMANDS, NULL};
    const struct fr_cli_program program = {.name = "fedroam-agent",
                                           .summary = "federations for every program",
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
