/* What the caller gives to others or is offered, and where two members claim one device: GET /releases, /conflicts. */
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/conflict.h"
#include "store/release.h"

#include <string.h>

#define PAGE_MAX 10000
#define PAGE_DEFAULT 1000
#define SCANNED_MAX 20000 /* releases of whomever that one request looks at: others wait for it */
#define ROW_MAX 256
#define TEXT_MAX (FR_CONFLICTS_MAX * ROW_MAX + 256)

struct list {
    const char *member;
    struct fr_json json;
    uint64_t n, limit;
};

static void put_eui(struct fr_json *j, const char *key, uint64_t eui)
{
    char text[FR_EUI_TEXT];
    fr_eui_print(eui, text);
    fr_json_put_str(j, key, text);
}

static void put_time(struct fr_json *j, const char *key, int64_t when_s)
{
    char text[FR_TIME_TEXT];
    fr_time_print(when_s, text);
    fr_json_put_str(j, key, text);
}

/* --- releases --- */

static enum fr_err add_release(void *data, const struct fr_release_row *row)
{
    struct list *list = data;
    struct fr_json *j = &list->json;
    fr_json_object(j);
    put_eui(j, "deveui", row->deveui);
    fr_json_put_str(j, "from", row->from);
    fr_json_put_str(j, "to", row->to);
    put_time(j, "until", row->until_s);
    put_time(j, "since", row->created_s);
    fr_json_end(j);
    return ++list->n == list->limit ? FR_E_CLOSED : FR_OK;
}

static void write_releases(struct fr_api_call *call, struct list *list,
                           struct fr_release_part *part)
{
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    list->json = fr_json(&text);
    fr_json_object(&list->json);
    fr_json_key(&list->json, "releases");
    fr_json_array(&list->json);
    enum fr_err err = fr_release_each_part(call->pass->snap, list->member, call->pass->now_s,
                                           add_release, list, part);
    fr_json_end(&list->json);
    if (!part->is_end) put_eui(&list->json, "next", part->from - 1);
    fr_json_end(&list->json);
    fr_api_answer_text(call, err, &text);
    fr_buf_deinit(&text);
}

void fr_api_releases_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {0}};
    struct list list = {.member = call->pass->who->member};
    struct fr_release_part part = {.rows = SCANNED_MAX};
    struct fr_diag diag = {0};
    uint64_t after = 0;
    if (!fr_api_read_query(call, known)) return;
    enum fr_err err = fr_query_uint(&known[1], 1, PAGE_MAX, PAGE_DEFAULT, &diag, &list.limit);
    if (!err && known[0].is_set && fr_eui_parse(fr_span_str(known[0].text), &after))
        err = fr_diag_fail(&diag, FR_E_INVALID, "after must be an EUI");
    part.from = after + (known[0].is_set && after != UINT64_MAX);
    if (err)
        fr_api_refuse(call, err, &diag);
    else
        write_releases(call, &list, &part);
}

/* --- conflicts --- */

/* Whose device it is the one who claims it is not told, as a refused claim does not tell it. */
static enum fr_err add_conflict(void *data, const struct fr_conflict_row *row)
{
    struct list *list = data;
    struct fr_json *j = &list->json;
    char netid[FR_NETID_TEXT];
    if (row->nibbles > 0) return FR_OK; /* a JoinEUI */
    fr_json_object(j);
    put_eui(j, "deveui", row->eui);
    if (strcmp(row->owner, list->member) == 0) fr_json_put_str(j, "owner", row->owner);
    fr_json_put_str(j, "claimant", row->claimant);
    fr_netid_print(row->netid, netid);
    fr_json_put_str(j, "netid", netid);
    fr_json_put_uint(j, "count", row->count);
    put_time(j, "first", row->first_s);
    put_time(j, "last", row->last_s);
    fr_json_end(j);
    return FR_OK;
}

void fr_api_conflicts_get(struct fr_api_call *call)
{
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    struct list list = {.member = call->pass->who->member, .json = fr_json(&text)};
    struct fr_query_value none = {0};
    if (!fr_api_read_query(call, &none)) return;
    fr_json_object(&list.json);
    fr_json_key(&list.json, "conflicts");
    fr_json_array(&list.json);
    enum fr_err err = fr_conflict_each(call->pass->snap, list.member, add_conflict, &list);
    fr_json_end(&list.json);
    fr_json_end(&list.json);
    fr_api_answer_text(call, err, &text);
    fr_buf_deinit(&text);
}
