/* fedroam test dns, test doh, test peer: one part of the way at a time. */
#include "resolver_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "names/netid.h"
#include "resolver/options.h"
#include "resolver_cli/test_dns.h"
#include "resolver_cli/why.h"
#include <fedroam/fedroam.h>

#include <string.h>

enum { ENDPOINT_MS = 5000, AGENT_PORT = 5300 };
#define NOBODYS_EUI 0xffffffffffffffffu

struct test {
    struct fr_cli *cli;
    struct fedroam_options *options;
    struct fr_walk walk;
    uint32_t netid; /* of dns and peer; 0: none */
    struct fr_addr server;
};

static void test_dns(struct test *t, const struct fr_federation_opt *f)
{
    fr_test_dns_agent(&t->walk, f, &t->server);
    if (t->netid) fr_test_dns_system(&t->walk, f, t->netid);
}

static void test_doh(struct test *t, const struct fr_federation_opt *f)
{
    fr_why_certificate(&t->walk, f, fr_clock_real_s(fr_clock_system()));
    fr_why_brokers(&t->walk, t->options, f, NOBODYS_EUI);
}

static void judge_network(struct fr_walk *walk, const struct fedroam_answer *a, uint32_t netid)
{
    static const char STEP[] = "network";
    char text[FR_NETID_TEXT];

    fr_netid_print(netid, text);
    switch (fedroam_answer_result(a)) {
    case FEDROAM_FOUND:
        fr_walk_right(walk, STEP, "%s is a network of %s", text, fedroam_answer_federation(a));
        return;
    case FEDROAM_UNKNOWN:
        fr_walk_wrong(walk, FR_EXIT_NOT_FOUND, STEP, "%s is no network of %s", text,
                      fedroam_answer_federation(a));
        fr_walk_todo(walk, "ask its operator which NetID it has there");
        return;
    case FEDROAM_REFUSED:
        fr_walk_wrong(walk, FR_EXIT_DENIED, STEP, "%s", fedroam_answer_reason(a));
        break;
    case FEDROAM_OVER_BUDGET:
    case FEDROAM_NO_BROKER:
    case FEDROAM_BAD_ANSWER:
    case FEDROAM_FAILED:
        fr_walk_wrong(walk, FR_EXIT_TEMPORARY, STEP, "%s", fedroam_answer_reason(a));
        break;
    }
    fr_walk_todo(walk, "run this again: it was right a moment ago");
}

static void test_peer(struct test *t, const struct fr_federation_opt *f)
{
    struct fedroam *resolver = NULL;
    struct fedroam_answer *a = NULL;

    test_doh(t, f);
    if (fr_walk_is_over(&t->walk)) return;
    enum fedroam_err err = fedroam_new(t->options, &resolver);
    if (err == FEDROAM_OK) err = fedroam_wait_network(resolver, f->name, t->netid, 0, &a);
    if (err == FEDROAM_OK) {
        judge_network(&t->walk, a, t->netid);
        fr_why_endpoints(&t->walk, a, ENDPOINT_MS);
    } else {
        fr_walk_wrong(&t->walk, FR_EXIT_INTERNAL, "network", "%s", fedroam_err_text(err));
    }
    fedroam_answer_free(a);
    fedroam_free(resolver);
}

/* Over the configured federations, or the one of --fed. */
static enum fr_exit run(struct test *t, const char *what,
                        void (*part)(struct test *t, const struct fr_federation_opt *f))
{
    const char *federation = fr_cli_opt(t->cli, "fed");
    struct fr_diag diag = {0};
    enum fr_err err = fr_why_load(t->cli, &diag, &t->options);

    if (!err && federation && fr_options_find(t->options, federation) == t->options->n_federations)
        err = fr_diag_fail(&diag, FR_E_USAGE, "the configuration has no federation %s", federation);
    for (size_t i = 0; !err && i < t->options->n_federations; i++) {
        const struct fr_federation_opt *f = t->options->federations[i];
        if (federation == NULL || strcmp(f->name, federation) == 0) part(t, f);
    }
    if (!err)
        err = fr_walk_print_of(&t->walk, "test", what, fr_cli_output(t->cli), fr_cli_out(t->cli));
    fedroam_options_free(t->options);
    return err ? fr_cli_fail(t->cli, err, &diag) : t->walk.code;
}

static enum fr_exit start(const struct test *with, const char *what,
                          void (*part)(struct test *t, const struct fr_federation_opt *f))
{
    struct test *t = fr_calloc(1, sizeof *t);

    if (t == NULL) return fr_cli_fail(with->cli, FR_E_NOMEM, NULL);
    t->cli = with->cli;
    t->netid = with->netid;
    t->server = with->server;
    const enum fr_exit code = run(t, what, part);
    fr_free(t);
    return code;
}

enum fr_exit fr_cmd_test_dns(struct fr_cli *cli)
{
    const char *server = fr_cli_opt(cli, "server"), *netid = fr_cli_opt(cli, "netid");
    struct test with = {.cli = cli};

    if (fr_addr_parse(fr_span_str(server ? server : "127.0.0.1"), AGENT_PORT, &with.server) !=
        FR_OK)
        return fr_cli_usage(cli, "--server \"%s\" is not of the form ADDRESS:PORT", server);
    if (netid && fr_netid_parse(fr_span_str(netid), &with.netid) != FR_OK)
        return fr_cli_usage(cli, "--netid \"%s\" is not a NetID of 6 hex digits", netid);
    return start(&with, "dns", test_dns);
}

enum fr_exit fr_cmd_test_doh(struct fr_cli *cli)
{
    const struct test with = {.cli = cli};
    return start(&with, "doh", test_doh);
}

enum fr_exit fr_cmd_test_peer(struct fr_cli *cli)
{
    struct test with = {.cli = cli};

    if (fr_netid_parse(fr_span_str(fr_cli_arg(cli, 0)), &with.netid) != FR_OK)
        return fr_cli_usage(cli, "\"%s\" is not a NetID of 6 hex digits", fr_cli_arg(cli, 0));
    return start(&with, "peer", test_peer);
}
