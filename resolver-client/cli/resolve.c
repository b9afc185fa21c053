#include "resolver_cli/cmds.h"

#include "base/clock.h"
#include "base/parse.h"
#include "names/eui.h"
#include "names/netid.h"
#include "resolver/config.h"
#include "resolver_cli/report.h"
#include <fedroam/fedroam.h>

struct question {
    enum fedroam_kind kind;
    uint64_t id;
    uint32_t timeout_ms;
};

static enum fr_err parse_id(const char *text, enum fedroam_kind kind, uint64_t *out)
{
    uint32_t netid = 0;
    if (kind != FEDROAM_NETWORK) return fr_eui_parse(fr_span_str(text), out);
    enum fr_err err = fr_netid_parse(fr_span_str(text), &netid);
    if (err == FR_OK) *out = netid;
    return err;
}

static enum fr_exit parse(struct fr_cli *cli, struct question *q)
{
    const char *netid = fr_cli_opt(cli, "netid"), *joineui = fr_cli_opt(cli, "joineui");
    const char *timeout = fr_cli_opt(cli, "timeout");
    if (fr_cli_n_args(cli) + (netid ? 1 : 0) + (joineui ? 1 : 0) != 1)
        return fr_cli_usage(cli, "give one DevEUI, or --netid N, or --joineui E");
    const char *text = netid ? netid : joineui ? joineui : fr_cli_arg(cli, 0);
    q->kind = netid ? FEDROAM_NETWORK : joineui ? FEDROAM_JOIN_SERVER : FEDROAM_DEVICE;
    if (parse_id(text, q->kind, &q->id) != FR_OK)
        return fr_cli_usage(cli,
                            netid ? "\"%s\" is not a NetID of 6 hex digits"
                                  : "\"%s\" is not an EUI of 16 hex digits",
                            text);
    uint64_t ms = 0;
    if (timeout && fr_parse_duration_ms(fr_span_str(timeout), 10, 600000, &ms) != FR_OK)
        return fr_cli_usage(cli, "--timeout \"%s\" is not a time such as 500ms or 2s", timeout);
    q->timeout_ms = (uint32_t)ms;
    return FR_EXIT_OK;
}

static enum fr_err open_resolver(struct fr_cli *cli, struct fr_diag *diag, struct fedroam **out)
{
    struct fr_resolver_conf conf = {0};
    struct fedroam_options *o = NULL;
    const char *path = fr_cli_opt(cli, "config");
    enum fr_err err =
        fr_conf_load(&fr_resolver_schema, path ? path : FR_RESOLVER_CONFIG, diag, &conf);
    if (err) return err;
    err = fr_federations_options(conf.federations, conf.n_federations, &conf.lookup, diag, &o);
    if (!err) err = fr_trees_options(o, FEDROAM_JOIN_SERVER, &conf.join_servers, diag);
    if (!err) err = fr_trees_options(o, FEDROAM_NETWORK, &conf.networks, diag);
    if (err == FR_OK && fedroam_new(o, out) != FEDROAM_OK) err = FR_E_NOMEM;
    fedroam_options_free(o);
    fr_conf_free(&fr_resolver_schema, &conf);
    return err;
}

static enum fr_exit exit_code(const struct fedroam_answer *a)
{
    switch (fedroam_answer_result(a)) {
    case FEDROAM_FOUND: return FR_EXIT_OK;
    case FEDROAM_UNKNOWN: return FR_EXIT_NOT_FOUND;
    /* A TLS alert or 401: they do not know who we are. 403, REFUSED: they do. */
    case FEDROAM_REFUSED:
        return fedroam_answer_tls_alert(a)[0] || fedroam_answer_http_status(a) == 401
                   ? FR_EXIT_AUTH
                   : FR_EXIT_DENIED;
    case FEDROAM_OVER_BUDGET:
    case FEDROAM_NO_BROKER: return FR_EXIT_TEMPORARY;
    case FEDROAM_BAD_ANSWER: return FR_EXIT_DOWN;
    case FEDROAM_FAILED: return FR_EXIT_CONFIG;
    }
    return FR_EXIT_INTERNAL;
}

static enum fr_exit print(struct fr_cli *cli, const struct fr_lookup_report *report)
{
    const struct fedroam_answer *a = report->answer;
    enum fr_err err = fr_lookup_report_print(report, fr_cli_output(cli), fr_cli_out(cli));
    if (err) return fr_cli_fail(cli, err, NULL);
    if (fedroam_answer_reason(a)[0])
        fr_cli_note(cli, "%s: %s", fedroam_result_text(fedroam_answer_result(a)),
                    fedroam_answer_reason(a));
    return exit_code(a);
}

static enum fedroam_err ask(struct fedroam *f, const struct question *q, const char *federation,
                            struct fedroam_answer **out)
{
    if (q->kind == FEDROAM_NETWORK)
        return fedroam_wait_network(f, federation, (uint32_t)q->id, q->timeout_ms, out);
    if (q->kind == FEDROAM_JOIN_SERVER)
        return fedroam_wait_join_server(f, federation, q->id, q->timeout_ms, out);
    return fedroam_wait_device(f, federation, q->id, q->timeout_ms, out);
}

enum fr_exit fr_cmd_resolve(struct fr_cli *cli)
{
    struct question q = {0};
    struct fr_diag diag = {0};
    struct fedroam *f = NULL;
    struct fedroam_answer *a = NULL;
    enum fr_exit code = parse(cli, &q);
    if (code != FR_EXIT_OK) return code;
    enum fr_err err = open_resolver(cli, &diag, &f);
    if (err) return fr_cli_fail(cli, err, &diag);

    const char *federation = fr_cli_opt(cli, "fed");
    int64_t start_ms = fr_clock_mono_ms(fr_clock_system());
    enum fedroam_err asked = ask(f, &q, federation, &a);
    int64_t ms = fr_clock_mono_ms(fr_clock_system()) - start_ms;
    if (asked == FEDROAM_E_FEDERATION)
        code = fr_cli_usage(cli, "the configuration has no federation %s", federation);
    else if (asked != FEDROAM_OK)
        code = fr_cli_fail(cli, fr_diag_fail(&diag, FR_E_INTERNAL, "%s", fedroam_err_text(asked)),
                           &diag);
    else
        code = print(cli,
                     &(struct fr_lookup_report){a, fedroam_count(f, FEDROAM_COUNT_EXCHANGES), ms});
    fedroam_answer_free(a);
    fedroam_free(f);
    return code;
}
