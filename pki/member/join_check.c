#include "member_cli/join_check.h"

#include "base/clock.h"
#include "resolver/config.h"
#include <fedroam/fedroam.h>

#include <stdio.h>
#include <string.h>

enum { LOOK_UP_MS = 10000 };
#define NOBODYS_EUI 0xffffffffffffffffu

static enum fr_err open_resolver(const char *path, struct fr_diag *diag, struct fedroam **out)
{
    struct fr_resolver_conf conf;
    struct fedroam_options *o = NULL;
    enum fr_err err = fr_conf_load(&fr_resolver_schema, path, diag, &conf);

    if (err) return err;
    err = fr_federations_options(conf.federations, conf.n_federations, &conf.lookup, diag, &o);
    if (!err && fedroam_new(o, out) != FEDROAM_OK) err = FR_E_NOMEM;
    fedroam_options_free(o);
    fr_conf_free(&fr_resolver_schema, &conf);
    return err;
}

static enum fr_err judge(const struct fedroam_answer *a, bool is_network, struct fr_diag *diag)
{
    const char *reason = fedroam_answer_reason(a);

    switch (fedroam_answer_result(a)) {
    case FEDROAM_FOUND: return FR_OK;
    case FEDROAM_UNKNOWN:
        return is_network ? fr_diag_fail(diag, FR_E_NOT_FOUND, "%s", reason) : FR_OK;
    case FEDROAM_REFUSED: return fr_diag_fail(diag, FR_E_DENIED, "%s", reason);
    case FEDROAM_OVER_BUDGET: return fr_diag_fail(diag, FR_E_BUSY, "%s", reason);
    case FEDROAM_NO_BROKER: return fr_diag_fail(diag, FR_E_NET, "%s", reason);
    case FEDROAM_BAD_ANSWER: return fr_diag_fail(diag, FR_E_UNAVAILABLE, "%s", reason);
    case FEDROAM_FAILED: return fr_diag_fail(diag, FR_E_CONFIG, "%s", reason);
    }
    return FR_E_INTERNAL;
}

enum fr_err fr_join_look_up(const char *path, const char *fed, uint32_t netid, struct fr_diag *diag,
                            struct fr_join_seen *out)
{
    struct fr_join_seen seen = {0};
    struct fedroam *f = NULL;
    struct fedroam_answer *a = NULL;
    const int64_t start_ms = fr_clock_mono_ms(fr_clock_system());
    enum fr_err err = open_resolver(path, diag, &f);

    if (err) return err;
    const enum fedroam_err e = netid ? fedroam_wait_network(f, fed, netid, LOOK_UP_MS, &a)
                                     : fedroam_wait_device(f, fed, NOBODYS_EUI, LOOK_UP_MS, &a);
    err = e == FEDROAM_OK ? judge(a, netid != 0, diag)
                          : fr_diag_fail(diag, FR_E_CONFIG, "%s", fedroam_err_text(e));
    if (!err && netid && fedroam_answer_endpoint_count(a) > 0) {
        seen.has_network = true;
        (void)snprintf(seen.endpoint, sizeof seen.endpoint, "%s",
                       fedroam_answer_endpoint_text(a, 0));
        seen.port = fedroam_answer_endpoint_port(a, 0);
    }
    seen.ms = (uint32_t)(fr_clock_mono_ms(fr_clock_system()) - start_ms);
    if (!err) *out = seen;
    fedroam_answer_free(a);
    fedroam_free(f);
    return err;
}
