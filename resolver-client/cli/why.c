#include "resolver_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "names/eui.h"
#include "resolver/config.h"
#include "resolver/options.h"
#include "resolver_cli/why.h"
#include "session/session.h"
#include <fedroam/fedroam.h>

#include <string.h>

enum { ENDPOINT_MS = 5000 };

enum fr_err fr_why_load(const struct fr_cli *cli, struct fr_diag *diag,
                        struct fedroam_options **out)
{
    struct fr_resolver_conf conf = {0};
    const char *path = fr_cli_opt(cli, "config");

    enum fr_err err =
        fr_conf_load(&fr_resolver_schema, path ? path : FR_RESOLVER_CONFIG, diag, &conf);
    if (err) return err;
    err = fr_federations_options(conf.federations, conf.n_federations, &conf.lookup, diag, out);
    fr_conf_free(&fr_resolver_schema, &conf);
    return err;
}

static void look_up(struct fr_walk *walk, const struct fedroam_options *o, const char *federation,
                    uint64_t deveui)
{
    struct fedroam *f = NULL;
    struct fedroam_answer *a = NULL;

    if (fr_walk_is_over(walk)) return;
    enum fedroam_err err = fedroam_new(o, &f);
    if (err == FEDROAM_OK) err = fedroam_wait_device(f, federation, deveui, 0, &a);
    if (err == FEDROAM_OK) {
        fr_why_answer(walk, a);
        fr_why_endpoints(walk, a, ENDPOINT_MS);
    } else {
        fr_walk_wrong(walk, FR_EXIT_INTERNAL, "answer", "%s", fedroam_err_text(err));
    }
    fedroam_answer_free(a);
    fedroam_free(f);
}

/* As the member: along the configured federations, or the one named. */
static enum fr_err walk_as_member(struct fr_cli *cli, struct fr_walk *walk, uint64_t deveui,
                                  struct fr_diag *diag)
{
    const char *federation = fr_cli_opt(cli, "fed");
    struct fedroam_options *o = NULL;

    enum fr_err err = fr_why_load(cli, diag, &o);
    if (err) return err;
    if (federation != NULL && fr_options_find(o, federation) == o->n_federations) {
        err = fr_diag_fail(diag, FR_E_USAGE, "the configuration has no federation %s", federation);
        goto out;
    }
    for (size_t i = 0; i < o->n_federations; i++) {
        const struct fr_federation_opt *f = o->federations[i];
        if (federation != NULL && strcmp(f->name, federation) != 0) continue;
        fr_why_certificate(walk, f, fr_clock_real_s(fr_clock_system()));
        fr_why_brokers(walk, o, f, deveui);
    }
    look_up(walk, o, federation, deveui);
out:
    fedroam_options_free(o);
    return err;
}

/* As the operator: along the federation's state. */
static enum fr_err walk_for(struct fr_cli *cli, struct fr_walk *walk, uint64_t deveui,
                            const char *member, struct fr_diag *diag)
{
    struct fr_session session = FR_SESSION_INIT;

    struct fr_admin_reply *broker = NULL;
    enum fr_err err = fr_why_ask_broker(cli, deveui, member, diag, &broker);
    if (err == FR_OK) err = fr_session_open(cli, diag, &session);
    if (err == FR_OK)
        fr_why_for(walk, &session, broker, deveui, member, fr_clock_real_s(fr_clock_system()));
    fr_session_close(&session);
    fr_admin_reply_free(broker);
    return err;
}

enum fr_exit fr_cmd_why(struct fr_cli *cli)
{
    const char *member = fr_cli_opt(cli, "for");
    struct fr_diag diag = {0};
    uint64_t deveui = 0;

    if (fr_eui_parse(fr_span_str(fr_cli_arg(cli, 0)), &deveui) != FR_OK)
        return fr_cli_usage(cli, "\"%s\" is not an EUI of 16 hex digits", fr_cli_arg(cli, 0));
    if (member != NULL && fr_cli_opt(cli, "config") != NULL)
        return fr_cli_usage(cli, "--for looks into the federation's state: --config is not used");
    struct fr_walk *walk = fr_calloc(1, sizeof *walk);
    if (walk == NULL) return fr_cli_fail(cli, FR_E_NOMEM, NULL);
    enum fr_err err = member != NULL ? walk_for(cli, walk, deveui, member, &diag)
                                     : walk_as_member(cli, walk, deveui, &diag);
    if (err == FR_OK) err = fr_walk_print(walk, deveui, fr_cli_output(cli), fr_cli_out(cli));
    enum fr_exit code = err ? fr_cli_fail(cli, err, &diag) : walk->code;
    fr_free(walk);
    return code;
}
