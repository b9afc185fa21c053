#include "bench/commands.h"

#include "base/parse.h"
#include "bench/report.h"
#include "names/eui.h"
#include "resolver/config.h"
#include "resolver/locate.h"
#include "resolver/options.h"

#include <string.h>

#define DEFAULT_CONFIG "/etc/fedroam/resolver.yaml"
#define DEFAULT_DURATION_MS 10000
#define LOCATE_MS 6000

static const struct fr_cli_option options[] = {
    {.name = "config", .value = "FILE", .help = "federation and certificates (" DEFAULT_CONFIG ")"},
    {.name = "names", .value = "FILE", .help = "DevEUIs to ask for, one a line"},
    {.name = "first", .value = "EUI", .help = "first DevEUI of a range to ask for"},
    {.name = "range", .value = "N", .help = "how many DevEUIs the range has (1)"},
    {.name = "miss", .value = "PERCENT", .help = "questions for DevEUIs nobody has (0)"},
    {.name = "connections", .value = "N", .help = "connections (8)"},
    {.name = "streams", .value = "N", .help = "questions in progress on each (32)"},
    {.name = "get", .help = "ask by GET instead of POST"},
    {.name = "path", .value = "PATH", .help = "fetch this path by GET instead of asking"},
    {.name = "per-connection", .value = "N", .help = "answers before a new handshake (no limit)"},
    {.name = "resume", .help = "resume the session at a new handshake"},
    {.name = "busy", .help = "do not sleep: for a generator with a core of its own"},
    {.name = "duration", .value = "TIME", .help = "how long (10s, without --count)"},
    {.name = "count", .value = "N", .help = "answers to get"},
    {0},
};

/* What a run needs and holds. */
struct bench {
    struct fr_load_plan plan;
    struct fr_questions questions;
    struct fr_resolver_conf conf;
    struct fedroam_options *resolved; /* the same with URL and addresses read */
    struct fr_ways ways;              /* to its broker; the plan borrows the path */
    char authority[FR_AUTHORITY_TEXT];
    struct fr_load_result result;
};

/* A number option in [1, max]; *out stays when it was not given. */
static enum fr_exit number(struct fr_cli *cli, const char *name, uint64_t min, uint64_t max,
                           uint64_t *out)
{
    const char *text = fr_cli_opt(cli, name);

    if (text == NULL || fr_parse_u64(fr_span_str(text), min, max, out) == FR_OK) return FR_EXIT_OK;
    return fr_cli_usage(cli, "--%s \"%s\" is not a number from %llu to %llu", name, text,
                        (unsigned long long)min, (unsigned long long)max);
}

static enum fr_exit parse(struct fr_cli *cli, struct fr_load_plan *plan)
{
    const char *duration = fr_cli_opt(cli, "duration"), *path = fr_cli_opt(cli, "path");
    uint64_t connections = 8, streams = 32, per_connection = 0, ms = 0;
    enum fr_exit code = number(cli, "connections", 1, FR_LOAD_CONNECTIONS, &connections);

    if (!code) code = number(cli, "streams", 1, FR_H2_LOAD_STREAMS, &streams);
    if (!code) code = number(cli, "per-connection", 1, 1000000000, &per_connection);
    if (!code) code = number(cli, "count", 1, UINT64_MAX, &plan->count);
    if (code) return code;
    if (duration && fr_parse_duration_ms(fr_span_str(duration), 1, 86400000, &ms) != FR_OK)
        return fr_cli_usage(cli, "--duration \"%s\" is not a time such as 500ms or 10s", duration);
    if (path && path[0] != '/') return fr_cli_usage(cli, "--path starts with a slash");
    plan->duration_ms = ms > 0 ? (int64_t)ms : plan->count > 0 ? 0 : DEFAULT_DURATION_MS;
    plan->connections = (unsigned)connections;
    plan->per_connection = (unsigned)per_connection;
    plan->is_busy = fr_cli_flag(cli, "busy");
    plan->is_resuming = fr_cli_flag(cli, "resume");
    plan->http = (struct fr_h2_load_conf){
        .path = path,
        .is_plain_get = path != NULL,
        .is_post = path == NULL && !fr_cli_flag(cli, "get"),
        .streams = (unsigned)streams,
    };
    return FR_EXIT_OK;
}

static enum fr_err load_config(struct fr_cli *cli, struct bench *b, struct fr_diag *diag)
{
    const char *path = fr_cli_opt(cli, "config"), *wanted = fr_cli_opt(cli, "fed");
    enum fr_err err =
        fr_conf_load(&fr_resolver_schema, path ? path : DEFAULT_CONFIG, diag, &b->conf);

    if (err == FR_OK)
        err = fr_federations_options(b->conf.federations, b->conf.n_federations, &b->conf.lookup,
                                     diag, &b->resolved);
    if (err != FR_OK) return err;
    size_t i = wanted ? fr_options_find(b->resolved, wanted) : 0;
    if (i >= b->resolved->n_federations)
        return fr_diag_fail(diag, FR_E_CONFIG, "the configuration has no federation %s", wanted);
    const struct fr_federation_opt *federation = b->resolved->federations[i];
    const struct fr_broker_opt *broker = &federation->brokers[0];
    if (!broker->url.is_tls)
        return fr_diag_fail(diag, FR_E_CONFIG, "the broker's URL is not https");
    err = fr_locate(b->resolved, broker, LOCATE_MS, &b->ways);
    if (err) return err;
    if (b->ways.n == 0)
        return fr_diag_fail(diag, FR_E_NET, "%s is not found in public DNS", broker->url.host);
    fr_url_authority(&broker->url, b->authority);
    b->plan.address = b->ways.list[0].addresses[0];
    b->plan.host = broker->url.host;
    b->plan.ca = federation->ca;
    b->plan.certificate = federation->chain;
    b->plan.key = federation->key;
    b->plan.http.authority = b->authority;
    if (b->plan.http.path == NULL) b->plan.http.path = b->ways.list[0].path;
    return FR_OK;
}

static const char *federation_name(const struct fr_cli *cli, const struct bench *b)
{
    const char *wanted = fr_cli_opt(cli, "fed");

    return wanted ? wanted : b->resolved->federations[0]->name;
}

static enum fr_exit read_names(struct fr_cli *cli, struct bench *b)
{
    const char *file = fr_cli_opt(cli, "names"), *first = fr_cli_opt(cli, "first");
    uint64_t eui = 0, n = 1, miss = 0;
    struct fr_diag diag = {0};
    enum fr_exit code = number(cli, "range", 1, UINT64_MAX, &n);

    if (!code) code = number(cli, "miss", 0, 100, &miss);
    if (code) return code;
    if (!b->plan.http.is_plain_get && (file != NULL) == (first != NULL) && miss < 100)
        return fr_cli_usage(cli, "say what to ask for: --names FILE or --first EUI --range N");
    if (first && fr_eui_parse(fr_span_str(first), &eui) != FR_OK)
        return fr_cli_usage(cli, "--first \"%s\" is not an EUI of 16 hex digits", first);
    const char *name = federation_name(cli, b);
    uint32_t miss_ppm = (uint32_t)miss * 10000;
    enum fr_err err = file ? fr_questions_file(&b->questions, name, file, miss_ppm, &diag)
                           : fr_questions_range(&b->questions, name, eui, n, miss_ppm, &diag);
    return fr_cli_fail(cli, err, &diag);
}

static enum fr_exit run(struct fr_cli *cli, struct bench *b)
{
    struct fr_diag diag = {0};
    enum fr_exit code = parse(cli, &b->plan);

    if (code) return code;
    enum fr_err err = load_config(cli, b, &diag);
    if (err) return fr_cli_fail(cli, err, &diag);
    code = read_names(cli, b);
    if (code) return code;
    err = fr_load_run(&b->plan, &b->questions, &diag, &b->result);
    if (err) return fr_cli_fail(cli, err, &diag);
    return fr_cli_fail(cli, fr_load_report_print(&b->result, fr_cli_output(cli), fr_cli_out(cli)),
                       NULL);
}

static enum fr_exit run_doh(struct fr_cli *cli)
{
    struct bench b = {0};
    enum fr_exit code = run(cli, &b);

    fr_questions_deinit(&b.questions);
    fedroam_options_free(b.resolved);
    fr_conf_free(&fr_resolver_schema, &b.conf);
    return code;
}

const struct fr_cli_command fr_bench_commands[] = {
    {.path = "bench doh",
     .options = options,
     .summary = "load a DNS-over-HTTPS server with questions, as a member of the federation",
     .details =
         "Asks the first broker of the configured federation over HTTP/2 with this member's "
         "certificate: every stream asks the next question when its answer is there. Prints "
         "answers, handshakes and latencies. For brokers of your own: it is a load, and members "
         "have budgets.",
     .example = "fedroam bench doh --config resolver.yaml --names devices.csv --connections 8 "
                "--streams 32 --duration 10s",
     .only_reads = true,
     .run = run_doh},
    {0},
};
