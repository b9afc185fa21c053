/* The caller's own zones, from which its devices are transferred: GET /zones, POST /zones/{zone}/refresh and /accept. Where they
 * are transferred from the operator sets: the broker connects there, with a secret that must reach its host another way. */
#include "api/call.h"
#include "api/rows.h"
#include "base/json_out.h"
#include "store/primary_json.h"

#include <string.h>

#define TEXT_MAX (16 * 1024 * 1024)

struct list {
    const struct fr_api_call *call;
    struct fr_json json;
};

static enum fr_err add_zone(void *data, const struct fr_primary_row *row)
{
    struct list *list = data;
    const struct fr_gate_pass *pass = list->call->pass;
    if (strcmp(row->member, pass->who->member) != 0) return FR_OK;
    return fr_primary_put_json(&list->json, pass->snap, row, pass->now_s);
}

void fr_api_zones_get(struct fr_api_call *call)
{
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    struct list list = {.call = call, .json = fr_json(&text)};
    struct fr_query_value none = {0};
    if (!fr_api_read_query(call, &none)) return;
    fr_json_object(&list.json);
    fr_json_key(&list.json, "zones");
    fr_json_array(&list.json);
    enum fr_err err = fr_primary_each(call->pass->snap, add_zone, &list);
    fr_json_end(&list.json);
    fr_json_end(&list.json);
    fr_api_answer_text(call, err, &text);
    fr_buf_deinit(&text);
}

static void change_zone(struct fr_api_call *call, const char *op)
{
    char zone[FR_DNS_NAME_MAX + 1];
    if (!fr_span_copy(call->params[0], zone, sizeof zone)) {
        fr_api_refuse_as(call, 404, FR_E_NOT_FOUND, "there is no such zone");
        return;
    }
    const struct fr_api_change change = {.op = op, .args = json_pack("{s:s}", "zone", zone)};
    if (change.args)
        fr_api_change(call, &change);
    else
        fr_api_refuse_as(call, 400, FR_E_INVALID, "this is no zone's name");
}

void fr_api_zone_refresh(struct fr_api_call *call)
{
    change_zone(call, "zone.primary.refresh");
}

void fr_api_zone_accept(struct fr_api_call *call)
{
    change_zone(call, "zone.accept");
}
