#include "api/api.h"

#include "api/api_priv.h"
#include "api/batch.h"
#include "api/call.h"
#include "api/problem.h"
#include "base/mem.h"

static const unsigned refusals[FR_API_REFUSALS] = {400, 403, 404, 405, 409, 410, 413,
                                                   415, 421, 422, 429, 503, 500};

unsigned fr_api_refusal_status(size_t i)
{
    return refusals[i];
}

void fr_api_count_refusal(struct fr_api *api, unsigned status)
{
    size_t i = 0;
    while (i + 1 < FR_API_REFUSALS && refusals[i] != status) i++;
    api->counters.refused[i]++;
}

/* --- handle --- */

enum fr_err fr_api_new(const struct fr_api_options *options, struct fr_api **out)
{
    struct fr_api *api = fr_calloc(1, sizeof *api);
    if (!api) return FR_E_NOMEM;
    api->options = *options;
    fr_api_changes_init(api);
    fr_api_pages_init(api);
    enum fr_err err = fr_tally_new(&api->members);
    if (!err) err = fr_tally_new(&api->batches);
    if (err) {
        fr_api_free(api);
        return err;
    }
    *out = api;
    return FR_OK;
}

void fr_api_free(struct fr_api *api)
{
    if (!api) return;
    fr_tally_free(api->batches);
    fr_tally_free(api->members);
    fr_free(api);
}

unsigned fr_api_under_way(const struct fr_api *api)
{
    return api->under_way;
}

const struct fr_api_counters *fr_api_counters(const struct fr_api *api)
{
    return &api->counters;
}

enum fr_err fr_api_take_place(struct fr_api *api, const char *member)
{
    enum fr_err err =
        fr_tally_take(api->members, fr_span_str(member), api->options.limits.under_way);
    if (!err) api->under_way++;
    return err;
}

void fr_api_give_place(struct fr_api *api, const char *member)
{
    fr_tally_give(api->members, fr_span_str(member));
    if (--api->under_way == 0 && api->options.on_idle) api->options.on_idle(api->options.data);
}

/* --- requests --- */

bool fr_api_is_meant(struct fr_span path)
{
    return fr_span_starts(path, "/api/") || fr_span_is(path, "/api");
}

/* What the gate refuses, in this house's words. Its own counters have it. */
void fr_api_refuse_at_gate(struct fr_http_exchange *x, const struct fr_gate_refusal *why)
{
    struct fr_diag diag = {0};
    const struct fr_span sentence = fr_span_trim(fr_span_str(why->sentence));
    const struct fr_problem problem = {
        .status = why->status,
        .diag = &diag,
        .retry_after_s = why->retry_after_s,
        .is_last = why->is_last,
    };
    (void)fr_diag_fail(&diag, FR_E_DENIED, "%.*s", (int)sentence.n, (const char *)sentence.p);
    fr_problem_reply(x, &problem);
}

/* No row: told only to members. */
static void refuse_unmatched(struct fr_api_call *call, const struct fr_api_match *match)
{
    struct fr_diag diag = {0};
    struct fr_problem problem = {.status = 404, .code = FR_E_NOT_FOUND, .diag = &diag};
    (void)fr_diag_fail(&diag, FR_E_NOT_FOUND, "there is no such resource");
    fr_diag_hint(&diag, "docs/api/openapi.yaml lists them");
    if (match->allow[0]) {
        problem = (struct fr_problem){
            .status = 405, .code = FR_E_UNSUPPORTED, .diag = &diag, .allow = match->allow};
        (void)fr_diag_fail(&diag, FR_E_UNSUPPORTED, "use one of %s", match->allow);
    }
    fr_api_count_refusal(call->api, problem.status);
    fr_problem_reply(call->x, &problem);
}

void fr_api_head(struct fr_api *api, struct fr_http_exchange *x)
{
    if (fr_span_is(x->method, "POST") && fr_span_is(x->path, FR_API_BATCH_PATH))
        fr_api_batch_head(api, x);
}

void fr_api_request(struct fr_api *api, struct fr_http_exchange *x)
{
    struct fr_gate_pass pass;
    struct fr_api_match match = {0};
    enum fr_err err = fr_api_match(fr_api_routes, x->method, x->path, &match);
    const uint32_t rights = match.route ? match.route->rights : 0;
    api->counters.requests++;
    if (!fr_gate_admit_as(api->options.gate, x, FR_SERVICE_BROKER, rights, fr_api_refuse_at_gate,
                          &pass))
        return;
    struct fr_api_call call = {.api = api, .x = x, .pass = &pass, .route = match.route};
    for (size_t i = 0; i < FR_API_PARAMS; i++) call.params[i] = match.params[i];
    if (err)
        refuse_unmatched(&call, &match);
    else
        match.route->run(&call);
    fr_gate_leave(api->options.gate);
}
