/* A member asks the broker to connect back to its registered endpoints: POST /probe. */
#include "probe/prober.h"

#include "admin/message.h"
#include "api/api_priv.h"
#include "api/call.h"
#include "api/problem.h"
#include "api/rows.h"
#include "base/mem.h"

#include <string.h>

/* One that waits for its run. */
struct waiting {
    struct fr_api *api;
    struct fr_http_exchange *x;
    struct fr_probe_ask ask;
};

static void refuse(const struct waiting *w)
{
    const struct fr_probe_ask *ask = &w->ask;
    struct fr_problem problem = {
        .status = fr_admin_status(ask->err), .code = ask->err, .diag = &ask->diag};

    if (ask->err == FR_E_BUSY && ask->retry_after_s > 0) {
        problem.status = 429;
        problem.retry_after_s = ask->retry_after_s;
    }
    fr_api_count_refusal(w->api, problem.status);
    fr_problem_reply(w->x, &problem);
}

static void on_probed(struct fr_probe_ask *ask)
{
    struct waiting *w = ask->data;
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("cache-control", "no-store"),
        FR_HTTP_FIELD("content-type", "application/json"),
    };

    if (ask->err)
        refuse(w);
    else
        fr_http_reply(w->x, 200, fields, 2, fr_buf_span(&ask->json));
    fr_buf_deinit(&ask->json);
    fr_api_give_place(w->api, ask->member);
    fr_free(w);
}

void fr_api_probe_post(struct fr_api_call *call)
{
    struct fr_query_value none = {0};
    struct fr_diag diag = {0};
    struct waiting *w = NULL;
    enum fr_err err;

    if (!fr_api_read_query(call, &none)) return;
    if (call->x->body.n > 0) {
        fr_api_refuse_as(call, 400, FR_E_INVALID,
                         "endpoints are those that are registered: this takes no body");
        return;
    }
    if (!call->pass->who->member[0]) {
        fr_api_refuse_as(call, 403, FR_E_DENIED, "this is for members");
        return;
    }
    w = fr_calloc(1, sizeof *w);
    err = w ? fr_api_take_place(call->api, call->pass->who->member) : FR_E_NOMEM;
    if (err) {
        fr_free(w);
        (void)fr_diag_fail(&diag, err, "this member has too many requests under way");
        if (err == FR_E_LIMIT)
            fr_api_refuse_busy(call, &diag);
        else
            fr_api_refuse(call, err, &diag);
        return;
    }
    w->api = call->api;
    w->x = call->x;
    w->ask = (struct fr_probe_ask){.is_member = true,
                                   .loop = call->api->options.loop,
                                   .done = on_probed,
                                   .data = w,
                                   .json = FR_BUF_INIT(FR_RUN_JSON_MAX)};
    memcpy(w->ask.member, call->pass->who->member, sizeof w->ask.member);
    fr_prober_ask(call->api->options.prober, &w->ask);
}
