#include "api/call.h"

#include "admin/message.h"
#include "api/api_priv.h"
#include "api/problem.h"
#include "base/mem.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/joineui.h"
#include "store/network.h"
#include "transport/http_tag.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static bool refuse_param(struct fr_api_call *call, const char *what)
{
    fr_api_refuse_as(call, 400, FR_E_MALFORMED, what);
    return false;
}

bool fr_api_read_eui(struct fr_api_call *call, size_t param, uint64_t *out)
{
    if (fr_eui_parse(call->params[param], out) == FR_OK) return true;
    return refuse_param(call, "an EUI has 16 hex digits");
}

bool fr_api_read_netid(struct fr_api_call *call, size_t param, uint32_t *out)
{
    if (fr_netid_parse(call->params[param], out) == FR_OK) return true;
    return refuse_param(call, "a NetID has 6 hex digits");
}

bool fr_api_read_query(struct fr_api_call *call, struct fr_query_value *known)
{
    struct fr_diag diag = {0};
    enum fr_err err = fr_query_read(call->x->query, known, &diag);
    if (!err) return true;
    fr_api_refuse(call, FR_E_INVALID, &diag);
    return false;
}

bool fr_api_read_object(struct fr_api_call *call, json_t **out)
{
    const struct fr_http_exchange *x = call->x;
    json_error_t error;
    if (!fr_http_is_type(fr_http_exchange_field(x, "content-type"), "application/json")) {
        fr_api_refuse_as(call, 415, FR_E_UNSUPPORTED, "the body must be application/json");
        return false;
    }
    json_t *object = json_loadb((const char *)x->body.p, x->body.n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        json_decref(object);
        fr_api_refuse_as(call, 400, FR_E_MALFORMED, "the body must be one JSON object");
        return false;
    }
    *out = object;
    return true;
}

bool fr_api_is_own(const struct fr_api_call *call, uint32_t netid)
{
    struct fr_network_row row;
    return call->pass->who->member[0] && fr_network_get(call->pass->snap, netid, &row) == FR_OK &&
           strcmp(row.member, call->pass->who->member) == 0;
}

/* --- answering --- */

static void answer(struct fr_http_exchange *x, unsigned status, struct fr_span json)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("cache-control", "no-store"),
        FR_HTTP_FIELD("content-type", "application/json"),
    };
    fr_http_reply(x, status, fields, json.n ? 2 : 1, json);
}

void fr_api_answer(struct fr_api_call *call, unsigned status, struct fr_span json)
{
    answer(call->x, status, json);
}

void fr_api_answer_tagged(struct fr_api_call *call, struct fr_span json)
{
    char tag[FR_HTTP_TAG_TEXT];
    fr_http_tag_make(json, tag);
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("cache-control", "private, no-cache"),
        FR_HTTP_FIELD("etag", tag),
        FR_HTTP_FIELD("content-type", "application/json"),
    };
    if (!fr_http_tag_is_held(fr_http_exchange_field(call->x, "if-none-match"), tag)) {
        fr_http_reply(call->x, 200, fields, 3, json);
        return;
    }
    call->api->counters.unchanged++;
    fr_http_reply(call->x, 304, fields, 2, (struct fr_span){0});
}

void fr_api_answer_text(struct fr_api_call *call, enum fr_err err, const struct fr_buf *text)
{
    if (!err) err = fr_buf_err(text);
    if (err)
        fr_api_refuse_as(call, 503, FR_E_UNAVAILABLE, FR_API_UNREADABLE);
    else
        fr_api_answer(call, 200, fr_buf_span(text));
}

static void refuse(struct fr_api *api, struct fr_http_exchange *x, const struct fr_problem *problem)
{
    fr_api_count_refusal(api, problem->status);
    fr_problem_reply(x, problem);
}

void fr_api_refuse(struct fr_api_call *call, enum fr_err err, const struct fr_diag *diag)
{
    const struct fr_problem problem = {.status = fr_admin_status(err), .code = err, .diag = diag};
    refuse(call->api, call->x, &problem);
}

void fr_api_refuse_as(struct fr_api_call *call, unsigned status, enum fr_err err, const char *what)
{
    struct fr_diag diag = {0};
    err = fr_diag_fail(&diag, err, "%s", what);
    const struct fr_problem problem = {.status = status, .code = err, .diag = &diag};
    refuse(call->api, call->x, &problem);
}

void fr_api_refuse_busy(struct fr_api_call *call, const struct fr_diag *diag)
{
    const struct fr_problem problem = {
        .status = 429, .code = FR_E_BUSY, .diag = diag, .retry_after_s = 1};
    refuse(call->api, call->x, &problem);
}

void fr_api_refuse_miss(struct fr_api_call *call, uint64_t deveui)
{
    struct fr_diag diag = {0};
    if (!fr_gate_charge_miss(call->pass->till, call->x, deveui, call->pass->refuse)) return;
    (void)fr_diag_fail(&diag, FR_E_NOT_FOUND, "%s has no device %016" PRIx64,
                       call->pass->who->member, deveui);
    fr_api_refuse(call, FR_E_NOT_FOUND, &diag);
}

/* --- changes --- */

/* One request at the writer. */
struct errand {
    struct fr_api *api;
    struct fr_http_exchange *x;
    unsigned (*status)(const struct fr_admin_reply *reply);
    bool is_dry;
    uint64_t *euis; /* the devices it is about, or the JoinEUI */
    size_t n_euis;
    struct fr_till *till;
    fr_gate_refuse_fn refuse;
    char member[FR_MEMBER_ID_MAX + 1];
};

static void answer_made(const struct errand *errand, const struct fr_admin_reply *reply)
{
    const unsigned status = errand->status && !errand->is_dry ? errand->status(reply) : 200;
    errand->api->counters.changes++;
    answer(errand->x, status,
           status == 204 ? (struct fr_span){0} : fr_span_str(fr_admin_reply_json(reply)));
}

/* Whether somebody has a device is told by the refusal of each that was named: each is a miss. */
static bool charge(const struct errand *errand, enum fr_err err)
{
    const bool is_miss = err == FR_E_NOT_FOUND || err == FR_E_CONFLICT;
    for (size_t i = 0; is_miss && i < errand->n_euis; i++)
        if (!fr_gate_charge_miss(errand->till, errand->x, errand->euis[i], errand->refuse))
            return false;
    return true;
}

static void errand_free(struct errand *errand)
{
    if (!errand) return;
    fr_free(errand->euis);
    fr_free(errand);
}

static void answer_refused(const struct errand *errand, enum fr_err err, const struct fr_diag *diag)
{
    if (!charge(errand, err)) return;
    const struct fr_problem problem = {.status = fr_admin_status(err), .code = err, .diag = diag};
    refuse(errand->api, errand->x, &problem);
}

static void task_over(void *data, struct fr_task *task)
{
    struct errand *errand = data;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    if (err)
        answer_refused(errand, err, &diag);
    else
        answer_made(errand, reply);
    fr_admin_reply_free(reply);
    fr_task_free(task);
    fr_api_give_place(errand->api, errand->member);
    errand_free(errand);
}

/* What every change may say in its query. */
struct wishes {
    bool dry_run;
    struct fr_query_value values[3]; /* reason, dry_run, the end */
};

static bool read_wishes(struct fr_api_call *call, struct wishes *out)
{
    struct fr_diag diag = {0};
    *out = (struct wishes){.values = {{.name = "reason"}, {.name = "dry_run"}}};
    if (!fr_api_read_query(call, out->values)) return false;
    enum fr_err err = fr_query_bool(&out->values[1], &diag, &out->dry_run);
    if (!err) return true;
    fr_api_refuse(call, err, &diag);
    return false;
}

static enum fr_err submit(struct fr_api_call *call, const struct fr_admin_request *request,
                          struct errand *errand, struct fr_diag *diag)
{
    const struct fr_admin_actor actor = fr_admin_actor_member(call->pass->who);
    struct fr_task *task = NULL;
    enum fr_err err = fr_task_new(request, &actor, diag, &task);
    if (err) return err;
    err = fr_writer_submit(call->api->options.writer, task, call->api->options.loop, task_over,
                           errand);
    if (err == FR_E_BUSY) (void)fr_diag_fail(diag, err, "too many changes are waiting");
    if (err) fr_task_free(task);
    return err;
}

static void add_eui(struct errand *errand, const char *text)
{
    uint8_t nibbles;
    if (!text || fr_joineui_parse(fr_span_str(text), NULL, &errand->euis[errand->n_euis], &nibbles))
        return;
    errand->n_euis++;
}

/* The devices, or the JoinEUI, that a request's arguments name, as far as they are EUIs. */
static enum fr_err take_euis(struct errand *errand, const char *args)
{
    json_t *object = json_loads(args, 0, NULL);
    const json_t *devices = json_object_get(object, "devices");
    const json_t *joineui = json_object_get(object, "joineui");
    const size_t n = json_array_size(devices) + (joineui ? 1 : 0);
    errand->euis = n ? fr_calloc(n, sizeof *errand->euis) : NULL;
    for (size_t i = 0; errand->euis && i < json_array_size(devices); i++)
        add_eui(errand, json_string_value(json_array_get(devices, i)));
    if (errand->euis && joineui) add_eui(errand, json_string_value(joineui));
    json_decref(object);
    return n && !errand->euis ? FR_E_NOMEM : FR_OK;
}

static struct errand *errand_new(struct fr_api_call *call, const struct fr_api_change *change,
                                 const struct fr_admin_request *request)
{
    struct errand *errand = fr_malloc(sizeof *errand);
    if (!errand) return NULL;
    *errand = (struct errand){
        .api = call->api,
        .x = call->x,
        .status = change->status,
        .is_dry = request->dry_run,
        .till = call->pass->till,
        .refuse = call->pass->refuse,
    };
    memcpy(errand->member, call->pass->who->member, sizeof errand->member);
    if (!request->args || take_euis(errand, request->args) == FR_OK) return errand;
    errand_free(errand);
    return NULL;
}

static enum fr_err hand_in(struct fr_api_call *call, const struct fr_api_change *change,
                           const struct fr_admin_request *request, struct fr_diag *diag)
{
    struct errand *errand = errand_new(call, change, request);
    if (!errand) return FR_E_NOMEM;
    enum fr_err err = fr_api_take_place(call->api, errand->member);
    if (err) {
        (void)fr_diag_fail(diag, err, "this member has too many requests under way");
        goto out;
    }
    err = submit(call, request, errand, diag);
    if (err)
        fr_api_give_place(call->api, errand->member);
    else
        errand = NULL; /* task_over has it */
out:
    errand_free(errand);
    return err;
}

static void ask(struct fr_api_call *call, const struct fr_api_change *change,
                const struct fr_admin_request *request)
{
    struct fr_diag diag = {0};
    enum fr_err err = hand_in(call, change, request, &diag);
    if (err == FR_E_LIMIT)
        fr_api_refuse_busy(call, &diag);
    else if (err)
        fr_api_refuse(call, err, &diag);
}

void fr_api_ask(struct fr_api_call *call, const struct fr_admin_request *request)
{
    struct fr_query_value none = {0};
    const struct fr_api_change change = {.op = request->op};
    if (fr_api_read_query(call, &none)) ask(call, &change, request);
}

void fr_api_change(struct fr_api_call *call, const struct fr_api_change *change)
{
    struct wishes wishes;
    char *args = NULL;
    if (read_wishes(call, &wishes)) {
        args = json_dumps(change->args, JSON_COMPACT);
        const struct fr_admin_request request = {
            .op = change->op,
            .args = args,
            .reason = wishes.values[0].is_set ? wishes.values[0].text : NULL,
            .dry_run = wishes.dry_run,
        };
        if (args)
            ask(call, change, &request);
        else
            fr_api_refuse_as(call, 503, FR_E_NOMEM, "out of memory");
    }
    free(args);
    json_decref(change->args);
}
