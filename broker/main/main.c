/* fedroam-broker: the DNS-over-HTTPS endpoint of federations, and the one writer of their state. */
#include "admin/admin.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/seal.h"
#include "daemon/daemon.h"
#include "main/broker.h"
#include "transport/loop_ev.h"
#include "x509/locked.h"
#include "x509/passphrase.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define CONFIG_DEFAULT "/etc/fedroam/broker.yaml"

struct run {
    struct fr_daemon *daemon;
    struct fr_broker *broker;
    struct fr_post over;
};

static void stop(void *data)
{
    struct run *run = data;
    fr_broker_stop(run->broker, fr_daemon_over, run->daemon);
}

static enum fr_err reload(void *data, struct fr_diag *diag)
{
    struct run *run = data;
    return fr_broker_reload(run->broker, diag);
}

/* Each connection is a descriptor: take all that the system allows. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void over(struct fr_post *post)
{
    fr_daemon_over(post->data);
}

/* Call-backs of changes that were finished last are still in the loop's queue: they own memory. */
static void run_what_is_posted(struct run *run)
{
    struct fr_loop *loop = fr_daemon_loop(run->daemon);
    fr_loop_post(loop, &run->over, over, run->daemon);
    fr_loop_ev_run(loop);
}

static enum fr_err serve(struct fr_broker_conf *conf, const char *path,
                         const struct fr_passphrase *passphrase, struct fr_log *log,
                         struct fr_diag *diag)
{
    struct run run = {0};
    const struct fr_daemon_options daemon = {
        .name = "broker", .log = log, .reload = reload, .stop = stop, .data = &run};
    enum fr_err err = fr_daemon_new(&daemon, &run.daemon);
    if (err) return err;
    struct fr_loop *loop = fr_daemon_loop(run.daemon);
    const struct fr_broker_options options = {.loop = loop,
                                              .path = path,
                                              .log = log,
                                              .clock = fr_clock_system(),
                                              .passphrase = passphrase};
    err = fr_loop_enable_posts(loop);
    if (!err) err = fr_broker_start(&options, conf, diag, &run.broker);
    if (!err) {
        FR_LOG(log, FR_LOG_INFO, "broker.ready", FR_STR("version", FR_VERSION));
        err = fr_daemon_run(run.daemon);
        fr_broker_free(run.broker);
        run_what_is_posted(&run);
    }
    fr_daemon_free(run.daemon);
    return err;
}

/* Of the issuing keys, for every federation. None is fine: keys need not be locked. */
static enum fr_err read_passphrase(const struct fr_cli *cli, struct fr_diag *diag,
                                   struct fr_buf *out)
{
    const char *fd = fr_cli_opt(cli, "passphrase-fd");
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (fd) return fr_passphrase_read_fd(fd, diag, out);
    if (!folder) return FR_OK;
    enum fr_err err = fr_passphrase_read_credential(folder, NULL, out);
    if (!err || err == FR_E_NOT_FOUND) return FR_OK;
    return fr_diag_fail(diag, err, "the credential ca-passphrase cannot be read");
}

/* It is needed again whenever another issuing CA becomes active, so it stays: where no disk sees it. */
static enum fr_err find_passphrase(const struct fr_cli *cli, struct fr_diag *diag,
                                   struct fr_span *out)
{
    struct fr_buf secret = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    uint8_t *kept = NULL;
    enum fr_err err = read_passphrase(cli, diag, &secret);
    if (!err) kept = fr_locked_dup(fr_buf_span(&secret));
    if (!err && !kept) err = FR_E_NOMEM;
    if (!err) *out = fr_span(kept, secret.n);
    fr_buf_deinit_secret(&secret);
    return err;
}

static void warn_unlocked(const struct fr_cli *cli, const struct fr_log *log)
{
    const bool *is_locked = fr_cli_data(cli);
    if (*is_locked) return;
    FR_LOG(log, FR_LOG_WARN, "memory.unlocked",
           FR_STR("why", "keys may reach swap: raise the limit of locked memory (LimitMEMLOCK=) "
                         "to 8 MiB"));
}

static enum fr_exit run_broker(struct fr_cli *cli)
{
    const char *path = fr_cli_opt(cli, "config");
    struct fr_span known = {0}; /* the passphrase: ours, in locked memory */
    struct fr_broker_conf conf = {0};
    struct fr_diag diag = {0};
    struct fr_log log;
    if (!path) path = CONFIG_DEFAULT;
    enum fr_err err = fr_broker_conf_load(path, &diag, &conf);
    if (err) goto out;
    if (fr_cli_flag(cli, "check")) {
        err = fr_broker_check(&conf, &diag);
        if (!err) fr_cli_note(cli, "%s: good", path);
        goto out;
    }
    struct fr_log_options options = conf.log;
    options.sink = fr_log_stderr_sink;
    err = fr_log_init(&log, &options);
    if (!err) warn_unlocked(cli, &log);
    if (!err) err = find_passphrase(cli, &diag, &known);
    const struct fr_passphrase passphrase = fr_passphrase_of(&known);
    if (!err) err = serve(&conf, path, &passphrase, &log, &diag);
out:
    fr_locked_free((uint8_t *)known.p, known.n);
    fr_broker_conf_free(&conf);
    return fr_cli_fail(cli, err, &diag);
}

static const struct fr_cli_option options[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     .help = "configuration (" CONFIG_DEFAULT ")"},
    {.name = "passphrase-fd",
     .value = "N",
     .help = "read the passphrase of the issuing keys from this descriptor"},
    {.name = "check", .help = "check the configuration and all it names, then end"},
    {.name = NULL},
};

static const struct fr_cli_command commands[] = {
    {.path = "",
     .options = options,
     .summary = "serve federations: DNS over HTTPS for their members",
     .details = "SIGHUP reads the configuration again, SIGTERM drains and ends. Logs go to "
                "standard error. Issuing keys that are locked are opened with --passphrase-fd, or "
                "with the "
                "credential ca-passphrase of the service manager; without either enrolment waits.",
     .example = "fedroam-broker --config broker.yaml --check",
     .run = run_broker},
    {.path = NULL},
};

int main(int argc, char **argv)
{
    static const struct fr_conf_schema *const files[] = {&fr_broker_schema, NULL};
    static const struct fr_cli_command *const tables[] = {commands, NULL};
    bool is_locked = false;
    const struct fr_cli_program program = {.name = "fedroam-broker",
                                           .summary = "the broker of LoRaWAN roaming federations",
                                           .tables = tables,
                                           .files = files,
                                           .data = &is_locked};
    (void)signal(SIGPIPE, SIG_IGN);
    fr_process_seal(true);
    is_locked = fr_locked_open();
    fr_admin_wipe_json();
    raise_descriptors();
    int code = fr_cli_main(&program, argc, argv);
    fr_locked_close();
    fr_process_seal(false); /* every key is gone; leak checkers may look now */
    return code;
}
